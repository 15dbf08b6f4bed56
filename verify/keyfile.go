package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// TrustFromKeys returns a trust of bare keys, for a verifier who has key files and no trust.json.
// Each file holds one of
//   - a PEM PUBLIC KEY of ECDSA P-256: trusted for statements of every predicate type,
//   - a C2SP verifier key on one line: a log key (its name is the origin) or a witness key.
//
// Every key counts for all indexes. All log keys must have one name.
func TrustFromKeys(files ...[]byte) (Trust, error) {
	t := Trust{Schema: TrustSchema, Keys: []Key{}}
	for i, file := range files {
		k, err := keyFromFile(file)
		if err != nil {
			return Trust{}, tallystick.Errorf(tallystick.Invalid, "key file %d: %w", i+1, err)
		}
		if k.Role == RoleLog {
			if t.Origin != "" && t.Origin != k.Name {
				return Trust{}, tallystick.Errorf(tallystick.Invalid, "key file %d: log keys of two ledgers, %q and %q", i+1, t.Origin, k.Name)
			}
			t.Origin = k.Name
		}
		t.Keys = append(t.Keys, k)
	}
	if t.Origin == "" {
		return Trust{}, tallystick.Errorf(tallystick.Invalid, "none of %d key files holds a log key", len(files)).
			WithHint("give the ledger's C2SP verifier key (NAME+HASH+KEY) as well")
	}
	return t, t.Validate()
}

// WithWitnesses returns t with the witnesses whose C2SP verifier keys the files hold: whom a verifier
// believes as a witness is the verifier's own choice, and no matter of the ledger's operator. A key
// that t has is no error.
func (t Trust) WithWitnesses(files ...[]byte) (Trust, error) {
	t.Keys = slices.Clone(t.Keys)
	for i, file := range files {
		k, err := keyFromFile(file)
		if err != nil {
			return Trust{}, tallystick.Errorf(tallystick.Invalid, "key file %d: %w", i+1, err)
		}
		if k.Role != RoleWitness {
			return Trust{}, tallystick.Errorf(tallystick.Invalid, "key file %d holds the key of a %s, not of a witness", i+1, k.Role)
		}
		if _, known := t.find(RoleWitness, k.ID); !known {
			t.Keys = append(t.Keys, k)
		}
	}
	return t, t.Validate()
}

func keyFromFile(file []byte) (Key, error) {
	k := Key{Status: StatusActive}
	if block, rest := pem.Decode(file); block != nil {
		if block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
			return k, tallystick.Errorf(tallystick.Invalid, "PEM %q is not a single PUBLIC KEY", block.Type)
		}
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return k, tallystick.Errorf(tallystick.Invalid, "PEM PUBLIC KEY: %w", err)
		}
		k.ID, err = KeyID(pub)
		if err != nil {
			return k, err
		}
		k.Name, k.Role, k.Algorithm = k.ID[:12], RoleStatement, AlgorithmECDSA
		k.PublicKey, k.PredicateTypes = base64.StdEncoding.EncodeToString(block.Bytes), []string{AnyPredicate}
		return k, nil
	}
	k.PublicKey = strings.TrimSpace(string(file))
	k.Name, _, _ = strings.Cut(k.PublicKey, "+")
	k.Role, k.Algorithm = RoleLog, AlgorithmEd25519
	id, err := k.publicID()
	if err != nil {
		k.Role, k.Algorithm = RoleWitness, AlgorithmCosignature
		var witnessErr error
		if id, witnessErr = k.publicID(); witnessErr != nil {
			return k, tallystick.Errorf(tallystick.Invalid, "neither a PEM PUBLIC KEY nor a C2SP verifier key: %w", err)
		}
	}
	k.ID = id
	return k, nil
}
