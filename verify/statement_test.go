package verify

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func TestStatement(t *testing.T) {
	t.Parallel()
	empty := tallystick.DigestOf(nil)
	s, err := NewStatement(PredicateReport, struct {
		Z string `json:"z"`
		A int    `json:"a"`
	}{"<&>", 1}, Resource("m", empty))
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":1,"z":"<&>"},"predicateType":"` + PredicateReport +
		`","subject":[{"digest":{"sha256":"` + empty.Hex() + `"},"name":"m"}]}`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err := ParseStatement(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, tc := range map[string]struct{ from, to string }{
		"type":            {"Statement/v1", "Statement/v0.1"},
		"no subject":      {`[{"digest":{"sha256":"` + empty.Hex() + `"},"name":"m"}]`, `[]`},
		"no digest":       {`{"sha256":"` + empty.Hex() + `"}`, `{}`},
		"upper case":      {empty.Hex(), strings.ToUpper(empty.Hex())},
		"predicate":       {`{"a":1,"z":"<&>"}`, `[]`},
		"predicate null":  {`{"a":1,"z":"<&>"}`, `null`},
		"predicate order": {`"a":1,"z":"<&>"`, `"z":"<&>","a":1`},
		"number spelling": {`"a":1`, `"a":1.0`},
		"unknown member":  {`"predicate":`, `"extra":1,"predicate":`},
		"white space":     {`,"predicate"`, `, "predicate"`},
		"predicate type":  {PredicateReport, ``},
		"trailing":        {`}]}`, `}]} `},
	} {
		changed := strings.Replace(string(data), tc.from, tc.to, 1)
		if changed == string(data) {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseStatement([]byte(changed)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseStatement = %v, want Invalid", name, err)
		}
	}
	if _, err := NewStatement(PredicateReport, json.RawMessage(`1`), Resource("m", empty)); err == nil {
		t.Error("a predicate that is no object was stated")
	}
}

// TestManifestRefuses is about manifests that only somebody with the exporter's key could make.
func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	d := tallystick.DigestOf(nil)
	good := func() Manifest {
		return Manifest{
			Schema: ManifestSchema, Created: "2026-03-04T05:06:07.000Z", Subject: BundleSubject{Name: "m", Digests: map[string]tallystick.Digest{"data": d}},
			Files: []ManifestEntry{
				{"checkpoint", 0, d, "text/plain; charset=utf-8", FileCheckpoint},
				{"events/3.json", 0, d, "application/cloudevents+json", FileLeaf},
				{"events/3.tlog-proof", 0, d, "text/plain; charset=utf-8", FileProof},
				{"statements/a.dsse.json", 0, d, "application/vnd.dsse.envelope.v1+json", FileStatement},
				{"trust.json", 0, d, "application/json", FileTrust},
			},
			Events: []EventFiles{NewEventFiles(3, false)}, Statements: []string{"statements/a.dsse.json"}, Checkpoint: CheckpointFile,
		}
	}
	m := good()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseManifest(data); err != nil || !cmp.Equal(m, again) {
		t.Errorf("round trip: %v\n%s", err, cmp.Diff(m, again))
	}
	for name, change := range map[string]func(*Manifest){
		"schema":                 func(m *Manifest) { m.Schema += "x" },
		"created":                func(m *Manifest) { m.Created = "2026-03-04" },
		"subject":                func(m *Manifest) { m.Subject.Name = "" },
		"subject digest":         func(m *Manifest) { m.Subject.Digests["data"] = "sha256:" },
		"file order":             func(m *Manifest) { m.Files[0], m.Files[1] = m.Files[1], m.Files[0] },
		"file twice":             func(m *Manifest) { m.Files = append(m.Files, m.Files[4]) },
		"negative size":          func(m *Manifest) { m.Files[0].Size = -1 },
		"digest":                 func(m *Manifest) { m.Files[0].Digest = "x" },
		"event not referred to":  func(m *Manifest) { m.Events = []EventFiles{} },
		"event without proof":    func(m *Manifest) { m.Files = append(m.Files[:2], m.Files[3:]...) },
		"event twice":            func(m *Manifest) { m.Events = append(m.Events, m.Events[0]) },
		"event misnamed":         func(m *Manifest) { m.Events[0].Sequence = 4 },
		"statement not referred": func(m *Manifest) { m.Statements = []string{} },
		"statement absent":       func(m *Manifest) { m.Statements = append(m.Statements, "statements/b.dsse.json") },
		"statement twice":        func(m *Manifest) { m.Statements = append(m.Statements, m.Statements[0]) },
		"statement is a leaf":    func(m *Manifest) { m.Statements[0] = "events/3.json" },
		"no checkpoint":          func(m *Manifest) { m.Checkpoint = "" },
		"no trust":               func(m *Manifest) { m.Files = m.Files[:4] },
		"no lists":               func(m *Manifest) { m.Files, m.Events, m.Statements = nil, nil, nil },
	} {
		m := good()
		change(&m)
		data, err := Canonical(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(data); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseManifest = %v, want Invalid", name, err)
		}
		if _, err := m.Marshal(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestNewManifestEntryRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"notes.txt", "events/x.json", "events/01.json", "events/1.txt", "statements/a.json", "statements/a/b.dsse.json", "reports/a/b.html", "reports/a.svg", ManifestFile, ManifestEnvelopeFile, "policy/../x"} {
		if e, err := NewManifestEntry(File{Name: name}); err == nil {
			t.Errorf("%q is accepted as %s", name, e.Role)
		}
	}
}

// TestResultIsPrintable: text from a hostile file cannot steer a terminal.
func TestResultIsPrintable(t *testing.T) {
	t.Parallel()
	var r Result
	r.ok("check", "a\x1b[2Jb", "line\nbreak \u202e %s", "\u009b")
	r.conclude(nil)
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b.Bytes(), "\x1b\u202e\u009b") || !strings.HasPrefix(b.String(), "ok") || strings.Count(b.String(), "\n") != 5 {
		t.Errorf("written: %q", b.String())
	}
}

// FuzzManifest and FuzzStatement: what is accepted is written again byte for byte.
func FuzzManifest(f *testing.F) {
	a, err := readArchive(newFixture(f).parts(1).bundle())
	if err != nil {
		f.Fatal(err)
	}
	data, _ := a.File(ManifestFile)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		if again, err := m.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written again (%v):\n%s\n%s", err, data, again)
		}
	})
}

func FuzzStatement(f *testing.F) {
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"t","subject":[{"digest":{"sha1":"00"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStatement(data)
		if err != nil {
			return
		}
		if again, err := s.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written again (%v):\n%s\n%s", err, data, again)
		}
	})
}
