package verify

import (
	"bytes"
	"crypto/sha256"

	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// maxProofFile bounds a tlog-proof: a checkpoint, 64 hashes and one leaf.
const maxProofFile = 256 << 10

// InclusionProof is a C2SP tlog-proof: the way from one leaf to the root of a checkpoint.
type InclusionProof struct {
	Index      uint64
	Hashes     [][sha256.Size]byte // RFC 6962 section 2.1.1, from the leaf upwards
	Checkpoint []byte              // signed
	// Extra carries the leaf in a proof that stands alone. Nothing signs it directly; it is good
	// because its hash is what the proof starts from.
	Extra []byte
}

// LeafHash returns the RFC 6962 hash of a leaf.
func LeafHash(leaf []byte) [sha256.Size]byte {
	return [sha256.Size]byte(rfc6962.DefaultHasher.HashLeaf(leaf))
}

// ParseProof reads a tlog-proof file. It accepts what Marshal writes and nothing else. Nothing in
// it has been verified.
func ParseProof(data []byte) (InclusionProof, error) {
	if len(data) > maxProofFile {
		return InclusionProof{}, tallystick.Errorf(tallystick.Invalid, "tlog-proof is longer than %d bytes", maxProofFile)
	}
	var t tlogproof.TLogProof
	if err := t.Unmarshal(data); err != nil {
		return InclusionProof{}, tallystick.Errorf(tallystick.Invalid, "tlog-proof: %w", err)
	}
	p := InclusionProof{Index: t.Index, Hashes: t.Hashes, Checkpoint: t.Checkpoint, Extra: t.ExtraData}
	if len(p.Hashes) > 64 {
		return InclusionProof{}, tallystick.Errorf(tallystick.Invalid, "tlog-proof has %d hashes, more than any tree needs", len(p.Hashes))
	}
	if !bytes.Equal(p.Marshal(), data) {
		return InclusionProof{}, tallystick.Errorf(tallystick.Invalid, "tlog-proof is not written in its one accepted form")
	}
	return p, nil
}

// Marshal returns the file of p.
func (p InclusionProof) Marshal() []byte {
	return tlogproof.TLogProof{Index: p.Index, Hashes: p.Hashes, Checkpoint: p.Checkpoint, ExtraData: p.Extra}.Marshal()
}

// Verify returns an Invalid error unless leaf stands at p.Index in the ledger of c. It does not
// look at p.Checkpoint; c must have been opened.
func (p InclusionProof) Verify(leaf []byte, c Checkpoint) error {
	hash := LeafHash(leaf)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, c.Size, hash[:], slicesOf(p.Hashes), c.Root[:]); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "leaf is not entry %d of %q at size %d", p.Index, c.Origin, c.Size)
	}
	return nil
}

// VerifyConsistency returns an Invalid error unless hashes (RFC 6962 section 2.1.2) prove that newer
// continues older: that its first older.Size entries are older's.
func VerifyConsistency(older, newer Checkpoint, hashes [][sha256.Size]byte) error {
	switch {
	case older.Origin != newer.Origin:
		return tallystick.Errorf(tallystick.Invalid, "checkpoints of two ledgers, %q and %q", older.Origin, newer.Origin)
	case older.Size > newer.Size:
		return tallystick.Errorf(tallystick.Invalid, "the newer checkpoint of %q has %d entries, the older %d", newer.Origin, newer.Size, older.Size)
	case older.Size == newer.Size && older.Root != newer.Root:
		return tallystick.Errorf(tallystick.Invalid, "two checkpoints of %q at size %d have different roots: somebody was shown another ledger", newer.Origin, newer.Size)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, slicesOf(hashes), older.Root[:], newer.Root[:]); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "nothing proves that %q at size %d continues its checkpoint at size %d", newer.Origin, newer.Size, older.Size)
	}
	return nil
}

func slicesOf(hashes [][sha256.Size]byte) [][]byte {
	slices := make([][]byte, len(hashes))
	for i := range hashes {
		slices[i] = hashes[i][:]
	}
	return slices
}
