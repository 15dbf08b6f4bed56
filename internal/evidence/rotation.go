package evidence

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

const (
	rotationSchema      = "https://github.com/tallystick/tallystick/schema/rotation/v1"
	rotationPayloadType = "application/vnd.tallystick.rotation+json"
)

// Rotation is the change from one key of a role to the next, signed by both: the old one says who
// succeeds it, the new one that its holder is there.
type Rotation struct {
	Statement  RotationStatement   `json:"statement"`
	Signatures []RotationSignature `json:"signatures"` // of the old key, then of the new one
}

// RotationStatement is what both keys sign: the DSSE pre-authentication encoding of its RFC 8785
// form with the payload type application/vnd.tallystick.rotation+json.
type RotationStatement struct {
	Schema    string      `json:"schema"`
	Origin    string      `json:"origin"`
	Role      verify.Role `json:"role"`
	Old       string      `json:"old"`        // id
	New       string      `json:"new"`        // id
	PublicKey string      `json:"public_key"` // of the new key, as in trust.json
	FromIndex uint64      `json:"from_index"` // ledger index from which the new key speaks and the old one does not
}

// RotationSignature is the signature of one of the two keys in standard base64: ECDSA as ASN.1 DER,
// Ed25519 as its 64 bytes.
type RotationSignature struct {
	KeyID     string `json:"keyid"`
	Signature string `json:"sig"`
}

// Marshal returns the RFC 8785 form of the whole rotation, to be stored and recorded by its digest.
func (r Rotation) Marshal() ([]byte, error) { return verify.Canonical(r) }

// ParseRotation reads what Marshal has written. The signatures are not checked.
func ParseRotation(data []byte) (r Rotation, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Rotation{}, tallystick.Errorf(tallystick.Invalid, "rotation: %w", err)
	}
	if again, err := r.Marshal(); err != nil || !bytes.Equal(data, again) {
		return Rotation{}, tallystick.Errorf(tallystick.Invalid, "rotation is not in its canonical form")
	}
	return r, nil
}

// Successor is the next key of a role. Its private half is on disk, and nobody believes it until
// [Keys.Adopt].
type Successor struct {
	origin    string
	old, next privateKey
}

// Succeed makes a key to follow the one in use.
func (k *Keys) Succeed(role verify.Role) (*Successor, error) {
	next, err := k.generate(role)
	if err != nil {
		return nil, fmt.Errorf("rotate: %w", err)
	}
	return &Successor{origin: k.origin, old: k.inUse(role), next: next}, nil
}

// From has both keys sign that the new one takes over at a ledger index: that of the event that
// will record the rotation. It can be asked again for another index.
func (s *Successor) From(index uint64) (Rotation, error) {
	if index < s.old.public.FromIndex {
		return Rotation{}, tallystick.Errorf(tallystick.Invalid, "key %s came into use at index %d and cannot be replaced at %d", s.old.public.ID, s.old.public.FromIndex, index)
	}
	next := s.next.public
	r := Rotation{Statement: RotationStatement{
		Schema: rotationSchema, Origin: s.origin, Role: next.Role,
		Old: s.old.public.ID, New: next.ID, PublicKey: next.PublicKey, FromIndex: index,
	}}
	for _, key := range []privateKey{s.old, s.next} {
		signature, err := r.sign(key.signer)
		if err != nil {
			return Rotation{}, fmt.Errorf("rotate: %w", err)
		}
		r.Signatures = append(r.Signatures, RotationSignature{key.public.ID, base64.StdEncoding.EncodeToString(signature)})
	}
	return r, nil
}

// Key returns the public half of the new key as it stands in trust.json.
func (s RotationStatement) Key() (verify.Key, error) {
	key := verify.Key{
		ID: s.New, Name: s.Origin, Role: s.Role, Algorithm: verify.AlgorithmEd25519, PublicKey: s.PublicKey,
		FromIndex: s.FromIndex, Status: verify.StatusActive,
	}
	if s.Role == verify.RoleStatement {
		key.Algorithm, key.PredicateTypes = verify.AlgorithmECDSA, StatementTypes()
	}
	_, err := key.Public()
	return key, err
}

// Adopt carries a rotation out: the old key is retired, its private half is destroyed, and the new
// one, of which the private half must be here, is in use at once. Nothing happens if that was done
// before. The event of the rotation must be on the trail already, so that a rotation that was cut
// short after it can be carried out from there.
func (k *Keys) Adopt(r Rotation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := r.Statement
	if slices.ContainsFunc(k.trust.Keys, func(key verify.Key) bool { return key.ID == s.New }) {
		return nil
	}
	trust := k.trust
	trust.Keys = slices.Clone(trust.Keys)
	at := slices.IndexFunc(trust.Keys, func(key verify.Key) bool { return key.ID == s.Old && key.Role == s.Role })
	if s.Origin != k.origin || at < 0 || trust.Keys[at].Status != verify.StatusActive {
		return tallystick.Errorf(tallystick.Invalid, "rotation of %q from key %s: that is not the %s key in use", s.Origin, s.Old, s.Role)
	}
	public, err := s.Key()
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	old := trust.Keys[at]
	trust.Keys[at].Status, trust.Keys[at].UntilIndex = verify.StatusRetired, &s.FromIndex
	trust.Keys = append(trust.Keys, public)
	if err := trust.Validate(); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if err := r.Verify(trust); err != nil {
		return err
	}
	next, err := k.loadKey(public)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if err := k.saveTrust(trust); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	k.trust = trust
	if s.Role == verify.RoleLog {
		k.log = next
	} else {
		k.statement = next
	}
	return k.destroy(filepath.Base(k.path(old)))
}

func (r Rotation) signed() ([]byte, error) {
	payload, err := verify.Canonical(r.Statement)
	if err != nil {
		return nil, err
	}
	return verify.PAE(rotationPayloadType, payload), nil
}

func (r Rotation) sign(key crypto.Signer) ([]byte, error) {
	message, err := r.signed()
	if err != nil {
		return nil, err
	}
	if _, ok := key.(ed25519.PrivateKey); ok {
		return key.Sign(nil, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	return key.Sign(nil, sum[:], crypto.SHA256)
}

// Verify returns an Invalid error unless both keys have signed the rotation. The old key is looked
// up in trust; whether it was still good at that index is for the reader of the ledger to judge.
func (r Rotation) Verify(trust verify.Trust) error {
	message, err := r.signed()
	if err != nil {
		return err
	}
	ids := []string{r.Statement.Old, r.Statement.New}
	if r.Statement.Schema != rotationSchema || len(r.Signatures) != len(ids) {
		return tallystick.Errorf(tallystick.Invalid, "rotation is not of the schema %s with two signatures", rotationSchema)
	}
	for i, id := range ids {
		at := slices.IndexFunc(trust.Keys, func(k verify.Key) bool { return k.ID == id && k.Role == r.Statement.Role })
		if at < 0 {
			return tallystick.Errorf(tallystick.Invalid, "rotation: %s key %s is not known", r.Statement.Role, id)
		}
		signature, err := base64.StdEncoding.Strict().DecodeString(r.Signatures[i].Signature)
		if err != nil || r.Signatures[i].KeyID != id || !verifySignature(trust.Keys[at], message, signature) {
			return tallystick.Errorf(tallystick.Invalid, "rotation: signature of key %s is wrong", id)
		}
	}
	return nil
}

func verifySignature(k verify.Key, message, signature []byte) bool {
	public, err := k.Public()
	if err != nil {
		return false
	}
	switch public := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, signature)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(public, sum[:], signature)
	}
	return false
}
