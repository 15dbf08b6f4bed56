package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strconv"

	"github.com/tallystick/tallystick"
)

// Envelope is a DSSE envelope with exactly one signature: ECDSA P-256 over SHA-256 of the
// pre-authentication encoding, in ASN.1 DER.
type Envelope struct {
	PayloadType string
	Payload     []byte
	KeyID       string // see KeyID
	Signature   []byte // ASN.1 DER
}

// envelopeJSON is the written form.
type envelopeJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// PAE returns the pre-authentication encoding of DSSE v1, the bytes that are signed.
func PAE(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(payloadType) + len(payload) + 48)
	b.WriteString("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	b.Write(payload)
	return b.Bytes()
}

// KeyID returns the hexadecimal SHA-256 of the DER SubjectPublicKeyInfo of pub.
func KeyID(pub crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("key id: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// SignEnvelope signs payload with an ECDSA P-256 key, which may live in a key service. Of the two
// signatures that ECDSA has for one message (s and n-s) it keeps the one with the smaller s, so
// that nobody can turn it into another valid one.
func SignEnvelope(payloadType string, payload []byte, key crypto.Signer, random io.Reader) (Envelope, error) {
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return Envelope{}, tallystick.Errorf(tallystick.Invalid, "statements are signed with ECDSA P-256, not with a %T", key.Public())
	}
	id, err := KeyID(pub)
	if err != nil {
		return Envelope{}, err
	}
	sum := sha256.Sum256(PAE(payloadType, payload))
	der, err := key.Sign(random, sum[:], crypto.SHA256)
	if err != nil {
		return Envelope{}, fmt.Errorf("sign %s: %w", payloadType, err)
	}
	sig, err := parseSignature(der)
	if err != nil {
		return Envelope{}, err
	}
	if !sig.low() {
		sig.S.Sub(elliptic.P256().Params().N, sig.S)
	}
	if der, err = asn1.Marshal(sig); err != nil {
		return Envelope{}, fmt.Errorf("sign %s: %w", payloadType, err)
	}
	return Envelope{PayloadType: payloadType, Payload: payload, KeyID: id, Signature: der}, nil
}

// ParseEnvelope reads a DSSE envelope in JSON of any layout. It refuses unknown and repeated
// members, base64 that is not standard and strict, and any number of signatures but one.
func ParseEnvelope(data []byte) (Envelope, error) {
	var j envelopeJSON
	if err := decodeStrict("envelope", data, &j); err != nil {
		return Envelope{}, err
	}
	if len(j.Signatures) != 1 {
		return Envelope{}, tallystick.Errorf(tallystick.Invalid, "envelope has %d signatures, want exactly one", len(j.Signatures))
	}
	e := Envelope{PayloadType: j.PayloadType, KeyID: j.Signatures[0].KeyID}
	var err error
	if e.Payload, err = decodeBase64(j.Payload); err != nil {
		return Envelope{}, tallystick.Errorf(tallystick.Invalid, "envelope payload: %w", err)
	}
	if e.Signature, err = decodeBase64(j.Signatures[0].Sig); err != nil {
		return Envelope{}, tallystick.Errorf(tallystick.Invalid, "envelope signature: %w", err)
	}
	return e, nil
}

// parseOwnEnvelope reads an envelope as Tallystick writes it, which has one encoding: RFC 8785, and
// the smaller of the two values that s can have.
func parseOwnEnvelope(data []byte) (Envelope, error) {
	e, err := ParseEnvelope(data)
	if err != nil {
		return e, err
	}
	again, err := e.Marshal()
	if err != nil {
		return e, err
	}
	if !bytes.Equal(again, data) {
		return e, tallystick.Errorf(tallystick.Invalid, "envelope is not canonical json (RFC 8785)")
	}
	sig, err := parseSignature(e.Signature)
	if err != nil {
		return e, err
	}
	if !sig.low() {
		return e, tallystick.Errorf(tallystick.Invalid, "envelope signature is the malleable twin of the one that was made (large s)")
	}
	return e, nil
}

// Marshal returns the RFC 8785 form of e.
func (e Envelope) Marshal() ([]byte, error) {
	return Canonical(envelopeJSON{
		Payload:     base64.StdEncoding.EncodeToString(e.Payload),
		PayloadType: e.PayloadType,
		Signatures:  []signatureJSON{{KeyID: e.KeyID, Sig: base64.StdEncoding.EncodeToString(e.Signature)}},
	})
}

// Verify returns an Invalid error unless pub signed the envelope and the envelope says so: its
// keyid must be pub's.
func (e Envelope) Verify(pub *ecdsa.PublicKey) error {
	id, err := KeyID(pub)
	if err != nil {
		return err
	}
	if e.KeyID != id {
		return tallystick.Errorf(tallystick.Invalid, "envelope names the key %.80q, not %s", e.KeyID, id)
	}
	sum := sha256.Sum256(PAE(e.PayloadType, e.Payload))
	if pub.Curve != elliptic.P256() || !ecdsa.VerifyASN1(pub, sum[:], e.Signature) {
		return tallystick.Errorf(tallystick.Invalid, "signature of key %s is wrong", id)
	}
	return nil
}

type ecdsaSignature struct{ R, S *big.Int }

// parseSignature accepts DER only: it encodes what it has read again and compares.
func parseSignature(der []byte) (ecdsaSignature, error) {
	var sig ecdsaSignature
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) > 0 {
		return sig, tallystick.Errorf(tallystick.Invalid, "signature is not an ASN.1 pair of numbers")
	}
	if again, err := asn1.Marshal(sig); err != nil || !bytes.Equal(again, der) {
		return sig, tallystick.Errorf(tallystick.Invalid, "signature is not in DER")
	}
	return sig, nil
}

// low reports whether s is at most half the order of the curve.
func (sig ecdsaSignature) low() bool {
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	return sig.S.Cmp(half) <= 0
}

// decodeBase64 accepts the one standard encoding: padded, no line breaks, no spare bits.
func decodeBase64(s string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodeToString(data) != s { // Go's decoder skips line breaks
		return nil, fmt.Errorf("line break in base64")
	}
	return data, nil
}
