package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// SecretKind says what a secret lets its holder do.
type SecretKind string

// The kinds of secrets, each with the prefix of its text, by which scanners of source code find a
// leaked one.
const (
	TokenSecret     SecretKind = "tly" // acts for a user until it ends
	SessionSecret   SecretKind = "tls" // is a person who has signed in
	EnrolmentSecret SecretKind = "tle" // sets a passphrase, once
	BootstrapSecret SecretKind = "tlb" // makes the first admin, once
)

// idPrefix returns the prefix of the ids of rows that keep such secrets.
func (k SecretKind) idPrefix() string {
	switch k {
	case TokenSecret:
		return tokenPrefix
	case SessionSecret:
		return sessionPrefix
	}
	return enrolmentPrefix
}

const (
	userPrefix      = "usr_"
	tokenPrefix     = "tok_"
	sessionPrefix   = "ses_"
	enrolmentPrefix = "enr_"

	secretBytes = 32
	idBytes     = 10
	idChars     = 8 * idBytes / 5
	bodyChars   = (8*(secretBytes+4) + 4) / 5     // of the secret and its checksum
	textChars   = 3 + 1 + idChars + 1 + bodyChars // kind, id, secret and checksum
)

// alphabet keeps the order of what it encodes.
var alphabet = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// newID returns prefix and 16 characters: the time in milliseconds, by which ids sort, and 32 random
// bits. It names and protects nothing.
func newID(prefix string, at time.Time) string {
	var b [idBytes]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	rand.Read(b[6:]) // never fails
	return prefix + alphabet.EncodeToString(b[:])
}

// Secret is what somebody presents to be let in: 256 random bits, and the public id of the row that
// keeps their digest. Nothing but Reveal gives it away, not even printing it.
type Secret struct {
	kind  SecretKind
	id    string // without prefix
	value [secretBytes]byte
}

// NewSecret returns a secret of which the id tells the time at.
func NewSecret(kind SecretKind, at time.Time) Secret {
	s := Secret{kind: kind, id: newID("", at)}
	rand.Read(s.value[:]) // never fails
	return s
}

// ID returns the id of the row that keeps the secret's digest: tok_..., ses_... or enr_...
func (s Secret) ID() string { return s.kind.idPrefix() + s.id }

// Kind returns what the secret is for.
func (s Secret) Kind() SecretKind { return s.kind }

// Digest returns what is kept of the secret.
func (s Secret) Digest() tallystick.Digest { return tallystick.DigestOf(s.value[:]) }

// Reveal returns the text to hand over and to keep nowhere: KIND_ID_SECRET, where SECRET ends in a
// CRC-32 of all before it, so that a typing mistake is told from a secret that is not known.
func (s Secret) Reveal() string {
	head := string(s.kind) + "_" + s.id + "_"
	return head + alphabet.EncodeToString(binary.BigEndian.AppendUint32(s.value[:], s.checksum(head)))
}

func (s Secret) checksum(head string) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(head)), crc32.IEEETable, s.value[:])
}

// String returns the id alone, so that a secret that is printed stays one.
func (s Secret) String() string { return s.ID() }

// GoString does the same for the verb %#v.
func (s Secret) GoString() string { return s.ID() }

// ParseSecret returns the secret of a text, or an Unauthorized error that says what is wrong with it
// without repeating it.
func ParseSecret(text string) (Secret, error) {
	if len(text) != textChars || text[3] != '_' || text[4+idChars] != '_' {
		return Secret{}, tallystick.Errorf(tallystick.Unauthorized, "what was presented is no token of Tallystick").
			WithHint("a token is %d characters long and begins with %s_", textChars, TokenSecret)
	}
	s := Secret{kind: SecretKind(text[:3]), id: text[4 : 4+idChars]}
	switch s.kind {
	case TokenSecret, SessionSecret, EnrolmentSecret, BootstrapSecret:
	default:
		return Secret{}, tallystick.Errorf(tallystick.Unauthorized, "what was presented is no token of Tallystick").
			WithHint("a token begins with %s_", TokenSecret)
	}
	body, err := alphabet.DecodeString(text[5+idChars:])
	if err == nil && isID(s.kind.idPrefix(), s.ID()) {
		copy(s.value[:], body)
		if s.Reveal() == text { // the checksum, and one text for each secret
			return s, nil
		}
	}
	return Secret{}, tallystick.Errorf(tallystick.Unauthorized, "the token %q was mistyped or cut: its checksum is wrong", s.ID()).
		WithHint("copy it again, whole")
}

// IDOf returns the id of a token, given that or the token itself, as whoever finds a leaked one has it.
// It is to be called before a token leaves the machine on which it was found.
func IDOf(tokenOrID string) (string, error) {
	if isID(tokenPrefix, tokenOrID) {
		return tokenOrID, nil
	}
	s, err := ParseSecret(tokenOrID)
	if err == nil && s.kind != TokenSecret {
		err = tallystick.Errorf(tallystick.Invalid, "%s is not a token", s.ID())
	}
	if err != nil {
		return "", err
	}
	return s.ID(), nil
}

// is reports, in a time that does not depend on where they differ, whether digest is of this secret.
func (s Secret) is(digest string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Digest()), []byte(digest)) == 1
}

// CSRF returns the token that a page of this session puts into its forms. It follows from the session's
// secret and does not give it away.
func (s Secret) CSRF() string {
	mac := hmac.New(sha256.New, s.value[:])
	mac.Write([]byte("tallystick csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CheckCSRF returns a Forbidden error unless token is the one of this session.
func (s Secret) CheckCSRF(token string) error {
	if s.kind == SessionSecret && subtle.ConstantTimeCompare([]byte(s.CSRF()), []byte(token)) == 1 {
		return nil
	}
	return tallystick.Errorf(tallystick.Forbidden, "the form does not belong to this session").
		WithHint("load the page again and repeat what you did")
}

// isID reports whether text has the form of an id with that prefix.
func isID(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != idChars {
		return false
	}
	b, err := alphabet.DecodeString(rest) // which skips line ends
	return err == nil && len(b) == idBytes
}
