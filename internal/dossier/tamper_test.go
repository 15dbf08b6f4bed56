package dossier_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/verify"
)

// TestFlippedBits flips bits in every file, in every header and in the directory of a package.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	h := lived(t)
	data := h.export(t, dossier.Request{Model: "credit", Disclose: true})
	a, err := verify.ReadArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	var offsets []int
	at := 0
	for _, f := range a.Files() {
		begin := at + 30 + len(f.Name)
		offsets = append(offsets, at, at+6, at+14, at+26, at+30, begin-1) // of the header: signature, flags, sum, length, name
		if n := len(f.Data); n > 0 {
			offsets = append(offsets, begin, begin+n/2, begin+n-1, begin+random.IntN(n), begin+random.IntN(n))
		}
		at = begin + len(f.Data)
	}
	for range 100 {
		offsets = append(offsets, at+random.IntN(len(data)-at)) // the directory
	}
	offsets = append(offsets, len(data)-1)
	for _, offset := range offsets {
		changed := bytes.Clone(data)
		changed[offset] ^= 1 << random.IntN(8)
		r := h.check(t, changed)
		if c, failed := r.FirstFailure(); r.Verdict != verify.Refused || !failed || c.Detail == "" || strings.Contains(c.Detail, "\n") {
			t.Errorf("byte %d: verdict %s, %+v", offset, r.Verdict, c)
		}
	}
	for _, cut := range []int{0, 1, 29, len(data) / 2, len(data) - 1} {
		if r := h.check(t, data[:cut]); r.Verdict != verify.Refused {
			t.Errorf("cut after %d bytes: %s", cut, r.Verdict)
		}
	}
}

// forged is a package whose exporter lies, with a key that is trusted.
type forged struct {
	files map[string][]byte
	index verify.PackageIndex
}

func (h house) forge(t testing.TB, data []byte, change func(f *forged)) verify.Result {
	t.Helper()
	a, err := verify.ReadArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f := forged{files: map[string][]byte{}}
	for _, file := range a.Files() {
		f.files[file.Name] = bytes.Clone(file.Data)
	}
	e, err := verify.ParseEnvelope(f.files[verify.PackageFile])
	if err != nil {
		t.Fatal(err)
	}
	s, err := verify.ParseStatement(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(s.Predicate, &f.index); err != nil {
		t.Fatal(err)
	}
	delete(f.files, verify.PackageFile)
	change(&f)
	var files []verify.File
	for name, content := range f.files {
		files = append(files, verify.File{Name: name, Data: content})
	}
	if a, err = verify.NewArchive(files); err != nil {
		t.Fatal(err)
	}
	var subjects []verify.ResourceDescriptor
	for _, file := range a.Files() {
		subjects = append(subjects, verify.Resource(file.Name, tallystick.DigestOf(file.Data)))
	}
	if s, err = verify.NewStatement(verify.PredicateManifest, f.index, subjects...); err != nil {
		t.Fatal(err)
	}
	signer, err := h.Signer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	envelope, _, err := signer.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = verify.NewArchive(append(files, verify.File{Name: verify.PackageFile, Data: envelope})); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := a.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return h.check(t, b.Bytes())
}

const chunk = "events/000001.jsonl"

// TestForgeries: what an exporter could sign falsely is refused, and the line says what is wrong.
func TestForgeries(t *testing.T) {
	t.Parallel()
	h := lived(t)
	data := h.export(t, dossier.Request{Model: "credit", Complete: true})
	if r := h.forge(t, data, func(*forged) {}); r.Verdict != verify.Verified {
		t.Fatalf("signed again: %+v", r.Checks)
	}
	line := func(f *forged, n int) []byte { return bytes.SplitAfter(f.files[chunk], []byte("\n"))[n] }
	without := func(f *forged, n int) { f.files[chunk] = bytes.Replace(f.files[chunk], line(f, n), nil, 1) }
	for _, test := range []struct {
		name, check, detail string
		change              func(f *forged)
	}{
		{"an event changed", "inclusion", "do not give the root", func(f *forged) {
			f.files[chunk] = bytes.Replace(f.files[chunk], []byte(`"bytes":7,`), []byte(`"bytes":8,`), 1)
		}},
		{"an event left out of what is complete", "completeness", "is followed by event", func(f *forged) { without(f, 20) }},
		{"an event left out", "inclusion", "which is not what 107 leaves", func(f *forged) {
			f.index.Complete = nil
			f.index.Events.Context--
			without(f, 4) // the registration of the other model
		}},
		{"an event left out and counted", "events", "the index says", func(f *forged) { f.index.Events.About++ }},
		{"a stretch that is too short", "completeness", "is not after the period", func(f *forged) { f.index.Complete.Last -= 2 }},
		{"a stretch that begins late", "completeness", "is not before the period", func(f *forged) { f.index.Complete.First += 2 }},
		{"a stretch without an end", "completeness", "is missing", func(f *forged) { f.index.Complete.Last += 2000 }},
		{"another place", "inclusion", "outside", func(f *forged) { f.index.Offset += 1000 }},
		{"places moved by one", "inclusion", "", func(f *forged) { f.index.Offset++ }},
		{"no export", "export", "is not here or is another", func(f *forged) { f.index.Export = 3 }},
		{"evidence that nobody recorded", "evidence", "no event of the package records", func(f *forged) {
			f.files["evidence/"+tallystick.DigestOf([]byte("new")).Hex()] = []byte("new")
		}},
		{"evidence under another name", "evidence", "not the one in its name", func(f *forged) {
			for name := range f.files {
				if strings.HasPrefix(name, "evidence/") {
					f.files[name] = []byte("a better text")
				}
			}
		}},
		{"a policy without a rule", "policy", "is not here", func(f *forged) {
			for name := range f.files {
				if strings.HasPrefix(name, "policies/files/") {
					delete(f.files, name)
					return
				}
			}
		}},
		{"a stray file", "file", "has no place", func(f *forged) { f.files["setup.exe"] = []byte("MZ") }},
		{"no proof", "file", "is missing", func(f *forged) { delete(f.files, verify.PackageProofFile) }},
		{"a hash too many", "inclusion", "", func(f *forged) {
			f.files[verify.PackageProofFile] = append(f.files[verify.PackageProofFile], make([]byte, 32)...)
		}},
		{"half a hash", "inclusion", "no whole number", func(f *forged) { f.files[verify.PackageProofFile] = []byte("x") }},
		{"disclosed, it says", "events", "disclosures/000001.jsonl is missing", func(f *forged) { f.index.Disclosed = true }},
		{"an unended line", "events", "not ended", func(f *forged) { f.files[chunk] = bytes.TrimSuffix(f.files[chunk], []byte("\n")) }},
		{"no events", "events", "there are none", func(f *forged) { delete(f.files, chunk) }},
		{"another period", "events", "the index says", func(f *forged) { f.index.Complete, f.index.From = nil, "2026-04-15T00:00:00.000Z" }},
		{"no period", "index signature", "is no time", func(f *forged) { f.index.Until = "soon" }},
		{"another schema", "index signature", "schema", func(f *forged) { f.index.Schema = "x" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := h.forge(t, data, test.change)
			if c, _ := r.FirstFailure(); r.Verdict != verify.Refused || c.Check != test.check || !strings.Contains(c.Detail, test.detail) {
				t.Errorf("verdict %s: %+v; want %s: ...%s...", r.Verdict, c, test.check, test.detail)
			}
		})
	}
}
