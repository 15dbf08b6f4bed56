package ledger

import (
	"context"
	"math/bits"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// MultiProof returns what, besides the leaves at the indexes, it takes to come to the root of the
// checkpoint; see [verify.MultiProof]. The indexes ascend.
func (r *Reader) MultiProof(ctx context.Context, indexes []uint64) ([]verify.Hash, error) {
	if n := len(indexes); n > 0 && indexes[n-1] >= r.tree.size || !ascends(indexes) {
		return nil, tallystick.Errorf(tallystick.Invalid, "the indexes do not ascend, or lie beyond a checkpoint of %d entries", r.tree.size)
	}
	w := manyWalk{ctx: ctx, tree: r.tree, tiles: map[uint64]cachedTile{}}
	err := w.others(0, r.tree.size, indexes)
	return w.hashes, err
}

// manyWalk collects the roots of the subtrees in which no leaf is known.
type manyWalk struct {
	ctx    context.Context
	tree   tree
	hashes []verify.Hash
	// tiles has the last tile of each level: the walk comes to the nodes of a level from left to right,
	// so that no tile is read twice.
	tiles  map[uint64]cachedTile
	hasher hasher
}

type cachedTile struct {
	index  uint64
	hashes []byte
}

func (w *manyWalk) others(lo, hi uint64, indexes []uint64) error {
	if len(indexes) == 0 {
		hash, err := w.rangeRoot(lo, hi)
		w.hashes = append(w.hashes, hash)
		return err
	}
	if hi-lo == 1 {
		return w.ctx.Err()
	}
	middle := lo + verify.LeftEntries(hi-lo)
	n, _ := slices.BinarySearch(indexes, middle)
	if err := w.others(lo, middle, indexes[:n]); err != nil {
		return err
	}
	return w.others(middle, hi, indexes[n:])
}

// rangeRoot returns the root of the entries [lo, hi) of a subtree. Only at the right edge of the tree
// are they not a power of two.
func (w *manyWalk) rangeRoot(lo, hi uint64) (verify.Hash, error) {
	if n := hi - lo; n&(n-1) == 0 {
		level := uint(bits.TrailingZeros64(n))
		return w.node(compact.NewNodeID(level, lo>>level))
	}
	middle := lo + verify.LeftEntries(hi-lo)
	left, err := w.rangeRoot(lo, middle)
	if err != nil {
		return left, err
	}
	right, err := w.rangeRoot(middle, hi)
	if err != nil {
		return right, err
	}
	return w.hasher.root(left[:], right[:]), nil
}

func (w *manyWalk) node(id compact.NodeID) (verify.Hash, error) {
	level, index, nodeLevel, nodeIndex := layout.NodeCoordsToTileAddress(uint64(id.Level), id.Index)
	tile, ok := w.tiles[level]
	if !ok || tile.index != index {
		if err := w.ctx.Err(); err != nil {
			return verify.Hash{}, err
		}
		hashes, err := w.tree.tile(level, index, nil)
		if err != nil {
			return verify.Hash{}, err
		}
		tile = cachedTile{index, hashes}
		w.tiles[level] = tile
	}
	hash, err := tileNode(&w.hasher, tile.hashes, nodeLevel, nodeIndex)
	if err != nil {
		return hash, damaged(layout.TilePath(level, index, 0), "node %d at level %d is not in a tree of %d entries", id.Index, id.Level, w.tree.size)
	}
	return hash, nil
}

func ascends(indexes []uint64) bool {
	for i := 1; i < len(indexes); i++ {
		if indexes[i] <= indexes[i-1] {
			return false
		}
	}
	return true
}
