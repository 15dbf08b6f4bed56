package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tallystick/tallystick"
)

// writeTree writes files, by name, into a new directory.
func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The directories and root digests are those of the reference implementation's tests:
// sigstore/model-transparency v1.1.1, tests/conftest.py and tests/_signing/testdata/signing/TestPayload.
func TestRootOfReferenceModels(t *testing.T) {
	t.Parallel()
	sample := map[string]string{}
	for i := range 2 {
		for j := range 3 {
			sample[fmt.Sprintf("d%d/f%d%d", i, i, j)] = fmt.Sprintf("This is file f%d%d in d%d.", i, j, i)
		}
	}
	deep := map[string]string{}
	for i := range 4 {
		sample[fmt.Sprintf("f%d", i)] = fmt.Sprintf("This is file f%d in root.", i)
		deep[fmt.Sprintf("d0/d1/d2/d3/d4/f%d", i)] = fmt.Sprintf("This is file f%d.", i)
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		root  tallystick.Digest
	}{
		{"sample_model", sample, "sha256:143cc682e555951649f18e2761c3d526d2502996f5e32dc187ef7f8a614f8df7"},
		{"deep_model", deep, "sha256:18b5a45fe7983f7194e8ffd96c80f5f0ec53191bf4a32b6aff293f043e816d7a"},
		{"empty_file_inside_model", map[string]string{"empty_file": ""}, "sha256:5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"},
		{"file_model", map[string]string{"file_model": "This is a simple model"}, "sha256:002d162f867c5eee944e5080d25829b6625be0e3f081f6fbafc7dd655ca2e178"},
	} {
		m, err := Hash(t.Context(), []string{writeTree(t, c.files)}, HashOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if m.Root() != c.root {
			t.Errorf("%s: root %s, want %s", c.name, m.Root(), c.root)
		}
	}
}

func TestHashNamesFiles(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{
		"w.bin": "w", "sub/c.json": "c", ".git/config": "x", ".gitignore": "x", ".gitattributes": "x", ".github/ci": "x",
		"sub/.git/kept": "k", "cache/x": "x", "sub/cache": "kept",
	})
	m, err := Hash(t.Context(), []string{dir}, HashOptions{Ignore: []string{"cache"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(m), "sub/.git/kept sub/c.json sub/cache w.bin"; got != want {
		t.Errorf("directory: %s, want %s", got, want)
	}
	if m, err = Hash(t.Context(), []string{filepath.Join(dir, "w.bin")}, HashOptions{}); err != nil || names(m) != "w.bin" {
		t.Errorf("file: %s, %v", names(m), err)
	}
	m, err = Hash(t.Context(), []string{filepath.Join(dir, "w.bin"), filepath.Join(dir, "sub")}, HashOptions{})
	if err != nil || names(m) != "sub/c.json sub/cache w.bin" {
		t.Errorf("several: %s, %v", names(m), err)
	}
	link := filepath.Join(t.TempDir(), "current")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if m, err = Hash(t.Context(), []string{link}, HashOptions{}); err != nil || m.Len() != 5 {
		t.Errorf("link to a directory, named by the caller: %s, %v", names(m), err)
	}
	for _, bad := range []string{"*.bin", "../x", "/x", "a//b", ""} {
		if _, err := Hash(t.Context(), []string{dir}, HashOptions{Ignore: []string{bad}}); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("ignore %q: %v, want an invalid error", bad, err)
		}
	}
}

func names(m Manifest) string {
	var list []string
	for _, f := range m.Files() {
		list = append(list, f.Name)
	}
	return strings.Join(list, " ")
}

func TestHashRefuses(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"w.bin": "w"})
	empty := t.TempDir()
	for want, paths := range map[string][]string{
		"holds no files":          {empty},
		"no path":                 nil,
		"no such file":            {filepath.Join(dir, "nothing")},
		`"w.bin" is listed twice`: {filepath.Join(dir, "w.bin"), filepath.Join(dir, "w.bin")},
	} {
		if _, err := Hash(t.Context(), paths, HashOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", paths, err, want)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("w.bin", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	_, err := Hash(t.Context(), []string{dir}, HashOptions{})
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("link: %v", err)
	}
	m, err := Hash(t.Context(), []string{dir}, HashOptions{FollowLinks: true})
	if err != nil || names(m) != "link w.bin" || m.files[0].Digest != m.files[1].Digest || m.files[0].Size != 1 {
		t.Errorf("followed: %v, %v", m, err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "sub", "loop")); err != nil {
		t.Fatal(err)
	}
	if _, err := Hash(t.Context(), []string{dir}, HashOptions{FollowLinks: true}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("link to a directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Hash(ctx, []string{dir}, HashOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Each case alters the file in the middle of its being read: the callback comes after the first step.
func TestHashRefusesChangingFiles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"grown":   func(p string) error { return os.WriteFile(p, make([]byte, 3*meterStep), 0o600) },
		"shrunk":  func(p string) error { return os.Truncate(p, meterStep) },
		"touched": func(p string) error { return os.Chtimes(p, time.Time{}, time.Now().Add(time.Hour)) },
		"removed": os.Remove,
		"replaced": func(p string) error {
			info, err := os.Stat(p)
			if err != nil {
				return err
			}
			return errors.Join(os.Rename(p, p+".old"), os.WriteFile(p, make([]byte, 2*meterStep), 0o600), os.Chtimes(p, time.Time{}, info.ModTime()))
		},
	} {
		dir := t.TempDir()
		p := filepath.Join(dir, "w.bin")
		if err := os.WriteFile(p, make([]byte, 2*meterStep), 0o600); err != nil {
			t.Fatal(err)
		}
		changed := false
		_, err := Hash(t.Context(), []string{p}, HashOptions{Progress: func(int64, int64) {
			if !changed {
				changed = true
				if err := change(p); err != nil {
					t.Error(err)
				}
			}
		}})
		if err == nil || name != "removed" && tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
}

func TestHashReportsProgress(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"a": strings.Repeat("x", meterStep+5), "b": "yy", "c": ""})
	var last, total int64
	if _, err := Hash(t.Context(), []string{dir}, HashOptions{Progress: func(d, all int64) {
		if d <= last {
			t.Errorf("progress went from %d to %d", last, d)
		}
		last, total = d, all
	}}); err != nil {
		t.Fatal(err)
	}
	if want := int64(meterStep + 7); last != want || total != want {
		t.Errorf("last report %d of %d, want %d", last, total, want)
	}
}

func TestHashStream(t *testing.T) {
	t.Parallel()
	// One million times "a": FIPS 180-2, appendix B.3.
	const want = "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
	r := iotest.HalfReader(strings.NewReader(strings.Repeat("a", 1_000_000)))
	f, err := HashStream(t.Context(), "a.bin", r, nil)
	if err != nil || f != (File{Name: "a.bin", Digest: want, Size: 1_000_000}) {
		t.Errorf("HashStream = %v, %v", f, err)
	}
	if _, err := HashStream(t.Context(), "a", iotest.ErrReader(io.ErrClosedPipe), nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("broken stream: %v", err)
	}
	if _, err := HashStream(t.Context(), "../a", r, nil); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("bad name: %v", err)
	}
}

func TestCheckNamesTheFile(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"a": "1", "b": "2"})
	m, err := Hash(t.Context(), []string{dir}, HashOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), dir, m, HashOptions{}); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("3"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = Check(t.Context(), dir, m, HashOptions{})
	if tallystick.CodeOf(err) != tallystick.Conflict || !strings.HasPrefix(err.Error(), `file "b" has changed`) {
		t.Errorf("changed: %v", err)
	}
}
