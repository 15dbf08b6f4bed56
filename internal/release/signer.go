package release

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/modelsign"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Signer is a key from outside whose signed evidence counts, for some types of predicates. The
// installation's own keys count without being one.
type Signer struct {
	Key        string    `json:"key" doc:"id of the key: hexadecimal SHA-256 of its DER"`
	Name       string    `json:"name" doc:"whose it is"`
	PublicKey  string    `json:"public_key" doc:"the key: DER in base64"`
	Predicates []string  `json:"predicate_types" doc:"types of predicates that it may sign; * is all"`
	Added      time.Time `json:"added" doc:"since when it counts"`
	Revoked    time.Time `json:"revoked,omitzero" doc:"since when it counts no more"`
	Event      uint64    `json:"event" doc:"sequence of its event"`
}

// NewSigner asks that a key count.
type NewSigner struct {
	Name       string   `json:"name" doc:"whose it is"`
	PublicKey  string   `json:"public_key" doc:"ECDSA key in PEM, or its DER in base64: P-256, for signatures over models P-384 and P-521 too"`
	Predicates []string `json:"predicate_types,omitempty" doc:"types of predicates that it may sign; all if absent"`
}

const maxPredicates = 50

// AddSigner returns the change by which the evidence that a key signs begins to count, nil if it does.
func (o *Office) AddSigner(tx *state.Tx, s NewSigner) (trail.Change, error) {
	if err := tallystick.ValidateName("signer", s.Name); err != nil {
		return nil, err
	}
	key, err := statementKey(s.PublicKey)
	if err != nil {
		return nil, err
	}
	if len(s.Predicates) == 0 {
		s.Predicates = []string{verify.AnyPredicate}
	}
	if len(s.Predicates) > maxPredicates {
		return nil, tallystick.Errorf(tallystick.Invalid, "a signer of %d types of predicates, more than %d", len(s.Predicates), maxPredicates)
	}
	for _, p := range s.Predicates {
		if err := tallystick.ValidateText("predicate type", p, 512); err != nil || p == "" {
			return nil, errors.Join(tallystick.Errorf(tallystick.Invalid, "predicate type %.80q is not usable", p), err)
		}
	}
	switch is, err := signer(tx, key.ID); {
	case err == nil && is.Revoked.IsZero() && is.Name == s.Name && slices.Equal(is.Predicates, s.Predicates):
		return nil, nil
	case err == nil && !is.Revoked.IsZero():
		return nil, tallystick.Errorf(tallystick.Conflict, "key %.12s was revoked on %s and counts no more", key.ID, is.Revoked.Format(time.DateOnly)).
			WithHint("sign with a new key")
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	return &SignerAdded{Key: key.ID, Name: s.Name, PublicKey: key.PublicKey, Predicates: s.Predicates}, nil
}

// statementKey reads a public key in PEM, or its DER in base64.
func statementKey(text string) (verify.Key, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	var pub any
	if err == nil {
		pub, err = x509.ParsePKIXPublicKey(der)
	}
	key := verify.Key{Role: verify.RoleStatement, Algorithm: verify.AlgorithmECDSA, PublicKey: base64.StdEncoding.EncodeToString(der)}
	if public, ok := pub.(*ecdsa.PublicKey); err == nil && !ok {
		err = fmt.Errorf("it is a %T", pub)
	} else if err == nil {
		_, err = modelsign.KeyHint(public)
	}
	if err == nil {
		key.ID, err = verify.KeyID(pub)
	}
	if err != nil {
		return verify.Key{}, tallystick.Errorf(tallystick.Invalid, "the public key is no ECDSA key: %w", err).
			WithHint("`tallystick trust` prints that of a workspace")
	}
	return key, nil
}

// SignerAdded is the change by which a key begins to count.
type SignerAdded struct {
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	PublicKey  string   `json:"public_key"`
	Predicates []string `json:"predicate_types"`
}

// Subject implements trail.Change.
func (s *SignerAdded) Subject() (trail.Type, trail.Resource) {
	return trail.SignerAdded, trail.Resource{Type: "signer", ID: s.Key}
}

// Apply implements trail.Change.
func (s *SignerAdded) Apply(tx *state.Tx, at trail.Mark) error {
	predicates, err := json.Marshal(s.Predicates)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO signers (key_id, name, public_key, predicates, added_ms, event) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (key_id) DO UPDATE SET name = excluded.name, predicates = excluded.predicates, event = excluded.event`,
		s.Key, s.Name, s.PublicKey, string(predicates), at.Time.UnixMilli(), at.Sequence)
	return err
}

// RevokeSigner returns the change by which a key ceases to count, nil if it does not.
func (o *Office) RevokeSigner(tx *state.Tx, key, reason string) (trail.Change, error) {
	if err := checkWords("reason", reason); err != nil {
		return nil, err
	}
	s, err := signer(tx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, tallystick.Errorf(tallystick.NotFound, "there is no signer with the key %.70q", key).WithHint("`tallystick signer list` lists them")
	}
	if err != nil || !s.Revoked.IsZero() {
		return nil, err
	}
	return &SignerRevoked{Key: key, Reason: reason}, nil
}

// SignerRevoked is the change by which a key ceases to count.
type SignerRevoked struct {
	Key    string `json:"key"`
	Reason string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (s *SignerRevoked) Subject() (trail.Type, trail.Resource) {
	return trail.SignerRevoked, trail.Resource{Type: "signer", ID: s.Key}
}

// Apply implements trail.Change.
func (s *SignerRevoked) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE signers SET revoked_ms = ?, event = ? WHERE key_id = ? AND revoked_ms IS NULL", at.Time.UnixMilli(), at.Sequence, s.Key)
}

const signerColumns = "key_id, name, public_key, predicates, added_ms, revoked_ms, event"

func scanSigner(row state.Scanner) (s Signer, err error) {
	var added int64
	var revoked sql.NullInt64
	var predicates string
	if err = row.Scan(&s.Key, &s.Name, &s.PublicKey, &predicates, &added, &revoked, &s.Event); err != nil {
		return s, err
	}
	s.Added = moment(added)
	if revoked.Valid {
		s.Revoked = moment(revoked.Int64)
	}
	return s, json.Unmarshal([]byte(predicates), &s.Predicates)
}

func signer(tx *state.Tx, key string) (Signer, error) {
	return scanSigner(tx.QueryRow("SELECT "+signerColumns+" FROM signers WHERE key_id = ?", key))
}

// keys returns the keys that evidence can be verified with.
func (o *Office) keys(tx *state.Tx) (keyring, error) {
	all, err := state.Collect(tx, scanSigner, "SELECT "+signerColumns+" FROM signers ORDER BY key_id "+state.Limit, maxPage)
	if err != nil {
		return keyring{}, fmt.Errorf("read signers: %w", err)
	}
	k := keyring{outside: make(map[string]Signer, len(all)), own: o.config.Key}
	for _, s := range all {
		k.outside[s.Key] = s
	}
	return k, nil
}

// Signers returns the keys from outside, revoked ones too, the newest first: at most 1,000.
func (o *Office) Signers(ctx context.Context) ([]Signer, error) {
	return listed(ctx, o, scanSigner, "SELECT "+signerColumns+" FROM signers", nil, Filter{Limit: maxPage})
}

// may reports whether the key may sign a type of predicate.
func (s Signer) may(predicate string) bool {
	return slices.Contains(s.Predicates, verify.AnyPredicate) || slices.Contains(s.Predicates, predicate)
}

func (s Signer) key() (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(s.PublicKey)
	if err != nil {
		return nil, err
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key %.12s is a %T", s.Key, pub)
	}
	return key, nil
}

// hint is what a model's signature calls the key, see [modelsign.KeyHint].
func (s Signer) hint() string {
	der, err := base64.StdEncoding.DecodeString(s.PublicKey)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return hex.EncodeToString(sum[:])
}
