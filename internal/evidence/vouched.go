package evidence

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Vouched is the predicate by which somebody answers for a piece of evidence that is no statement itself: a
// document, a scan, the evidence of a supplier. The piece is a subject, and so is the version that it is about, if
// its files are known.
type Vouched struct {
	Model    string             `json:"model"`
	Version  string             `json:"version,omitempty"` // empty: the model as a whole
	Kind     string             `json:"kind"`
	Name     string             `json:"name,omitempty"` // which document
	Evidence tallystick.Digest  `json:"evidence_digest"`
	Verdict  tallystick.Verdict `json:"verdict,omitempty"`
	Produced string             `json:"produced"`        // RFC 3339
	Until    string             `json:"until,omitempty"` // RFC 3339; since when it counts no more
}

// Statement returns the statement that v holds of the piece of evidence and of the version, whose digest is empty if
// its files are not known.
func (v Vouched) Statement(version tallystick.Digest) (verify.Statement, error) {
	if v.Verdict != "" {
		if err := v.Verdict.Validate(); err != nil {
			return verify.Statement{}, fmt.Errorf("vouch for %s: %w", v.Kind, err)
		}
	}
	subjects := []verify.ResourceDescriptor{verify.Resource("evidence", v.Evidence)}
	if version != "" {
		subjects = append(subjects, verify.Resource("version", version))
	}
	return verify.NewStatement(verify.PredicateEvidence, v, subjects...)
}
