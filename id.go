package tallystick

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// NewID returns a UUID of version 7 (RFC 9562 section 5.7): it sorts by the time at, in
// milliseconds, and its other 74 bits are random.
func NewID(at time.Time) string {
	var u [16]byte
	rand.Read(u[6:]) // never fails: crypto/rand crashes the program instead
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// ValidateName returns an Invalid error unless name can name a model or a version: 1 to 128
// letters, digits, dots, dashes and underscores, beginning with a letter or digit. what is the
// noun for the message.
func ValidateName(what, name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return Errorf(Invalid, "%s name %q is not usable", what, name).
		WithHint("use 1 to 128 letters, digits, '.', '-' or '_', beginning with a letter or digit")
}

// ValidateText returns an Invalid error unless text is UTF-8 of at most limit bytes without NUL. what is
// the noun for the message.
func ValidateText(what, text string, limit int) error {
	if len(text) > limit {
		return Errorf(Invalid, "the %s is %d bytes long, the limit is %d", what, len(text), limit)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Errorf(Invalid, "the %s is not text in UTF-8", what)
	}
	return nil
}
