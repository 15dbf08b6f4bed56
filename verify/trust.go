package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// TrustSchema identifies the format of trust.json.
const TrustSchema = "https://github.com/tallystick/tallystick/schema/trust/v1"

// maxKeys bounds the keys of a trust document.
const maxKeys = 1024

// Role is what a key is trusted to sign.
type Role string

// The three roles.
const (
	RoleLog       Role = "log"       // checkpoints of the ledger
	RoleStatement Role = "statement" // statements of its predicate types
	RoleWitness   Role = "witness"   // cosignatures under checkpoints
)

// Status says whether a key is in use.
type Status string

// The three states of a key.
const (
	StatusActive      Status = "active"
	StatusRetired     Status = "retired"     // trusted in its range of indexes, signs nothing new
	StatusCompromised Status = "compromised" // somebody else may have it
)

// The algorithms, one for each role.
const (
	AlgorithmEd25519     = "ed25519"           // log; C2SP signed-note signature type 0x01
	AlgorithmECDSA       = "ecdsa-p256-sha256" // statement
	AlgorithmCosignature = "cosignature-v1"    // witness; C2SP tlog-cosignature, type 0x04
)

// AnyPredicate in PredicateTypes trusts a statement key for every predicate type.
const AnyPredicate = "*"

// Trust says whom a verifier believes. It is the content of trust.json.
type Trust struct {
	Schema string `json:"schema"`
	Origin string `json:"origin"` // the ledger's name, as its checkpoints state it
	Keys   []Key  `json:"keys"`
}

// Key is one trusted public key. FromIndex and UntilIndex are the half-open range [from, until) of
// ledger indexes for which the key may speak: a statement counts at the index of the event that
// records it, a checkpoint and the manifest of its bundle at the index of its last entry.
//
// CompromisedFrom is the first index from which a key may have been in other hands. Statements
// recorded below it stay good, because the ledger proves that they were there before. A log key
// enjoys no such protection, since a thief can sign a checkpoint of any size: once it is
// compromised, its checkpoints count only if a trusted witness has cosigned them.
type Key struct {
	ID              string   `json:"id"`   // hexadecimal SHA-256 of the DER SubjectPublicKeyInfo
	Name            string   `json:"name"` // of a log or witness: as in its signature lines
	Role            Role     `json:"role"`
	Algorithm       string   `json:"algorithm"`
	PublicKey       string   `json:"public_key"` // log, witness: C2SP vkey; statement: DER in base64
	PredicateTypes  []string `json:"predicate_types,omitempty"`
	FromIndex       uint64   `json:"from_index"`
	UntilIndex      *uint64  `json:"until_index"`
	Status          Status   `json:"status"`
	CompromisedFrom *uint64  `json:"compromised_from,omitempty"`
}

// ParseTrust reads a trust.json. White space and the order of members are free; members that are
// not known are refused, and so is a key whose id, name or algorithm is not that of its public key.
func ParseTrust(data []byte) (Trust, error) {
	var t Trust
	if err := decodeStrict("trust.json", data, &t); err != nil {
		return Trust{}, err
	}
	if err := t.Validate(); err != nil {
		return Trust{}, err
	}
	return t, nil
}

// Marshal returns the RFC 8785 form of t.
func (t Trust) Marshal() ([]byte, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	return Canonical(t)
}

// Validate returns an Invalid error if t breaks a rule of the format.
func (t Trust) Validate() error {
	switch {
	case t.Schema != TrustSchema:
		return tallystick.Errorf(tallystick.Invalid, "trust.json has the schema %.80q, want %s", t.Schema, TrustSchema)
	case t.Origin == "":
		return tallystick.Errorf(tallystick.Invalid, "trust.json has no origin")
	case t.Keys == nil || len(t.Keys) > maxKeys:
		return tallystick.Errorf(tallystick.Invalid, "trust.json has %d keys, want a list of at most %d", len(t.Keys), maxKeys)
	}
	seen := map[string]bool{}
	for i, k := range t.Keys {
		if err := k.validate(t.Origin); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "trust.json: key %d (%.40q): %w", i, k.Name, err)
		}
		if seen[k.ID] {
			return tallystick.Errorf(tallystick.Invalid, "trust.json: key %s is listed twice", k.ID)
		}
		seen[k.ID] = true
	}
	return nil
}

func (k Key) validate(origin string) error {
	id, err := k.publicID()
	if err != nil {
		return err
	}
	switch {
	case k.ID != id:
		return tallystick.Errorf(tallystick.Invalid, "id is not that of its public key, %s", id)
	case k.Role == RoleLog && k.Name != origin:
		return tallystick.Errorf(tallystick.Invalid, "a log key must bear the origin %q as its name", origin)
	case k.Role == RoleStatement && len(k.PredicateTypes) == 0:
		return tallystick.Errorf(tallystick.Invalid, "a statement key must list its predicate types")
	case k.Role != RoleStatement && len(k.PredicateTypes) > 0:
		return tallystick.Errorf(tallystick.Invalid, "only a statement key has predicate types")
	case slices.Contains(k.PredicateTypes, ""):
		return tallystick.Errorf(tallystick.Invalid, "a predicate type is empty")
	case k.UntilIndex != nil && *k.UntilIndex < k.FromIndex:
		return tallystick.Errorf(tallystick.Invalid, "until_index %d is below from_index %d", *k.UntilIndex, k.FromIndex)
	case k.Status != StatusActive && k.Status != StatusRetired && k.Status != StatusCompromised:
		return tallystick.Errorf(tallystick.Invalid, "status %.40q is not active, retired or compromised", string(k.Status))
	case k.Status == StatusRetired && k.UntilIndex == nil:
		return tallystick.Errorf(tallystick.Invalid, "a retired key must have an until_index")
	case (k.Status == StatusCompromised) != (k.CompromisedFrom != nil):
		return tallystick.Errorf(tallystick.Invalid, "status compromised and compromised_from need each other")
	}
	return nil
}

// publicID returns the id of the public key.
func (k Key) publicID() (string, error) {
	pub, err := k.Public()
	if err != nil {
		return "", err
	}
	return KeyID(pub)
}

// Public returns the public key: an *ecdsa.PublicKey or an ed25519.PublicKey. It fails if the key,
// its role, name and algorithm do not fit each other or are not written in the one accepted way.
func (k Key) Public() (crypto.PublicKey, error) {
	switch k.Role {
	case RoleStatement:
		return k.ecdsaKey()
	case RoleLog, RoleWitness:
		return k.ed25519Key()
	}
	return nil, tallystick.Errorf(tallystick.Invalid, "role %.40q is not log, statement or witness", string(k.Role))
}

func (k Key) ecdsaKey() (*ecdsa.PublicKey, error) {
	der, err := decodeBase64(k.PublicKey)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "public_key: %w", err)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "public_key: %w", err)
	}
	pub, ok := parsed.(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() || k.Algorithm != AlgorithmECDSA {
		return nil, tallystick.Errorf(tallystick.Invalid, "a statement key must be %s", AlgorithmECDSA)
	}
	return pub, nil
}

// The signature types of C2SP signed-note and tlog-cosignature.
const (
	noteEd25519     = 0x01
	noteCosignature = 0x04
)

func (k Key) ed25519Key() (ed25519.PublicKey, error) {
	name, rest, _ := strings.Cut(k.PublicKey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != 1+ed25519.PublicKeySize {
		return nil, tallystick.Errorf(tallystick.Invalid, "public_key %.80q is not a C2SP verifier key", k.PublicKey)
	}
	kind, pub := key[0], ed25519.PublicKey(key[1:])
	want, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "public_key: %w", err)
	}
	algorithm := AlgorithmEd25519
	if kind == noteCosignature {
		algorithm = AlgorithmCosignature
		if want, err = cosignature.VKeyToCosignatureV1(want); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "public_key: %w", err)
		}
	}
	switch {
	case want != k.PublicKey:
		return nil, tallystick.Errorf(tallystick.Invalid, "public_key %.80q is not written as %q", k.PublicKey, want)
	case k.Name != name:
		return nil, tallystick.Errorf(tallystick.Invalid, "name is not that of its public key, %q", name)
	case k.Algorithm != algorithm:
		return nil, tallystick.Errorf(tallystick.Invalid, "algorithm is not that of its public key, %s", algorithm)
	case (k.Role == RoleLog) != (kind == noteEd25519):
		return nil, tallystick.Errorf(tallystick.Invalid, "a log key must be %s, a witness key %s", AlgorithmEd25519, AlgorithmCosignature)
	}
	return pub, nil
}

// noteVerifier returns what checks the signature lines of a log or witness key.
func (k Key) noteVerifier() (note.Verifier, error) {
	if k.Role == RoleWitness {
		return cosignature.NewVerifierForCosignatureV1(k.PublicKey)
	}
	return note.NewVerifier(k.PublicKey)
}

// find returns the key of that role with that id.
func (t Trust) find(role Role, id string) (Key, bool) {
	for _, k := range t.Keys {
		if k.Role == role && k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}

// covers reports whether index lies in the key's range.
func (k Key) covers(index uint64) bool {
	return index >= k.FromIndex && (k.UntilIndex == nil || index < *k.UntilIndex) &&
		(k.CompromisedFrom == nil || index < *k.CompromisedFrom)
}

// signs reports whether a statement key is trusted for a predicate type.
func (k Key) signs(predicateType string) bool {
	return slices.Contains(k.PredicateTypes, predicateType) || slices.Contains(k.PredicateTypes, AnyPredicate)
}
