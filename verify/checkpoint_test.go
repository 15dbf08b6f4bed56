package verify

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

func TestOpenCheckpoint(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 3 {
		f.append()
	}
	for _, size := range []uint64{0, 1, 3} {
		data := f.checkpoint(size, f.log, f.witness)
		c, err := OpenCheckpoint(data, f.trust)
		if err != nil {
			t.Fatal(err)
		}
		if c.Origin != testOrigin || c.Size != size || !bytes.Equal(c.Root[:], f.tree.HashAt(size)) || len(c.LogKeys) != 1 || len(c.Witnesses) != 1 {
			t.Errorf("size %d: %+v", size, c)
		}
		if c.Witnesses[0].Time.IsZero() {
			t.Error("no time of the cosignature")
		}
		// The same bytes, read by the packages of x/mod and transparency-dev.
		v, err := note.NewVerifier(f.logVKey)
		f.check(err)
		if theirs, _, _, err := log.ParseCheckpoint(data, testOrigin, v); err != nil || theirs.Size != size {
			t.Errorf("size %d: log.ParseCheckpoint = %+v, %v", size, theirs, err)
		}
		if _, err := OpenCheckpoint(data, stranger(t)); !errors.Is(err, ErrUnknownSigner) {
			t.Errorf("for a stranger: %v, want ErrUnknownSigner", err)
		}
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	good := string(f.checkpoint(1, f.log, f.witness))
	text, signatures, _ := strings.Cut(good, "\n\n")
	logLine, witnessLine, _ := strings.Cut(signatures, "\n")
	otherName := func(t *testing.T) string {
		skey, _, err := note.GenerateKey(rand.Reader, "example.org/other")
		f.check(err)
		signer, err := note.NewSigner(skey)
		f.check(err)
		return string(f.checkpoint(1, signer))
	}(t)
	for name, data := range map[string]string{
		"empty":                 "",
		"no signature":          text + "\n",
		"no signature lines":    text + "\n\n",
		"size changed":          strings.Replace(good, "\n1\n", "\n2\n", 1),
		"size with zero":        strings.Replace(good, "\n1\n", "\n01\n", 1),
		"size with sign":        strings.Replace(good, "\n1\n", "\n+1\n", 1),
		"origin changed":        strings.Replace(good, "example.org", "example.com", 1),
		"fourth line":           strings.Replace(good, "\n\n", "\nextension\n\n", 1),
		"carriage return":       strings.ReplaceAll(good, "\n", "\r\n"),
		"signature twice":       text + "\n\n" + logLine + "\n" + logLine + "\n",
		"signature malformed":   text + "\n\n" + logLine + "\nxyz\n",
		"hyphen for dash":       strings.Replace(good, "— ", "- ", 1),
		"witness alone":         text + "\n\n" + witnessLine,
		"last line not ended":   strings.TrimSuffix(good, "\n"),
		"witness damaged":       good[:len(good)-10] + "AAAAAAA" + good[len(good)-3:],
		"log of another name":   otherName,
		"too long":              good + strings.Repeat("— a AAAAAAAA\n", maxCheckpoint/10),
		"root of other length":  strings.Replace(good, text[strings.LastIndexByte(text, '\n')+1:], "AAAA", 1),
		"root with spare bits":  strings.Replace(good, "=\n\n", "B\n\n", 1),
		"invalid UTF-8 in name": strings.Replace(good, "— example", "— \xffxample", 1),
	} {
		if data == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if c, err := OpenCheckpoint([]byte(data), f.trust); err == nil || tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: OpenCheckpoint = %+v, %v; want Invalid", name, c, err)
		}
	}
}

// TestOpenCheckpointEveryBit: the signatures and the strict reading leave no bit free.
func TestOpenCheckpointEveryBit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	data := f.checkpoint(1, f.log, f.witness)
	for bit := range len(data) * 8 {
		data[bit/8] ^= 1 << (bit % 8)
		// A damaged name or key hash of the witness makes it an unknown witness, which is no
		// error; then the checkpoint must not count as witnessed.
		if c, err := OpenCheckpoint(data, f.trust); err == nil && len(c.Witnesses) > 0 {
			t.Errorf("bit %d of byte %d flipped: accepted", bit%8, bit/8)
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
}

func FuzzCheckpoint(f *testing.F) {
	fix := newFixture(f)
	fix.append()
	good := fix.checkpoint(1, fix.log, fix.witness)
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCheckpoint(data)
		if err != nil {
			return
		}
		text := log.Checkpoint{Origin: c.Origin, Size: c.Size, Hash: c.Root[:]}.Marshal()
		if !bytes.HasPrefix(data, append(text, '\n')) {
			t.Fatalf("parsed %+v from %q", c, data)
		}
		if c, err := OpenCheckpoint(data, fix.trust); err == nil && (c.Size != 1 || !bytes.HasPrefix(data, good[:20])) {
			t.Fatal("opened a checkpoint that nobody signed")
		}
	})
}
