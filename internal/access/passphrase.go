package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/tallystick/tallystick"
)

// NIST SP 800-63B-4 section 3.1.1.2: at least 15 characters where the passphrase is the only factor, at
// least 64 possible, every printable character, no rule of composition, and a list of what everyone
// tries first.
const (
	minPassphrase = 15  // characters
	maxPassphrase = 256 // characters
	minDifferent  = 6   // characters
)

// checkPassphrase returns an Invalid error, which does not repeat it, unless the passphrase will do for
// the user of that name.
func checkPassphrase(name, passphrase string) error {
	refuse := func(why string) error {
		return tallystick.Errorf(tallystick.Invalid, "the passphrase will not do: it %s", why).
			WithHint("take %d characters or more, such as four words that have nothing to do with each other", minPassphrase)
	}
	if len(passphrase) > utf8.UTFMax*maxPassphrase {
		return refuse("is too long")
	}
	p := norm.NFKC.String(passphrase)
	switch n := utf8.RuneCountInString(p); {
	case !utf8.ValidString(passphrase):
		return refuse("is not text in UTF-8")
	case n < minPassphrase:
		return refuse(fmt.Sprintf("has %d characters", n))
	case n > maxPassphrase:
		return refuse("is too long")
	}
	different := map[rune]bool{}
	for _, r := range p {
		if !unicode.IsPrint(r) {
			return refuse("has a character that cannot be printed")
		}
		different[r] = true
	}
	if len(different) < minDifferent {
		return refuse("repeats a few characters")
	}
	if lower := strings.ToLower(p); guessable(lower, strings.ToLower(name)) {
		return refuse("is made of what everyone tries first")
	}
	return nil
}

// guessable reports whether the passphrase is part of a row of keys, or has little beside words that a
// guess begins with.
func guessable(lower, name string) bool {
	for _, row := range []string{"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm"} {
		if strings.Contains(row, lower) {
			return true
		}
	}
	rest := lower
	for _, word := range []string{name, "tallystick", "passphrase", "password", "correct horse battery staple"} {
		if word != "" {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	return rest != lower && utf8.RuneCountInString(rest) < minPassphrase/2
}

// cost is what it takes to try a passphrase.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// currentCost is that of new hashes: 19 MiB and two passes, the least that OWASP's Password Storage Cheat Sheet
// names for argon2id. Tries are limited as well, so memory that hundreds of sign-ins would need at once
// is not spent. A hash says what it cost; a later Tallystick can ask for more.
func currentCost() cost { return cost{memory: 19 << 10, passes: 2, threads: 1} }

const (
	saltBytes = 16
	keyBytes  = 32
	maxMemory = 256 << 10 // KiB, of a hash that is read
	maxPasses = 16
)

// phc writes a hash in the PHC string format.
func (c cost) phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parsePHC reads what phc writes.
func parsePHC(text string) (c cost, salt, key []byte, err error) {
	var version int
	head, tail, found := strings.Cut(strings.TrimPrefix(text, "$argon2id$"), "$")
	params, encoded, foundToo := strings.Cut(tail, "$")
	saltText, keyText, _ := strings.Cut(encoded, "$")
	if found && foundToo {
		_, err = fmt.Sscanf(head+" "+params, "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.passes, &c.threads)
	}
	var errs [2]error
	salt, errs[0] = base64.RawStdEncoding.Strict().DecodeString(saltText)
	key, errs[1] = base64.RawStdEncoding.Strict().DecodeString(keyText)
	switch err = errors.Join(err, errs[0], errs[1]); {
	case err != nil:
	case c.memory < 8 || c.memory > maxMemory || c.passes < 1 || c.passes > maxPasses || c.threads < 1 || len(salt) < saltBytes || len(key) != keyBytes:
		err = errors.New("its parameters are out of bounds")
	case version != argon2.Version || c.phc(salt, key) != text:
		err = errors.New("it is not argon2id in the PHC format")
	}
	if err != nil {
		return cost{}, nil, nil, fmt.Errorf("stored passphrase: %w", err)
	}
	return c, salt, key, nil
}

// hasher computes hashes of passphrases, a few at a time: each takes memory and a core.
type hasher struct {
	cost  cost
	slots chan struct{}
}

const (
	hashesAtOnce = 2
	hashWait     = 5 * time.Second // for a slot
)

func newHasher() *hasher {
	return &hasher{cost: currentCost(), slots: make(chan struct{}, hashesAtOnce)}
}

// key stretches a passphrase. It is Unavailable if too many others wait.
func (h *hasher) key(ctx context.Context, c cost, salt []byte, passphrase string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, tallystick.Errorf(tallystick.Unavailable, "too many people sign in at this moment: %w", ctx.Err()).
			WithHint("try again in a few seconds")
	}
	return argon2.IDKey([]byte(norm.NFKC.String(passphrase)), salt, c.passes, c.memory, c.threads, keyBytes), nil
}

// hash returns what is kept of a new passphrase.
func (h *hasher) hash(ctx context.Context, passphrase string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	key, err := h.key(ctx, h.cost, salt, passphrase)
	if err != nil {
		return "", err
	}
	return h.cost.phc(salt, key), nil
}

// matches reports whether stored was made of the passphrase. An empty stored matches none, and takes
// as long.
func (h *hasher) matches(ctx context.Context, stored, passphrase string) (bool, error) {
	c, salt, want := h.cost, make([]byte, saltBytes), make([]byte, keyBytes)
	if stored != "" {
		var err error
		if c, salt, want, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	if len(passphrase) > utf8.UTFMax*maxPassphrase {
		passphrase = "" // the shortest way to no
	}
	got, err := h.key(ctx, c, salt, passphrase)
	return err == nil && stored != "" && subtle.ConstantTimeCompare(got, want) == 1, err
}
