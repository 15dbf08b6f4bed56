package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	whsec       = "whsec_"
	secretBytes = 32 // Standard Webhooks 1.0: 24 to 64
	maxSigning  = 2  // secrets that sign at once
)

// Secret signs webhooks by the specification Standard Webhooks 1.0. Nothing but Reveal gives it away,
// not even printing it.
type Secret struct{ key []byte }

// NewSecret returns a random secret.
func NewSecret() Secret {
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails
	return Secret{key}
}

// ParseSecret reads what Reveal returns. The error does not repeat it.
func ParseSecret(text string) (Secret, error) {
	body, ok := strings.CutPrefix(text, whsec)
	key, err := base64.StdEncoding.Strict().DecodeString(body)
	if !ok || err != nil || len(key) != secretBytes {
		return Secret{}, tallystick.Errorf(tallystick.Invalid, "that is no secret of a webhook").WithHint("it begins with %s", whsec)
	}
	return Secret{key}, nil
}

// Reveal returns the text to hand over: whsec_ and the base64 of the key.
func (s Secret) Reveal() string { return whsec + base64.StdEncoding.EncodeToString(s.key) }

// Digest returns what the trail knows of the secret.
func (s Secret) Digest() tallystick.Digest { return tallystick.DigestOf(s.key) }

// String keeps a secret that is printed one.
func (Secret) String() string { return whsec + "..." }

// GoString does the same for the verb %#v.
func (Secret) GoString() string { return whsec + "..." }

// sign returns one signature: HMAC-SHA256 of id, timestamp and body, joined by dots.
func (s Secret) sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signatures returns the header webhook-signature: one of each secret, so that a receiver that knows
// any of them is content.
func signatures(secrets []Secret, id string, at time.Time, body []byte) string {
	var all []string
	for _, s := range secrets {
		all = append(all, s.sign(id, at, body))
	}
	return strings.Join(all, " ")
}
