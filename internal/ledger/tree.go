package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/tallystick/tallystick"
)

const (
	tileWidth = layout.TileWidth
	maxTile   = tileWidth * hashSize
	maxBundle = tileWidth * (2 + MaxLeaf)
)

// tree reads the files of the log in dir as they stand at one size of the tree. Entries and nodes
// never change, so that a tree stays readable while the log grows: a partial file that has been
// collected is found in its full successor.
type tree struct {
	dir  string
	size uint64
}

// tile reads the hashes of one tile, 32 bytes each, as many as the tree has there.
func (t tree) tile(level, index uint64, buf []byte) ([]byte, error) {
	partial := layout.PartialTileSize(level, index, t.size)
	raw, name, err := t.read(partial, func(p uint8) string { return layout.TilePath(level, index, p) }, buf, maxTile)
	if err != nil {
		return nil, err
	}
	want := width(partial) * hashSize
	if full := name == layout.TilePath(level, index, 0); full && len(raw) != maxTile || !full && len(raw) != want {
		return nil, damaged(name, "it has %d bytes, which is not its number of hashes", len(raw))
	}
	return raw[:want], nil
}

// bundle reads the file of entries index*256 and on, and returns its name for messages. It may hold
// more entries than the tree.
func (t tree) bundle(index uint64, buf []byte) (raw []byte, name string, err error) {
	partial := layout.PartialTileSize(0, index, t.size)
	return t.read(partial, func(p uint8) string { return layout.EntriesPath(index, p) }, buf, maxBundle)
}

func (t tree) read(partial uint8, path func(uint8) string, buf []byte, limit int) ([]byte, string, error) {
	name := path(partial)
	raw, err := readFile(filepath.Join(t.dir, name), buf, limit)
	if partial > 0 && errors.Is(err, os.ErrNotExist) {
		name = path(0)
		raw, err = readFile(filepath.Join(t.dir, name), buf, limit)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, name, damaged(path(partial), "it is missing")
	}
	if err != nil {
		return nil, name, damaged(name, "%v", err)
	}
	return raw, name, nil
}

// width is the number of hashes in a tile or entries in a bundle.
func width(partial uint8) int {
	if partial == 0 {
		return tileWidth
	}
	return int(partial)
}

// bundleWidth is the number of entries of bundle index that are in the tree.
func (t tree) bundleWidth(index uint64) int {
	return width(layout.PartialTileSize(0, index, t.size))
}

// cutEntry splits the first entry off a bundle: a 16-bit big-endian length and the bytes. The
// entry comes with the second byte of its length before it, for hasher.leaf.
func cutEntry(bundle []byte) (prefixed, rest []byte, ok bool) {
	if len(bundle) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < end {
		return nil, nil, false
	}
	return bundle[1:end:end], bundle[end:], true
}

// leaf reads one entry.
func (t tree) leaf(index uint64) ([]byte, error) {
	if index >= t.size {
		return nil, tallystick.Errorf(tallystick.NotFound, "the ledger has %d entries and none at index %d", t.size, index)
	}
	rest, name, err := t.bundle(index/tileWidth, nil)
	if err != nil {
		return nil, err
	}
	for i := uint64(0); ; i++ {
		entry, next, ok := cutEntry(rest)
		if !ok {
			return nil, damaged(name, "it ends before entry %d", index)
		}
		if i == index%tileWidth {
			return bytes.Clone(entry[1:]), nil
		}
		rest = next
	}
}

// node computes the root of a perfect subtree that lies within the tree.
func (t tree) node(id compact.NodeID) ([]byte, error) {
	level, index, nodeLevel, nodeIndex := layout.NodeCoordsToTileAddress(uint64(id.Level), id.Index)
	hashes, err := t.tile(level, index, nil)
	if err != nil {
		return nil, err
	}
	var h hasher
	root, err := tileNode(&h, hashes, nodeLevel, nodeIndex)
	if err != nil {
		return nil, fmt.Errorf("node %d at level %d is not in a tree of %d entries", id.Index, id.Level, t.size)
	}
	return root[:], nil
}

// tileNode computes a node from the hashes of its tile.
func tileNode(h *hasher, hashes []byte, level uint, index uint64) ([hashSize]byte, error) {
	begin, end := index<<level*hashSize, (index+1)<<level*hashSize
	if end > uint64(len(hashes)) {
		return [hashSize]byte{}, errors.New("the tile does not hold the node")
	}
	return h.root(hashes[begin:end]), nil
}

// rootAt computes, from the tiles, the root hash that the tree had at a size up to its own.
func (t tree) rootAt(size uint64) ([]byte, error) {
	if size > t.size {
		return nil, fmt.Errorf("root at size %d of a tree of %d entries", size, t.size)
	}
	if size == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	ids := compact.RangeNodes(0, size, nil)
	hashes := make([][]byte, len(ids))
	for i, id := range ids {
		hash, err := t.node(id)
		if err != nil {
			return nil, err
		}
		hashes[i] = hash
	}
	r, err := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewRange(0, size, hashes)
	if err != nil {
		return nil, err
	}
	return r.GetRootHash(nil)
}

// edge checks the last bundle against its hashes: the next batch is appended to those bytes.
func (t tree) edge() error {
	if t.size == 0 {
		return nil
	}
	index := (t.size - 1) / tileWidth
	raw, name, err := t.bundle(index, nil)
	if err != nil {
		return err
	}
	want, err := t.tile(0, index, nil)
	if err != nil {
		return err
	}
	var h hasher
	for i := range t.bundleWidth(index) {
		entry, rest, ok := cutEntry(raw)
		if !ok {
			return damaged(name, "it ends before entry %d", index*tileWidth+uint64(i))
		}
		if got := h.leaf(entry); !bytes.Equal(got[:], want[i*hashSize:(i+1)*hashSize]) {
			return damaged(name, "entry %d does not match its hash in %s", index*tileWidth+uint64(i), layout.TilePath(0, index, layout.PartialTileSize(0, index, t.size)))
		}
		raw = rest
	}
	return nil
}
