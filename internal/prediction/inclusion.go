package prediction

import (
	"crypto/sha256"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// Inclusion is the inner proof of a record: the way from its leaf to the root of its segment (RFC
// 6962 section 2.1.1). Whoever has the root from a signed event needs nothing else than the record.
type Inclusion struct {
	Index  uint64              `json:"index" doc:"place of the record in its segment, from 0"`
	Size   uint64              `json:"size" doc:"records of the segment"`
	Hashes [][sha256.Size]byte `json:"hashes" doc:"hashes of the siblings, from the leaf upwards"`
}

// Verify returns an Invalid error unless leaf stands at p.Index in the tree of p.Size leaves with
// the given root. Root and size must come from where the segment was registered, not from the one
// who shows the record.
func (p Inclusion) Verify(leaf Leaf, root [sha256.Size]byte) error {
	if p.Size == 0 || p.Index >= p.Size || len(p.Hashes) > 64 {
		return tallystick.Errorf(tallystick.Invalid, "inner proof: no record %d of %d with %d hashes", p.Index, p.Size, len(p.Hashes))
	}
	hashes := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		hashes[i] = p.Hashes[i][:]
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, p.Size, leaf[:], hashes, root[:]); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "the record is not number %d of the %d in the segment with this root", p.Index, p.Size)
	}
	return nil
}
