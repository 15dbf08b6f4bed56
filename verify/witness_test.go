package verify

import (
	"crypto/rand"
	"strings"
	"testing"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// newWitness returns a cosigner and its verifier key.
func newWitness(t *testing.T, name string) (*cosignature.Signer, string) {
	t.Helper()
	skey, plain, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosignature.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := cosignature.VKeyToCosignatureV1(plain)
	if err != nil {
		t.Fatal(err)
	}
	return signer, vkey
}

// TestWitnessedBy counts witnesses, not signatures, and only those that are trusted.
func TestWitnessedBy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	second, secondVKey := newWitness(t, "second.example.net")
	again, againVKey := newWitness(t, "second.example.net") // another key of the same witness
	stranger, _ := newWitness(t, "stranger.example.net")
	trust, err := f.trust.WithWitnesses([]byte(secondVKey+"\n"), []byte(againVKey), []byte(secondVKey))
	if err != nil {
		t.Fatal(err)
	}
	logOnly := f.trust
	logOnly.Keys = nil
	for _, k := range f.trust.Keys {
		if k.Role != RoleWitness {
			logOnly.Keys = append(logOnly.Keys, k)
		}
	}
	for name, test := range map[string]struct {
		trust   Trust
		signers []note.Signer
		want    int
		says    string
	}{
		"two of two":       {trust, []note.Signer{f.witness, second}, 2, "witnessed by 2 of 2: second.example.net ("},
		"one of two":       {trust, []note.Signer{second}, 1, "witnessed by 1 of 2: second.example.net ("},
		"one with two":     {trust, []note.Signer{second, again}, 1, "witnessed by 1 of 2: second.example.net ("},
		"a stranger":       {trust, []note.Signer{stranger}, 0, "not witnessed: none of the 2 trusted witnesses has cosigned"},
		"nobody":           {trust, nil, 0, "not witnessed: none of the 2"},
		"nobody trusted":   {logOnly, []note.Signer{f.witness, second}, 0, "not witnessed: no witness is trusted, name its key"},
		"stranger as well": {trust, []note.Signer{stranger, f.witness, second}, 2, "witnessed by 2 of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := f.checkpoint(1, append([]note.Signer{f.log}, test.signers...)...)
			c, err := OpenCheckpoint(data, test.trust)
			if err != nil {
				t.Fatal(err)
			}
			if line := WitnessedBy(c, test.trust); len(c.WitnessNames()) != test.want || !strings.HasPrefix(line, test.says) {
				t.Errorf("%q with the names %q, want %q", line, c.WitnessNames(), test.says)
			}
			for required := range 4 {
				r := Consistency(ConsistencyInput{Older: data, Newer: data, Witnesses: required}, test.trust)
				if (r.Verdict == Verified) != (test.want >= required) {
					t.Errorf("with %d required the verdict is %s", required, r.Verdict)
				}
			}
		})
	}
}

func TestWithWitnesses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.trust.WithWitnesses([]byte(f.logVKey)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a log's key is taken for a witness's: %v", err)
	}
	if _, err := f.trust.WithWitnesses([]byte("junk")); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("junk is taken for a witness's key: %v", err)
	}
	before := len(f.trust.Keys)
	_, vkey := newWitness(t, "second.example.net")
	if more, err := f.trust.WithWitnesses([]byte(vkey)); err != nil || len(more.Keys) != before+1 || len(f.trust.Keys) != before {
		t.Errorf("%d keys and %d more: %v", len(f.trust.Keys), len(more.Keys)-before, err)
	}
}
