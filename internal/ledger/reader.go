package ledger

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// Reader reads a log as of one checkpoint. It needs no lock and no key, works beside a Log that
// appends, and is safe for concurrent use. What it returns is what the files say: Check, or a proof
// verified against a checkpoint that one trusts, tells whether they say the truth.
type Reader struct {
	origin     string
	checkpoint checkpoint
	tree       tree
}

// OpenReader reads the published checkpoint of the log in dir, which must be of origin.
func OpenReader(dir, origin string) (*Reader, error) {
	if err := prepare(dir, false); err != nil {
		return nil, err
	}
	cp, err := readCheckpoint(dir, origin)
	if err != nil {
		return nil, missing(err, checkpointFile)
	}
	return &Reader{origin: origin, checkpoint: cp, tree: tree{dir: dir, size: cp.Size}}, nil
}

// At returns a reader as of another checkpoint of the same log, which is not larger: one that has been
// cosigned since, say. A checkpoint that these files do not continue is a Conflict. Its signatures are
// not verified.
func (r *Reader) At(signed []byte) (*Reader, error) {
	cp, err := parseCheckpoint(bytes.Clone(signed), r.origin)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "checkpoint of ledger %q: %w", r.tree.dir, err)
	}
	if cp.Size > r.tree.size {
		return nil, tallystick.Errorf(tallystick.Conflict, "ledger %q has %d entries, but a checkpoint says %d", r.tree.dir, r.tree.size, cp.Size).WithHint(restoredHint)
	}
	if err := r.tree.mustHave(cp); err != nil {
		return nil, tallystick.Errorf(tallystick.Conflict, "ledger %q: %w", r.tree.dir, err).WithHint(restoredHint)
	}
	return &Reader{origin: r.origin, checkpoint: cp, tree: tree{dir: r.tree.dir, size: cp.Size}}, nil
}

// Checkpoint returns the checkpoint as a signed note, its signatures not verified.
func (r *Reader) Checkpoint() []byte { return bytes.Clone(r.checkpoint.raw) }

// Size returns the number of entries that the checkpoint covers.
func (r *Reader) Size() uint64 { return r.tree.size }

// Leaf returns the bytes of the entry at index.
func (r *Reader) Leaf(_ context.Context, index uint64) ([]byte, error) { return r.tree.leaf(index) }

// Leaves yields the entries [from, to) in order and stops after the first error. A leaf may be kept.
func (r *Reader) Leaves(ctx context.Context, from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if from > to || to > r.tree.size {
			yield(nil, tallystick.Errorf(tallystick.Invalid, "entries %d to %d of a checkpoint of %d", from, to, r.tree.size))
			return
		}
		for index := from / tileWidth; from < to && index*tileWidth < to; index++ {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			rest, name, err := r.tree.bundle(index, nil)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := index * tileWidth; i < min(to, (index+1)*tileWidth); i++ {
				entry, next, ok := cutEntry(rest)
				if !ok {
					yield(nil, damaged(name, "it ends before entry %d", i))
					return
				}
				if i >= from && !yield(entry[1:], nil) {
					return
				}
				rest = next
			}
		}
	}
}

// InclusionProof returns the RFC 6962 proof that the entry at index is in the tree of the given size,
// which is at most that of the checkpoint: hashes of 32 bytes, from the leaf's sibling upwards.
func (r *Reader) InclusionProof(ctx context.Context, index, size uint64) ([][]byte, error) {
	if index >= size || size > r.tree.size {
		return nil, tallystick.Errorf(tallystick.Invalid, "inclusion proof of entry %d at size %d under a checkpoint of %d", index, size, r.tree.size)
	}
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("inclusion proof: %w", err)
	}
	return r.proof(ctx, nodes)
}

// ConsistencyProof returns the RFC 6962 proof that the tree of size from is a prefix of the tree of
// size to, which is at most that of the checkpoint. It is empty if from is 0 or equal to to.
func (r *Reader) ConsistencyProof(ctx context.Context, from, to uint64) ([][]byte, error) {
	if from > to || to > r.tree.size {
		return nil, tallystick.Errorf(tallystick.Invalid, "consistency proof from %d to %d under a checkpoint of %d", from, to, r.tree.size)
	}
	nodes, err := proof.Consistency(from, to)
	if err != nil {
		return nil, fmt.Errorf("consistency proof: %w", err)
	}
	return r.proof(ctx, nodes)
}

func (r *Reader) proof(ctx context.Context, nodes proof.Nodes) ([][]byte, error) {
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hash, err := r.tree.node(id)
		if err != nil {
			return nil, err
		}
		hashes[i] = hash
	}
	return nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
}
