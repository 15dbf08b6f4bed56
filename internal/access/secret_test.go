package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func TestSecretText(t *testing.T) {
	t.Parallel()
	for kind, pattern := range map[SecretKind]string{
		TokenSecret:     `^tly_[0-9a-v]{16}_[0-9a-v]{58}$`,
		SessionSecret:   `^tls_[0-9a-v]{16}_[0-9a-v]{58}$`,
		EnrolmentSecret: `^tle_[0-9a-v]{16}_[0-9a-v]{58}$`,
		BootstrapSecret: `^tlb_[0-9a-v]{16}_[0-9a-v]{58}$`,
	} {
		s := NewSecret(kind, noon)
		text := s.Reveal()
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%q does not match %s", text, pattern)
		}
		back, err := ParseSecret(text)
		if err != nil || back != s {
			t.Errorf("%s: %v", kind, err)
		}
		if other := NewSecret(kind, noon); other.Digest() == s.Digest() || other.ID() == s.ID() {
			t.Errorf("%s: two secrets are alike", kind)
		}
	}
}

// TestSecretMistyped changes each character of a token to every other of the alphabet: none passes, and
// none is called unknown.
func TestSecretMistyped(t *testing.T) {
	t.Parallel()
	text := NewSecret(TokenSecret, noon).Reveal()
	for i := range len(text) {
		for _, c := range "0123456789abcdefghijklmnopqrstuvwxyzABC_-" {
			if text[i] == byte(c) {
				continue
			}
			wrong := text[:i] + string(c) + text[i+1:]
			if _, err := ParseSecret(wrong); tallystick.CodeOf(err) != tallystick.Unauthorized || strings.Contains(err.Error(), wrong[22:]) {
				t.Fatalf("character %d turned to %c: %v", i, c, err)
			}
		}
	}
	for i := range len(text) - 1 { // neighbours swapped
		wrong := text[:i] + text[i+1:i+2] + text[i:i+1] + text[i+2:]
		if _, err := ParseSecret(wrong); err == nil && wrong != text {
			t.Fatalf("characters %d and %d swapped: no error", i, i+1)
		}
	}
	for _, wrong := range []string{"", "tly_", text[:len(text)-1], text + "0", " " + text, strings.ToUpper(text), strings.Repeat("a", 1<<20)} {
		if _, err := ParseSecret(wrong); tallystick.CodeOf(err) != tallystick.Unauthorized || len(err.Error()) > 200 {
			t.Errorf("%.100q: %.300v", wrong, err)
		}
	}
}

// TestSecretStaysSecret prints a secret in the ways in which one slips into a log.
func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()
	s := NewSecret(TokenSecret, noon)
	body := s.Reveal()[22:]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", slog.Any("secret", s), slog.Any("in", struct{ S Secret }{s}))
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", slog.Any("secret", s), slog.Any("in", struct{ S Secret }{s}))
	raw, err := json.Marshal(s) //nolint:staticcheck // SA9005: that nothing of it is exported is what is tested
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{log.String(), string(raw), fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s), fmt.Sprintf("%v %+v %#v", []Secret{s}, &s, struct{ S Secret }{s})} {
		if strings.Contains(text, body[:20]) || strings.Contains(text, fmt.Sprintf("%x", s.value[:8])) || strings.Contains(text, fmt.Sprint(s.value[:4])[1:]) {
			t.Errorf("the secret shows in %s", text)
		}
	}
}

func TestIDOf(t *testing.T) {
	t.Parallel()
	token := NewSecret(TokenSecret, noon)
	for given, want := range map[string]tallystick.Code{
		token.ID(): "", token.Reveal(): "", token.Reveal()[:78]: tallystick.Unauthorized, "": tallystick.Unauthorized,
		NewSecret(SessionSecret, noon).Reveal(): tallystick.Invalid, NewSecret(SessionSecret, noon).ID(): tallystick.Unauthorized,
	} {
		id, err := IDOf(given)
		if tallystick.CodeOf(err) != want || err == nil && id != token.ID() {
			t.Errorf("%.24q: %s, %v", given, id, err)
		}
	}
}

func TestIDsSort(t *testing.T) {
	t.Parallel()
	last := ""
	for i := range 2000 {
		id := newID(userPrefix, noon.Add(time.Duration(i*i)*time.Millisecond+time.Duration(i)*time.Millisecond))
		if id <= last || !isID(userPrefix, id) || isID(tokenPrefix, id) {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}

func TestCSRF(t *testing.T) {
	t.Parallel()
	s, other := NewSecret(SessionSecret, noon), NewSecret(SessionSecret, noon)
	if err := s.CheckCSRF(s.CSRF()); err != nil {
		t.Error(err)
	}
	token := NewSecret(TokenSecret, noon)
	for _, err := range []error{s.CheckCSRF(other.CSRF()), s.CheckCSRF(""), s.CheckCSRF(s.Reveal()), token.CheckCSRF(token.CSRF())} {
		if tallystick.CodeOf(err) != tallystick.Forbidden {
			t.Errorf("%v", err)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, kind := range []SecretKind{TokenSecret, SessionSecret, EnrolmentSecret, BootstrapSecret} {
		f.Add(NewSecret(kind, noon).Reveal())
	}
	f.Add("tly_0000000000000000_0000000000000000000000000000000000000000000000000000000000")
	f.Add("tly__")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSecret(text)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Unauthorized {
				t.Errorf("%v", err)
			}
			return
		}
		if s.Reveal() != text || !isID(s.Kind().idPrefix(), s.ID()) {
			t.Errorf("%q was read as %q of %s", text, s.Reveal(), s.ID())
		}
	})
}
