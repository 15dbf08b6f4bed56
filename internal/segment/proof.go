package segment

import (
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Proof proves one record: that its leaf stands at its place in the tree of its segment.
type Proof struct {
	Part
	prediction.Inclusion
}

// Prove returns the proof of a row. It reads the leaves around the row and the roots of all tiles,
// and has held the proof against the root that the file states.
func (f *File) Prove(row int64) (*Proof, error) {
	part, index, err := f.Place(row)
	if err != nil {
		return nil, err
	}
	p := f.meta.Parts[part]
	t := &partTree{file: f, first: row - index, size: uint64(p.Count), room: newRoom(), leaves: map[uint64][]Hash{}}
	defer t.room.close()
	if err := t.readTiles(); err != nil {
		return nil, damaged(err)
	}
	nodes, err := proof.Inclusion(uint64(index), t.size)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Internal, "prove row %d: %w", row, err)
	}
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		hash, err := t.node(id)
		if err != nil {
			return nil, damaged(err)
		}
		hashes[i] = hash[:]
	}
	if hashes, err = nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren); err != nil {
		return nil, tallystick.Errorf(tallystick.Internal, "prove row %d: %w", row, err)
	}
	out := &Proof{p, prediction.Inclusion{Index: uint64(index), Size: t.size}}
	for _, hash := range hashes {
		out.Hashes = append(out.Hashes, Hash(hash))
	}
	leaf, err := t.node(compact.NodeID{Index: uint64(index)})
	if err != nil {
		return nil, damaged(err)
	}
	if err := out.Verify(prediction.Leaf(leaf), rootOf(p)); err != nil {
		return nil, damaged(faultf("the leaves around row %d are not those of its root", row))
	}
	return out, nil
}

// partTree gives the nodes of the tree of one part.
type partTree struct {
	file   *File
	first  int64 // row
	size   uint64
	room   *room
	tiles  []Hash // roots of the complete tiles
	cursor *cursor
	leaves map[uint64][]Hash // by tile
}

// readTiles reads the roots of the part's complete tiles.
func (t *partTree) readTiles() error {
	n := int(t.size >> tileHeight)
	if n == 0 {
		return nil
	}
	c := newCursor(t.file, t.file.byName[columnTile], t.room)
	if err := c.seek(t.first); err != nil {
		return err
	}
	t.tiles = make([]Hash, 0, n)
	for row := t.first; len(t.tiles) < n; {
		k, err := c.ready()
		if err != nil {
			return err
		}
		for ; k > 0 && len(t.tiles) < n; k, row, c.used = k-1, row+1, c.used+1 {
			if complete := (row-t.first)%tileLeaves == tileLeaves-1; complete == c.null[c.used] {
				return faultf("row %d: the root of a tile is missing, or is not in its place", row)
			} else if complete {
				t.tiles = append(t.tiles, Hash(c.bytes[c.used]))
			}
		}
	}
	return nil
}

// node returns the root of a perfect subtree.
func (t *partTree) node(id compact.NodeID) (Hash, error) {
	if id.Level >= tileHeight {
		span := uint64(1) << (id.Level - tileHeight)
		return subtree(t.tiles[id.Index*span : (id.Index+1)*span]), nil
	}
	tile := id.Index << id.Level >> tileHeight
	leaves, err := t.tile(tile)
	if err != nil {
		return Hash{}, err
	}
	span := uint64(1) << id.Level
	start := id.Index*span - tile<<tileHeight
	return subtree(leaves[start : start+span]), nil
}

// tile reads the leaves of a tile, as many as there are.
func (t *partTree) tile(tile uint64) ([]Hash, error) {
	if leaves := t.leaves[tile]; leaves != nil {
		return leaves, nil
	}
	if t.cursor == nil {
		t.cursor = newCursor(t.file, t.file.byName[columnLeaf], t.room)
	}
	start := tile << tileHeight
	n := min(t.size-start, tileLeaves)
	if err := t.cursor.seek(t.first + int64(start)); err != nil {
		return nil, err
	}
	leaves := make([]Hash, 0, n)
	for range n {
		if k, err := t.cursor.ready(); err != nil {
			return nil, err
		} else if k == 0 || t.cursor.isNull() {
			return nil, faultf("a row has no leaf")
		}
		leaves = append(leaves, Hash(t.cursor.bytes[t.cursor.used]))
		t.cursor.used++
	}
	t.leaves[tile] = leaves
	return leaves, nil
}

// rootOf returns the root that a part states; parseMetadata has looked at its form.
func rootOf(p Part) (root Hash) {
	for i := range root {
		root[i] = nibble(p.Root.Hex()[2*i])<<4 | nibble(p.Root.Hex()[2*i+1])
	}
	return root
}

func nibble(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
