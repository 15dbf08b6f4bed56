package evidence

import (
	"crypto"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Signer signs statements. Its signatures are deterministic (RFC 6979): the same key over the same
// statement gives the same envelope.
type Signer struct {
	key crypto.Signer
	id  string
}

// KeyID returns the id of the key, as in trust.json.
func (s *Signer) KeyID() string { return s.id }

// Sign returns the DSSE envelope of a statement, in RFC 8785 JSON, and the envelope's digest, which
// an event must record in the clear for [verify.Bundle] to accept the statement.
func (s *Signer) Sign(statement verify.Statement) (envelope []byte, d tallystick.Digest, err error) {
	payload, err := statement.Marshal()
	if err != nil {
		return nil, "", fmt.Errorf("sign: %w", err)
	}
	e, err := verify.SignEnvelope(verify.StatementPayloadType, payload, s.key, nil)
	if err != nil {
		return nil, "", fmt.Errorf("sign: %w", err)
	}
	if envelope, err = e.Marshal(); err != nil {
		return nil, "", fmt.Errorf("sign: %w", err)
	}
	return envelope, tallystick.DigestOf(envelope), nil
}
