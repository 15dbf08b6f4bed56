package trail

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

const hashSize = 32 // bytes of SHA-256

// allowed is the row of an origin.
type allowed struct {
	token  int64
	size   uint64
	root   []byte
	hashes []byte // of the compact range [0, size), 32 bytes each
}

// extend builds the tree of the first size entries on the last one. next returns one or more of them,
// from an index on.
func (g *Guard) extend(last allowed, size uint64, next func(index uint64) ([][]byte, error)) (allowed, error) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree, err := factory.NewRange(0, last.size, slices.Collect(slices.Chunk(last.hashes, hashSize)))
	if err != nil {
		return allowed{}, fmt.Errorf("the hashes of the last tree: %w", err)
	}
	for tree.End() < size {
		batch, err := next(tree.End())
		if err != nil {
			return allowed{}, err
		}
		if len(batch) == 0 {
			return allowed{}, tallystick.Errorf(tallystick.Conflict, "the ledger has an entry %d for which there is no event", tree.End()).
				WithHint("run `tallystick fsck`")
		}
		for _, leaf := range batch {
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
				return allowed{}, err
			}
		}
	}
	extended := allowed{token: last.token, size: size, root: rfc6962.DefaultHasher.EmptyRoot(), hashes: bytes.Join(tree.Hashes(), nil)}
	if g.token == 0 {
		extended.token++
	}
	if size > 0 {
		extended.root, err = tree.GetRootHash(nil)
	}
	return extended, err
}

// leaves returns leaves that the ledger should have from index on, below size.
func (g *Guard) leaves(tx *state.Tx, index, size uint64) ([][]byte, error) {
	base := uint64(len(g.config.Prefix))
	if index < base {
		return g.config.Prefix[index:min(base, size)], nil
	}
	return leaves(tx, index-base+1, int(min(maxBatch, size-index)))
}

// grow builds the tree of the first size recorded events on one below it, and compares its root.
func (g *Guard) grow(ctx context.Context, base allowed, size uint64, root []byte) (allowed, error) {
	next, err := g.extend(base, size, func(index uint64) (batch [][]byte, err error) {
		err = g.config.DB.Read(ctx, func(tx *state.Tx) error {
			batch, err = g.leaves(tx, index, size)
			return err
		})
		return batch, err
	})
	if err == nil && !bytes.Equal(root, next.root) {
		err = errOtherTree()
	}
	return next, err
}
