package workspace_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/durable"
)

// TestSweep: whoever keeps the workspace sealed removes at its start what a kill has left, and nothing
// that is being written.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	stores := []string{filepath.Join(w.Dir(), "artifacts", "sha256"), filepath.Join(w.Dir(), "evidence", "sha256")}
	var writing []*durable.File
	for _, dir := range stores {
		f, err := durable.Create(dir, 0o400)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, ".durable-123"), []byte("half"), 0o400)
		}
		if err != nil {
			t.Fatal(err)
		}
		writing = append(writing, f)
	}
	copied := filepath.Join(w.Dir(), ".backup-1")
	if err := errors.Join(os.Mkdir(copied, 0o700), os.WriteFile(filepath.Join(copied, "state.db"), []byte("copy"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Seal(t.Context()); err != nil { // an act of a moment leaves all as it is
		t.Fatal(err)
	}
	left := func() (names []string) {
		for _, pattern := range []string{"artifacts/sha256/.durable-*", "evidence/sha256/.durable-*", ".backup-*"} {
			found, err := filepath.Glob(filepath.Join(w.Dir(), pattern))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, found...)
		}
		return names
	}
	if found := left(); len(found) != 5 {
		t.Fatalf("before: %v", found)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := w.KeepSealed(ctx, cancel); err != nil {
		t.Fatal(err)
	}
	if found := left(); len(found) != 2 {
		t.Errorf("after: %v", found)
	}
	for i, f := range writing {
		if err := f.Commit(filepath.Join(stores[i], "x")); err != nil {
			t.Error(err)
		}
	}
}

// TestBackupHoldsNoSecrets looks for them by their bytes.
func TestBackupHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, config(dir))
	record(t, w, "credit")
	secretFile := filepath.Join(w.Dir(), "bootstrap-secret")
	people := access.New(access.Config{DB: w.DB, Recorder: w.Recorder, BootstrapFile: secretFile})
	if fresh, err := people.OfferBootstrap(t.Context(), w.Actor()); err != nil || !fresh {
		t.Fatalf("%v, %v", fresh, err)
	}
	secrets := map[string][]byte{}
	remember := func(path string) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		secrets[path] = bytes.TrimSpace(content)
	}
	remember(secretFile)
	keys, err := os.ReadDir(filepath.Join(w.Dir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if key.Name() != "trust.json" {
			remember(filepath.Join(w.Dir(), "keys", key.Name()))
		}
	}
	if len(secrets) < 3 {
		t.Fatalf("secrets are only in %d files of %v", len(secrets), keys)
	}
	path := filepath.Join(dir, "backup.tar")
	if _, err := w.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range secrets {
		if len(secret) < 16 || bytes.Contains(whole, secret) {
			t.Errorf("the backup holds the %d bytes of %s", len(secret), name)
		}
		for line := range bytes.Lines(secret) {
			if line = bytes.TrimSpace(line); len(line) > 40 && bytes.Contains(whole, line) {
				t.Errorf("the backup holds a line of %s", name)
			}
		}
	}
	tops := map[string]bool{}
	for archive := tar.NewReader(bytes.NewReader(whole)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		top, rest, _ := strings.Cut(header.Name, "/")
		if top == "keys" {
			top += "/" + rest
		}
		tops[top] = true
	}
	if diff := cmp.Diff(map[string]bool{"workspace.json": true, "state.db": true, "keys/trust.json": true, "ledger": true}, tops); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
