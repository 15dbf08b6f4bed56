package cli_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/verify"
)

// TestFlippedBit flips one bit in every file that belongs to a workspace, one at a time: fsck must
// not call it sound, and must name the file.
func TestFlippedBit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	h := newHome(t)
	h.run(0, "audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	h.run(0, "fsck")
	for _, damage := range damages(t, h) {
		t.Run(damage.file+damage.what, func(t *testing.T) {
			t.Parallel()
			d := h.copy(t)
			content := d.read(damage.file)
			content[damage.at] ^= 1 << (damage.at % 8)
			if err := os.WriteFile(d.path(damage.file), content, 0o600); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := d.exit("fsck")
			if code == 0 {
				t.Fatalf("fsck calls it sound:\n%s%s", stdout, stderr)
			}
			if code != 1 || !strings.Contains(stdout, "\nverdict: damaged: ") || !strings.Contains(stdout, damage.name) {
				t.Errorf("exit code %d, %q is to be named:\n%s%s", code, damage.name, stdout, stderr)
			}
		})
	}
}

type damage struct {
	file, what string
	at         int
	name       string // what fsck must say
}

// damages picks a byte of every file, and of the database one byte of each thing that it keeps.
func damages(t *testing.T, h home) (list []damage) {
	t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(h.dir, path)
		if err != nil || !strings.HasPrefix(file, "data") && !strings.HasPrefix(file, "state") {
			return err
		}
		content := h.read(file)
		if strings.HasSuffix(file, ".lock") {
			return nil // says who holds it, to people
		}
		if filepath.Base(file) != "state.db" {
			name := filepath.Base(file)
			if _, tile, ok := strings.Cut(file, "/ledger/"); ok {
				name = tile
			}
			list = append(list, damage{file, "", len(content) / 2, name})
			return nil
		}
		for _, text := range []string{
			`"type":"io.github.tallystick.audit.completed.v1"`, // the leaf of an event
			"SQLite format 3", "CREATE TABLE events", "loans@1",
		} {
			at := bytes.Index(content, []byte(text))
			if at < 0 {
				t.Errorf("the database does not hold %q", text)
				continue
			}
			list = append(list, damage{file, " at " + text, at + 2, "state.db"})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestFlippedBitInBundle flips bits all over a real bundle.
func TestFlippedBitInBundle(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program")
	}
	h := newHome(t)
	h.run(0, "audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	h.run(0, "trust", "-o", "trust.json")
	trust, err := verify.ParseTrust(h.read("trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	bundle := h.read("out/evidence.tally")
	check := func() verify.Result {
		t.Helper()
		r, err := verify.Bundle(bytes.NewReader(bundle), int64(len(bundle)), trust, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check(); r.Verdict != verify.Verified {
		t.Fatalf("untouched: %s", r.Verdict)
	}
	const stride = 2003 // prime, so that every place in a byte has its turn
	for bit := 0; bit < 8*len(bundle); bit += stride {
		bundle[bit/8] ^= 1 << (bit % 8)
		if r := check(); r.Verdict != verify.Refused {
			t.Errorf("bit %d of %d flipped: %s", bit, 8*len(bundle), r.Verdict)
		} else if _, failed := r.FirstFailure(); !failed {
			t.Errorf("bit %d flipped: refused without saying why", bit)
		}
		bundle[bit/8] ^= 1 << (bit % 8)
	}
}

// TestFlippedBitInProof: a proof of one event is refused whatever bit is flipped.
func TestFlippedBitInProof(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program")
	}
	h := newHome(t)
	h.run(0, "audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	h.run(0, "prove", "6", "-o", "event.tlog-proof")
	h.run(0, "trust", "-o", "trust.json")
	trust, err := verify.ParseTrust(h.read("trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	whole := h.read("event.tlog-proof")
	if r := verify.Proof(whole, trust, verify.ProofOptions{}); r.Verdict != verify.Verified {
		t.Fatalf("untouched: %s", r.Verdict)
	}
	for bit := range 8 * len(whole) {
		flipped := slices.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		if r := verify.Proof(flipped, trust, verify.ProofOptions{}); r.Verdict == verify.Verified {
			t.Errorf("bit %d (%q) flipped: %s", bit, whole[max(0, bit/8-10):min(len(whole), bit/8+10)], r.Verdict)
		}
	}
}
