package dossier_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/verify"
)

// FuzzPackage gives the reader of packages other bytes than a real one has: nothing else is verified.
func FuzzPackage(f *testing.F) {
	h := lived(f)
	real := h.export(f, dossier.Request{Model: "credit", Disclose: true})
	whole := h.export(f, dossier.Request{Model: "credit", Complete: true})
	f.Add(real)
	f.Add(whole)
	f.Add(real[:len(real)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := h.check(t, data); r.Verdict == verify.Verified && !bytes.Equal(data, real) && !bytes.Equal(data, whole) {
			t.Fatal("verified a package that nobody signed")
		}
	})
}

// FuzzSignedPackage puts bytes into a file of a real package, and signs its index again: what is read
// once the signature holds. Only the exporter's own words may differ from what the ledger has: those for
// people, and trust.json, before which the keys go that the verifier brings.
func FuzzSignedPackage(f *testing.F) {
	h := lived(f)
	real := h.export(f, dossier.Request{Model: "credit", Complete: true})
	a, err := verify.ReadArchive(bytes.NewReader(real), int64(len(real)))
	if err != nil {
		f.Fatal(err)
	}
	var names []string
	for _, file := range a.Files() {
		if file.Name != verify.PackageFile {
			names = append(names, file.Name)
		}
	}
	for i := range names {
		f.Add(i, 0, 1, []byte("x"))
		f.Add(i, 10, 0, []byte("\n"))
		f.Add(i, 5, 1000, []byte{})
	}
	own := []string{"README.md", "index.html", "history.txt", "trust.json"}
	f.Fuzz(func(t *testing.T, file, at, drop int, put []byte) {
		name := names[((file%len(names))+len(names))%len(names)]
		changed := false
		r := h.forge(t, real, func(p *forged) {
			content := p.files[name]
			at, drop := min(max(at, 0), len(content)), max(drop, 0)
			p.files[name] = slices.Concat(content[:at], put, content[min(at+min(drop, len(content)), len(content)):])
			changed = !bytes.Equal(p.files[name], content)
		})
		if r.Verdict == verify.Verified && changed && !slices.Contains(own, name) {
			t.Fatalf("verified a package with another %s", name)
		}
		if r.Verdict == verify.Refused && !changed {
			t.Fatalf("refused a package as it was: %+v", r.Checks)
		}
	})
}
