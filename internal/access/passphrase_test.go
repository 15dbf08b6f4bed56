package access

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/tallystick/tallystick"
)

const goodPassphrase = "otter lamp Tuesday gravel"

func TestCheckPassphrase(t *testing.T) {
	t.Parallel()
	for passphrase, good := range map[string]bool{
		goodPassphrase:                         true,
		"fifteen letters":                      true,
		"żółta łódź na Wiśle":                  true,
		"密码密码和十五个字就可以了吧对":                      true,
		strings.Repeat("otter lamp ", 23):      true, // 253 characters
		"":                                     false,
		"fourteen lette":                       false,
		"aaaaaaaaaaaaaaaaaaaa":                 false,
		"ababababababababababab":               false,
		"abcdefghijklmnopq":                    false,
		"012345678901234567":                   false,
		"ada@example.org123":                   false,
		"Tallystick-Password1":                 false,
		"correct horse battery staple":         false,
		"otter lamp\x00 Tuesday gravel":        false,
		"otter lamp\n Tuesday gravel":          false,
		"otter lamp \xff Tuesday gravel":       false,
		strings.Repeat("otter lamp ", 24):      false, // 264 characters
		strings.Repeat("otter lamp ", 100_000): false,
	} {
		err := checkPassphrase("ada@example.org", passphrase)
		if (err == nil) != good {
			t.Errorf("%.40q: %v", passphrase, err)
		}
		if err != nil && (tallystick.CodeOf(err) != tallystick.Invalid || passphrase != "" && strings.Contains(err.Error(), passphrase)) {
			t.Errorf("%.40q: %v", passphrase, err)
		}
	}
}

// TestArgon2 computes what the reference implementation prints for
// `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1` (github.com/P-H-C/phc-winner-argon2, test.c).
func TestArgon2(t *testing.T) {
	t.Parallel()
	got := hex.EncodeToString(argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 1<<16, 1, 32))
	if want := "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	h := newHasher()
	stored, err := h.hash(t.Context(), goodPassphrase)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored %s", stored)
	}
	if again, err := h.hash(t.Context(), goodPassphrase); err != nil || again == stored {
		t.Errorf("the same salt twice, %v", err)
	}
	for passphrase, want := range map[string]bool{
		goodPassphrase:            true,
		goodPassphrase + " ":      false,
		"Otter lamp Tuesday":      false,
		"":                        false,
		strings.Repeat("a", 5000): false,
	} {
		if got, err := h.matches(t.Context(), stored, passphrase); got != want || err != nil {
			t.Errorf("%.40q: %v, %v", passphrase, got, err)
		}
	}
	if got, err := h.matches(t.Context(), "", ""); got || err != nil {
		t.Errorf("no stored passphrase: %v, %v", got, err)
	}
	if stored, err = h.hash(t.Context(), "cafe\u0301 au lait, s'il vous plaît"); err != nil { // e and an accent
		t.Fatal(err)
	}
	if got, err := h.matches(t.Context(), stored, "café au lait, s'il vous plaît"); !got || err != nil {
		t.Errorf("the same in another form of Unicode: %v, %v", got, err)
	}
}

// TestHashesAtOnce has one more ask than there are slots, and nobody leaves.
func TestHashesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		for range hashesAtOnce {
			h.slots <- struct{}{}
		}
		began := time.Now()
		_, err := h.hash(t.Context(), goodPassphrase)
		wantCode(t, "no slot", err, tallystick.Unavailable)
		if waited := time.Since(began); waited != hashWait {
			t.Errorf("it waited %s", waited)
		}
		<-h.slots
		if _, err := h.matches(t.Context(), "", goodPassphrase); err != nil {
			t.Error(err)
		}
	})
}

func TestPHCBounds(t *testing.T) {
	t.Parallel()
	salt, key := make([]byte, saltBytes), make([]byte, keyBytes)
	good := currentCost().phc(salt, key)
	if c, _, _, err := parsePHC(good); err != nil || c != currentCost() {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, wrong := range []string{
		"", "$argon2id$", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=4294967295", 1), strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "t=2", "t=4000000", 1),
		strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "p=1", "p=01", 1), good + "$", good + "A", good[:len(good)-1],
		currentCost().phc(salt[:8], key), currentCost().phc(salt, key[:16]),
	} {
		if _, _, _, err := parsePHC(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(currentCost().phc(make([]byte, saltBytes), make([]byte, keyBytes)))
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$" + base64.RawStdEncoding.EncodeToString(make([]byte, 24)) + "$" + base64.RawStdEncoding.EncodeToString(make([]byte, 32)))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		c, salt, key, err := parsePHC(text)
		if err == nil && (c.phc(salt, key) != text || c.memory > maxMemory || c.passes > maxPasses) {
			t.Errorf("%q was read as %q", text, c.phc(salt, key))
		}
	})
}
