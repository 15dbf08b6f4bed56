package ledger

import (
	"crypto/sha256"
)

// frontier is the right edge of a growing tree: rows[k] holds the hashes, fewer than 256, of the
// tile at level k+1 that is being filled. The tile at level 0 is the caller's.
type frontier struct {
	hasher
	rows [][]byte
}

// push adds a hash to the tile at level k+1 and returns that tile, which stays valid until the next
// push. Once it has 256 hashes the caller pushes its root a level up and empties it with reset.
func (f *frontier) push(k int, hash [hashSize]byte) []byte {
	if k == len(f.rows) {
		f.rows = append(f.rows, make([]byte, 0, maxTile))
	}
	f.rows[k] = append(f.rows[k], hash[:]...)
	return f.rows[k]
}

func (f *frontier) reset(k int) { f.rows[k] = f.rows[k][:0] }

// rootWith returns the root hash of the whole tree, given the hashes at level 0 that the rows do not
// cover yet; there may be none. If instead is not nil it stands for the row at k.
func (f *frontier) rootWith(leaves []byte, k int, instead []byte) [hashSize]byte {
	var edge []byte // the root of everything to the right of the row at hand; empty if there is nothing
	if len(leaves) > 0 {
		root := f.root(leaves)
		edge = root[:]
	}
	for i, row := range f.rows {
		if i == k && instead != nil {
			row = instead
		}
		if len(row) == 0 {
			continue
		}
		root := f.root(row, edge)
		edge = root[:]
	}
	if edge == nil {
		return sha256.Sum256(nil) // RFC 6962 section 2.1: the empty tree
	}
	return [hashSize]byte(edge)
}
