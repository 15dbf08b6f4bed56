package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

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

// Rotate replaces the active key of a role by a new one from the ledger index from on: that of the
// event that will record the rotation. The old key is retired, the new one is in use at once.
func (k *Keys) Rotate(role verify.Role, from uint64) (Rotation, error) {
	old := k.statement
	if role == verify.RoleLog {
		old = k.log
	}
	if from < old.public.FromIndex {
		return Rotation{}, tallystick.Errorf(tallystick.Invalid, "key %s came into use at index %d and cannot be replaced at %d", old.public.ID, old.public.FromIndex, from)
	}
	next, err := k.generate(role)
	if err != nil {
		return Rotation{}, fmt.Errorf("rotate: %w", err)
	}
	next.public.FromIndex = from
	r := Rotation{Statement: RotationStatement{
		Schema: rotationSchema, Origin: k.trust.Origin, Role: role,
		Old: old.public.ID, New: next.public.ID, PublicKey: next.public.PublicKey, FromIndex: from,
	}}
	for _, key := range []privateKey{old, next} {
		signature, err := r.sign(key.signer)
		if err != nil {
			return Rotation{}, fmt.Errorf("rotate: %w", err)
		}
		r.Signatures = append(r.Signatures, RotationSignature{key.public.ID, base64.StdEncoding.EncodeToString(signature)})
	}
	trust := k.Trust()
	i := slices.IndexFunc(trust.Keys, func(key verify.Key) bool { return key.ID == old.public.ID })
	trust.Keys[i].Status, trust.Keys[i].UntilIndex = verify.StatusRetired, &from
	trust.Keys = append(trust.Keys, next.public)
	if err := k.saveTrust(trust); err != nil {
		return Rotation{}, fmt.Errorf("rotate: %w", err)
	}
	if role == verify.RoleLog {
		k.log = next
	} else {
		k.statement = next
	}
	return r, nil
}

// MarkCompromised says in the trust document that from the ledger index from on the key with that
// id, or the only one whose id begins so, may have been in other hands. A key in use must be
// rotated first.
func (k *Keys) MarkCompromised(id string, from uint64) (verify.Key, error) {
	trust := k.Trust()
	found := -1
	for i, key := range trust.Keys {
		switch {
		case !strings.HasPrefix(key.ID, id) || id == "":
		case found >= 0:
			return verify.Key{}, tallystick.Errorf(tallystick.Invalid, "two keys have an id that begins with %q", id)
		default:
			found = i
		}
	}
	if found < 0 {
		return verify.Key{}, tallystick.Errorf(tallystick.NotFound, "no key has the id %q", id)
	}
	key := &trust.Keys[found]
	switch {
	case key.Status == verify.StatusActive && key.Role != verify.RoleWitness:
		return verify.Key{}, tallystick.Errorf(tallystick.Conflict, "key %s is in use", key.ID).
			WithHint("rotate the %s key first", key.Role)
	case key.CompromisedFrom != nil && *key.CompromisedFrom <= from:
		return *key, nil // it stays closed from the earlier index on
	}
	key.Status, key.CompromisedFrom = verify.StatusCompromised, &from
	if err := k.saveTrust(trust); err != nil {
		return verify.Key{}, fmt.Errorf("mark compromised: %w", err)
	}
	return k.trust.Keys[found], nil
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
