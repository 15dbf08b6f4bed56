package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// contents maps the names in dir to what is in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(data)
	}
	return files
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, step := range []struct {
		content string
		perm    fs.FileMode
	}{{"one", 0o600}, {"two, longer", 0o666}, {"3", 0o444}, {"four", 0o644}} {
		if err := WriteFile(path, step.perm, text(step.content)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"a": step.content}, contents(t, dir)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != step.perm {
			t.Errorf("mode %v, want %v (%v)", info.Mode(), step.perm, err)
		}
	}
}

func TestWriteFileLeavesOldContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := WriteFile(path, 0o600, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := WriteFile(path, 0o600, func(w io.Writer) error {
		if err := text("half of the new")(w); err != nil {
			return err
		}
		if diff := cmp.Diff("old", contents(t, dir)["a"]); diff != "" {
			t.Errorf("seen while writing (-want +got):\n%s", diff)
		}
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("WriteFile = %v", err)
	}
	if diff := cmp.Diff(map[string]string{"a": "old"}, contents(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCreateFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := CreateFile(path, 0o600, text("first")); err != nil {
		t.Fatal(err)
	}
	if err := CreateFile(path, 0o600, text("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second CreateFile = %v, want fs.ErrExist", err)
	}
	if diff := cmp.Diff(map[string]string{"a": "first"}, contents(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommitOntoDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, 0o600, text("x")); err == nil {
		t.Error("a directory was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestWriteFileWithoutDirectory(t *testing.T) {
	t.Parallel()
	if err := WriteFile(filepath.Join(t.TempDir(), "none", "a"), 0o600, text("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("WriteFile = %v, want fs.ErrNotExist", err)
	}
}

func TestMkdirAll(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		if err := MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("Stat = %v, %v", info, err)
	}
	file := filepath.Join(dir, "file")
	if err := WriteFile(file, 0o600, text("x")); err != nil {
		t.Fatal(err)
	}
	if err := MkdirAll(filepath.Join(file, "d"), 0o700); err == nil {
		t.Error("a directory was made below a file")
	}
}

func TestIsTemporary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Create(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for name := range contents(t, dir) {
		if !IsTemporary(name) {
			t.Errorf("%q is not taken for a temporary file", name)
		}
	}
	if err := f.Discard(); err != nil {
		t.Fatal(err)
	}
	if left := contents(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if IsTemporary("a") {
		t.Error("an ordinary name is taken for a temporary file")
	}
}
