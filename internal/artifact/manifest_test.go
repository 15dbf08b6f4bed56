package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func fileOf(name, content string) File {
	return File{Name: name, Digest: tallystick.DigestOf([]byte(content)), Size: int64(len(content))}
}

func manifestOf(t *testing.T, files ...File) Manifest {
	t.Helper()
	m, err := NewManifest(files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestManifestIsCanonical(t *testing.T) {
	t.Parallel()
	a, b := fileOf("z/é<&>.bin", "abc"), fileOf("a.json", "")
	m := manifestOf(t, a, b)
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	// SHA-256 of nothing and of "abc": FIPS 180-2. RFC 8785 sorts members and escapes nothing here.
	const want = `{"files":[` +
		`{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","name":"a.json","size":0},` +
		`{"digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","name":"z/é<&>.bin","size":3}],` +
		`"schema":"tallystick.artifact-manifest/v1"}`
	if string(data) != want {
		t.Errorf("Marshal = %s", data)
	}
	other, err := manifestOf(t, b, a).Digest()
	if err != nil || other != tallystick.DigestOf([]byte(want)) {
		t.Errorf("Digest = %s, %v", other, err)
	}
	again, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Files(), again.Files()); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string]string{
		"space":         strings.Replace(want, ":0}", ": 0}", 1),
		"trailing":      want + " ",
		"second":        want + want,
		"unknown":       strings.Replace(want, `"name":"a.json"`, `"mode":1,"name":"a.json"`, 1),
		"repeated":      strings.Replace(want, `"size":0`, `"size":0,"size":0`, 1),
		"case":          strings.Replace(want, `"size":0`, `"Size":0`, 1),
		"other schema":  strings.Replace(want, "/v1", "/v2", 1),
		"no files":      `{"files":[],"schema":"tallystick.artifact-manifest/v1"}`,
		"negative size": strings.Replace(want, `"size":0`, `"size":-1`, 1),
		"empty":         "",
	} {
		if _, err := ParseManifest([]byte(bad)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseManifest = %v, want an invalid error", name, err)
		}
	}
}

func TestManifestRefusesNames(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{""}, {"/etc/passwd"}, {"../x"}, {"a/../b"}, {"a//b"}, {"a/"}, {"./a"}, {"."}, {".."}, {`a\b`}, {"a\x00b"}, {"a\nb"},
		{"a\xff"},
		{"e\u0301"}, // normal form D of é
		{strings.Repeat("a", maxName+1)},
		{strings.Repeat("a/", maxDepth) + "a"},
		{"a", "a"},
		{"Model.bin", "model.bin"},
		{"STRASSE", "straße"},
		{"Dir/a", "dir/b"},
		{"a", "a/b"},
		{"A", "a/b"},
		{"a/b/c", "a/B"},
	} {
		var files []File
		for _, name := range names {
			files = append(files, fileOf(name, ""))
		}
		if _, err := NewManifest(files); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%q: NewManifest = %v, want an invalid error", names, err)
		}
	}
	for _, name := range []string{"a", "a b", "..a", "a..b", "é", "model:latest", strings.Repeat("a/", maxDepth-1) + "a", ".git"} {
		if err := ValidateFileName(name); err != nil {
			t.Errorf("ValidateFileName(%q) = %v", name, err)
		}
	}
}

func TestManifestBoundsSizes(t *testing.T) {
	t.Parallel()
	a, b := fileOf("a", ""), fileOf("b", "")
	a.Size, b.Size = maxTotal, 1
	if _, err := NewManifest([]File{a, b}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("sizes beyond 2^53: %v", err)
	}
	b.Size = 0
	m := manifestOf(t, a, b)
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseManifest(data); err != nil || again.Size() != maxTotal {
		t.Errorf("size %d, %v", again.Size(), err)
	}
}

func TestCompareNamesWhatChanged(t *testing.T) {
	t.Parallel()
	old := manifestOf(t, fileOf("a", "1"), fileOf("b", "1"), fileOf("c", "1"), fileOf("e", "1"))
	now := manifestOf(t, fileOf("b", "1"), fileOf("c", "2"), fileOf("d", "1"), fileOf("f", "1"))
	c := Compare(old, now)
	want := Changes{
		Added:   []File{fileOf("d", "1"), fileOf("f", "1")},
		Removed: []File{fileOf("a", "1"), fileOf("e", "1")},
		Changed: []Change{{Name: "c", Old: fileOf("c", "1"), New: fileOf("c", "2")}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	for want, m := range map[string]Manifest{
		`file "c" has changed: sha256:d4735e`: now,
		`file "b" is missing`:                 manifestOf(t, fileOf("a", "1"), fileOf("c", "1"), fileOf("e", "1")),
		`file "x" is not part of the version`: manifestOf(t, append(old.Files(), fileOf("x", ""))...),
		`file "a" has changed: 2 bytes`:       manifestOf(t, append([]File{fileOf("a", "11")}, old.Files()[1:]...)...),
	} {
		err := Compare(old, m).Err()
		if tallystick.CodeOf(err) != tallystick.Conflict || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Err = %v, want %s", err, want)
		}
	}
	if c := Compare(old, old); !c.Empty() || c.Err() != nil {
		t.Errorf("Compare with itself = %v", c)
	}
}

func TestManifestFile(t *testing.T) {
	t.Parallel()
	m := manifestOf(t, fileOf("a", "1"), fileOf("b", "22"))
	if f, ok := m.File("b"); !ok || f.Size != 2 || m.Size() != 3 || m.Len() != 2 {
		t.Errorf("File = %v, %v", f, ok)
	}
	if _, ok := m.File("c"); ok {
		t.Error("found a file that is not there")
	}
}

func FuzzParseManifest(f *testing.F) {
	for _, m := range [][]File{{fileOf("a", "")}, {fileOf("a/b", "x"), fileOf("é", "y")}} {
		manifest, err := NewManifest(m)
		if err != nil {
			f.Fatal(err)
		}
		data, err := manifest.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			if e := new(tallystick.Error); !errors.As(err, &e) || e.Code != tallystick.Invalid {
				t.Fatalf("error %v is not invalid", err)
			}
			return
		}
		again, err := m.Marshal()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("round trip: %v", err)
		}
		if fresh, err := NewManifest(m.Files()); err != nil || fresh.Root() != m.Root() {
			t.Fatalf("not valid any more: %v", err)
		}
	})
}

func BenchmarkManifestDigest(b *testing.B) {
	files := make([]File, 10_000)
	for i := range files {
		files[i] = fileOf(fmt.Sprintf("shard/%05d.safetensors", i), fmt.Sprint(i))
	}
	for b.Loop() {
		m, err := NewManifest(files)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Digest(); err != nil {
			b.Fatal(err)
		}
	}
}
