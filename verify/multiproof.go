package verify

import (
	"cmp"
	"crypto/sha256"
	"math/bits"
	"slices"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// Hash is a node of a ledger's Merkle tree (RFC 6962).
type Hash = [sha256.Size]byte

// PlacedHash is the hash of the leaf at an index of a ledger.
type PlacedHash struct {
	Index uint64
	Hash  Hash
}

// MultiProof proves many leaves under one root. Walking the tree from its root downwards, the left
// child before the right, a subtree in which no leaf is known stands in Others as its root hash, and is
// not walked further. So each hash that several inclusion proofs would share is there once, and the
// place of each follows from the indexes alone.
type MultiProof struct {
	Size   uint64       // of the ledger
	Leaves []PlacedHash // by ascending index, each once
	Others []Hash
}

// Root returns the root hash that the leaves and the other hashes give. It fails if a leaf lies outside
// the tree or the hashes are not as many as it takes.
func (p MultiProof) Root() (Hash, error) {
	root, _, err := p.walk(nil)
	return root, err
}

// Inclusion returns the inclusion proof of one of the leaves, as RFC 6962 has it: from the sibling of
// the leaf upwards.
func (p MultiProof) Inclusion(index uint64) ([]Hash, error) {
	_, found := slices.BinarySearchFunc(p.Leaves, index, func(l PlacedHash, index uint64) int { return cmp.Compare(l.Index, index) })
	if !found {
		return nil, tallystick.Errorf(tallystick.NotFound, "the proof has no leaf at index %d", index)
	}
	_, path, err := p.walk(&index)
	return path, err
}

// walk computes the root and, if an index is asked for, the siblings on the way to it.
func (p MultiProof) walk(target *uint64) (Hash, []Hash, error) {
	for i, leaf := range p.Leaves {
		if leaf.Index >= p.Size || i > 0 && leaf.Index <= p.Leaves[i-1].Index {
			return Hash{}, nil, tallystick.Errorf(tallystick.Invalid, "leaf %d at index %d is out of order, or outside a ledger of %d entries", i, leaf.Index, p.Size)
		}
	}
	if p.Size == 0 {
		return Hash{}, nil, tallystick.Errorf(tallystick.Invalid, "a ledger without entries proves nothing")
	}
	w := multiWalk{others: p.Others, target: target}
	root := w.root(0, p.Size, p.Leaves)
	if w.short || len(w.others) > 0 {
		return Hash{}, nil, tallystick.Errorf(tallystick.Invalid, "the proof has %d hashes, which is not what %d leaves of %d entries take", len(p.Others), len(p.Leaves), p.Size)
	}
	return root, w.path, nil
}

type multiWalk struct {
	others []Hash
	target *uint64
	path   []Hash
	short  bool
	node   [1 + 2*sha256.Size]byte
}

// root returns the root of the entries [lo, hi), of which leaves are known.
func (w *multiWalk) root(lo, hi uint64, leaves []PlacedHash) Hash {
	switch {
	case w.short:
		return Hash{}
	case len(leaves) == 0 && len(w.others) == 0:
		w.short = true
		return Hash{}
	case len(leaves) == 0:
		next := w.others[0]
		w.others = w.others[1:]
		return next
	case hi-lo == 1:
		return leaves[0].Hash
	}
	middle := lo + LeftEntries(hi-lo)
	n, _ := slices.BinarySearchFunc(leaves, middle, func(l PlacedHash, middle uint64) int { return cmp.Compare(l.Index, middle) })
	left := w.root(lo, middle, leaves[:n])
	right := w.root(middle, hi, leaves[n:])
	if t := w.target; t != nil && lo <= *t && *t < hi {
		if *t < middle {
			w.path = append(w.path, right)
		} else {
			w.path = append(w.path, left)
		}
	}
	w.node[0] = rfc6962.RFC6962NodeHashPrefix
	copy(w.node[1:], left[:])
	copy(w.node[1+sha256.Size:], right[:])
	return sha256.Sum256(w.node[:])
}

// LeftEntries returns how many of n entries, at least 2, are in the left subtree of RFC 6962 section 2.1:
// the largest power of two below n.
func LeftEntries(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }
