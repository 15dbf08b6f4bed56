package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

// CheckOptions says what Check compares besides the files of the log with each other. The zero value
// is usable.
type CheckOptions struct {
	// Verifiers are the keys that may have signed the checkpoint and the anchor. Without them no
	// signature is verified, and the report says so.
	Verifiers note.Verifiers
	// Anchor is the path of the anchor file; empty means none.
	Anchor string
	// PublishedOnly checks a copy of the public files: no tree state, and nothing beyond the checkpoint.
	PublishedOnly bool
	// Workers is how many goroutines hash, at most 16; one for each core if zero.
	Workers int
	// Leaf, if set, is called with every entry in order, so that one pass over the files serves two
	// comparisons. The bytes are valid during the call. An error ends the check and is returned as is.
	Leaf func(index uint64, leaf []byte) error
}

// Report is what a successful Check has seen.
type Report struct {
	Origin     string
	Size       uint64      // entries hashed, published or not
	Root       []byte      // root hash over them
	Checkpoint uint64      // entries that the checkpoint covers
	Signed     bool        // the checkpoint's signature was verified
	Anchor     AnchorState // whether an anchor was compared
	Anchored   uint64      // entries that the anchor covers
	Files      int         // entry bundles and tiles compared, obsolete partial ones included
	Bytes      int64       // of the entry bundles and the tiles over them, each counted once
	// Strays are files that belong to no entry: leavings of a batch that a crash cut short, or of one
	// that is being written now. At most 100 are listed.
	Strays []string
}

const (
	maxStrays  = 100
	maxWorkers = 16
)

// Check recomputes the tree from every entry and compares it with every tile, every partial file, the
// tree state, the checkpoint and the anchor. The first file that is wrong is named by a DamageError,
// and of an entry bundle the first entry that is wrong. It does not show that every entry that was ever
// acknowledged is there: that takes a record elsewhere to compare with.
func (r *Reader) Check(ctx context.Context, opts CheckOptions) (Report, error) {
	c := &checker{opts: opts, report: Report{Origin: r.origin}}
	if err := c.claims(r); err != nil {
		return c.report, err
	}
	if err := c.entries(ctx); err != nil {
		return c.report, err
	}
	if err := c.leftovers(ctx); err != nil {
		return c.report, err
	}
	return c.report, nil
}

// claim is a root hash that some file states for the tree at some size.
type claim struct {
	file string
	size uint64
	root []byte
}

type checker struct {
	opts   CheckOptions
	report Report
	tree   tree
	open   []claim // not yet compared, by size
	final  []byte  // the root hash stated for the whole tree
	frontier

	last []byte // the leaf hashes of the last bundle if it is not full

	bundle, tile, above []byte // read buffers
}

// claims reads all that states a root hash. The tree state comes last: in a log that grows it then
// covers the others.
func (c *checker) claims(r *Reader) error {
	cp := r.checkpoint
	if c.opts.Verifiers != nil {
		if err := cp.verify(c.opts.Verifiers); err != nil {
			return damaged(checkpointFile, "%v", err)
		}
		c.report.Signed = true
	}
	c.report.Checkpoint = cp.Size
	anchor, found, err := readAnchor(c.opts.Anchor, r.origin, c.opts.Verifiers)
	if err != nil {
		return err
	}
	c.report.Anchor = found
	whole := claim{checkpointFile, cp.Size, cp.Hash}
	c.open = append(c.open, whole)
	if !c.opts.PublishedOnly {
		if err := readVersion(r.tree.dir); err != nil {
			return err
		}
		state, err := readState(r.tree.dir)
		if err != nil {
			return missing(err, stateFile)
		}
		if state.Size < cp.Size {
			return damaged(stateFile, "it has %d entries and the checkpoint has %d", state.Size, cp.Size)
		}
		collected, err := readCollected(r.tree.dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if collected > state.Size {
			return damaged(gcStateFile, "it says %d of %d entries", collected, state.Size)
		}
		whole = claim{stateFile, state.Size, state.Root}
		c.open = append(c.open, whole)
	}
	c.tree = tree{dir: r.tree.dir, size: whole.size}
	c.final = whole.root
	if found == AnchorHeld {
		if anchor.Size > c.tree.size {
			return c.tree.mustHold(anchor, c.opts.Anchor)
		}
		c.report.Anchored = anchor.Size
		c.open = append(c.open, claim{c.opts.Anchor, anchor.Size, anchor.Hash})
	}
	slices.SortStableFunc(c.open, func(a, b claim) int { return cmp.Compare(a.size, b.size) })
	return nil
}

// entries goes through the bundles once and builds the tree over them.
func (c *checker) entries(ctx context.Context) error {
	for s := range c.tree.stretches(ctx, c.workers()) {
		if err := c.take(s); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	root := c.rootWith(c.last, -1, nil)
	for k, row := range c.rows { // the partial tiles of the right edge
		level := uint64(k) + 1
		if err := c.compareTile(level, c.tree.size>>(level*layout.TileHeight)/tileWidth, row); err != nil {
			return err
		}
	}
	if err := c.settle(c.tree.size, nil); err != nil {
		return err
	}
	if len(c.open) > 0 {
		return fmt.Errorf("check ledger: the root hash that %s states was not compared", c.open[0].file)
	}
	c.report.Size, c.report.Root = c.tree.size, root[:]
	return nil
}

// workers returns how many goroutines hash.
func (c *checker) workers() int {
	if c.opts.Workers > 0 {
		return min(c.opts.Workers, maxWorkers)
	}
	return min(runtime.GOMAXPROCS(0), maxWorkers)
}

// take adds the next stretch to the tree.
func (c *checker) take(s *stretch) error {
	if s.err != nil {
		return c.explain(s)
	}
	c.report.Files += 2
	c.report.Bytes += int64(len(s.raw) + len(s.tile))
	if s.wrong >= 0 {
		return c.blame(s)
	}
	if c.opts.Leaf != nil {
		if err := s.entries(c.opts.Leaf); err != nil {
			return err
		}
	}
	if len(s.leaves) < maxTile {
		c.last = bytes.Clone(s.leaves)
		return c.settle(s.index*tileWidth, s.leaves)
	}
	if err := c.settle(s.index*tileWidth, s.leaves); err != nil {
		return err
	}
	return c.fold(s.index, s.whole)
}

// fold hands the root of the full tile at level 0 up, and on for every tile that it fills.
func (c *checker) fold(index uint64, root [hashSize]byte) error {
	for k := 0; ; k++ {
		row := c.push(k, root)
		if len(row) < maxTile {
			return nil
		}
		index /= tileWidth
		if err := c.compareTile(uint64(k)+1, index, row); err != nil {
			return err
		}
		root = c.root(row)
		c.reset(k)
	}
}

// compareTile compares the first hashes of a tile above level 0 with those that follow from the entries.
func (c *checker) compareTile(level, index uint64, want []byte) error {
	if len(want) == 0 {
		return nil
	}
	tile, err := c.tree.tile(level, index, c.tile)
	if err != nil {
		return err
	}
	c.tile = tile
	c.report.Files++
	for i := 0; i < len(want); i += hashSize {
		if bytes.Equal(want[i:i+hashSize], tile[i:i+hashSize]) {
			continue
		}
		name := layout.TilePath(level, index, layout.PartialTileSize(level, index, c.tree.size))
		first := (index*tileWidth + uint64(i/hashSize)) << (level * layout.TileHeight)
		if !c.confirmed(level, index, want) && c.confirmed(level, index, tile) {
			return damaged(layout.EntriesPath(first/tileWidth, 0), "entries from %d on, and the hashes over them, are not those under %s", first, name)
		}
		return damaged(name, "its hash %d is not that of entries from %d on", i/hashSize, first)
	}
	return nil
}

// settle compares the claims whose size lies within the bundle that starts at entry start.
func (c *checker) settle(start uint64, leaves []byte) error {
	for len(c.open) > 0 {
		next := c.open[0]
		n := next.size - start // never negative: smaller ones are settled
		if next.size < start || n > uint64(len(leaves)/hashSize) || n == tileWidth {
			return nil // it waits for a later bundle, for which this one is folded in
		}
		if root := c.rootWith(leaves[:n*hashSize], -1, nil); !bytes.Equal(root[:], next.root) {
			return c.contradiction(next, start)
		}
		c.open = c.open[1:]
	}
	return nil
}

// leftovers compares the partial files that larger ones have replaced and that are not collected yet:
// a client that follows an older checkpoint reads them still.
func (c *checker) leftovers(ctx context.Context) error {
	return filepath.WalkDir(filepath.Join(c.tree.dir, "tile"), func(path string, d os.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return nil // an empty log, or collected meanwhile
			}
			return fmt.Errorf("check ledger: %w", err)
		}
		if d.IsDir() {
			return nil
		}
		return c.leftover(path)
	})
}
