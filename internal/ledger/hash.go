package ledger

import "crypto/sha256"

// hasher computes RFC 6962 hashes without allocating. Not for concurrent use.
type hasher struct {
	node [1 + 2*hashSize]byte
	row  [(tileWidth + 1) * hashSize]byte
}

// leaf returns the hash of the entry that starts at b[1]. It lends b[0] to the prefix of a leaf (RFC 6962
// section 2.1), so that both are hashed in one piece.
func (*hasher) leaf(b []byte) [hashSize]byte {
	lent := b[0]
	b[0] = 0
	sum := sha256.Sum256(b)
	b[0] = lent
	return sum
}

// root returns the root of the tree over hashes, of which there are 1 to tileWidth+1, 32 bytes each.
// Pairing neighbours and promoting an odd last one gives the tree of RFC 6962 section 2.1.
func (h *hasher) root(hashes ...[]byte) (root [hashSize]byte) {
	row := h.row[:0]
	for _, part := range hashes {
		row = append(row, part...)
	}
	for n := len(row) / hashSize; n > 1; n = (n + 1) / 2 {
		for i := range n / 2 {
			h.node[0] = 1 // the prefix of a node
			copy(h.node[1:], row[i*2*hashSize:(i+1)*2*hashSize])
			sum := sha256.Sum256(h.node[:])
			copy(row[i*hashSize:], sum[:])
		}
		if n%2 == 1 {
			copy(row[n/2*hashSize:], row[(n-1)*hashSize:n*hashSize])
		}
	}
	copy(root[:], row)
	return root
}
