package ledger

import (
	"bytes"
	"errors"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/tallystick/tallystick"
)

// explain returns the error of a stretch. Beyond the checkpoint the tree state alone says that there
// are entries, so that it may be what is wrong.
func (c *checker) explain(s *stretch) error {
	var damage *DamageError
	if (s.index+1)*tileWidth > c.report.Checkpoint && !c.opts.PublishedOnly && errors.As(s.err, &damage) {
		return damaged(damage.File, "%s, and %s counts %d entries", damage.Reason, stateFile, c.tree.size)
	}
	return s.err
}

// blame decides, by what is stated above them, whether a bundle or the tile over it is wrong.
func (c *checker) blame(s *stretch) error {
	index, leaves, tile, bundle := s.index, s.leaves, s.tile, s.name
	tileName := layout.TilePath(0, index, layout.PartialTileSize(0, index, c.tree.size))
	at := index*tileWidth + uint64(s.wrong)
	if c.confirmed(0, index, leaves) {
		return damaged(tileName, "the hash of entry %d is wrong", at)
	}
	if c.confirmed(0, index, tile) {
		return damaged(bundle, "entry %d does not match its hash", at)
	}
	return damaged(bundle, "entry %d does not match its hash in %s, and neither matches the tree", at, tileName)
}

// confirmed reports whether hashes, as the tile at level and index, agree with what is above it: with
// the hash in its parent if it is full, else with the root hash of the whole tree.
func (c *checker) confirmed(level, index uint64, hashes []byte) bool {
	if len(hashes) == maxTile {
		parent, err := c.tree.tile(level+1, index/tileWidth, c.above)
		if err != nil {
			return false
		}
		c.above = parent
		root, at := c.root(hashes), index%tileWidth*hashSize
		return bytes.Equal(root[:], parent[at:at+hashSize])
	}
	var root [hashSize]byte
	if level == 0 {
		root = c.rootWith(hashes, -1, nil)
	} else {
		root = c.rootWith(c.last, int(level)-1, hashes)
	}
	return bytes.Equal(root[:], c.final)
}

// contradiction says what is wrong when the entries before and in the bundle at start do not have the
// root hash that a file states.
func (c *checker) contradiction(with claim, start uint64) error {
	for k, row := range c.rows {
		level := uint64(k) + 1
		if err := c.compareTile(level, start>>(level*layout.TileHeight)/tileWidth, row); err != nil {
			return err
		}
	}
	switch {
	case with.file == c.opts.Anchor:
		return tallystick.Errorf(tallystick.Conflict, "the first %d entries are not those that the anchor %q has seen", with.size, with.file).
			WithHint(restoredHint)
	case with.file == checkpointFile && c.report.Signed:
		return damaged("tile/entries", "the first %d entries, and the hashes over them, are not those of the signed checkpoint", with.size)
	}
	return damaged(with.file, "its root hash is not that of the first %d entries", with.size)
}
