package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
)

// hashChildren returns the RFC 6962 hash of a node.
func hashChildren(left, right Hash) Hash {
	var b [1 + 2*len(left)]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+len(left):], right[:])
	return sha256.Sum256(b[:])
}

// frontier builds the tree of one part, leaf by leaf.
type frontier struct {
	nodes [48]Hash // roots of the perfect subtrees so far, by height, where size has a bit
	size  uint64
}

// append adds a leaf. If it completes a tile, tile is the root of that.
func (f *frontier) append(leaf Hash) (tile Hash, complete bool) {
	h := leaf
	height := 0
	for s := f.size; s&1 == 1; s >>= 1 {
		h = hashChildren(f.nodes[height], h)
		if height++; height == tileHeight {
			tile, complete = h, true
		}
	}
	f.nodes[height] = h
	f.size++
	return tile, complete
}

// root returns the root of the tree, which must not be empty.
func (f *frontier) root() Hash {
	height := bits.TrailingZeros64(f.size)
	h := f.nodes[height]
	for height++; f.size>>height > 0; height++ {
		if f.size>>height&1 == 1 {
			h = hashChildren(f.nodes[height], h)
		}
	}
	return h
}

// subtree returns the root of a perfect subtree: len(hashes) is a power of two.
func subtree(hashes []Hash) Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return hashChildren(subtree(hashes[:half]), subtree(hashes[half:]))
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
