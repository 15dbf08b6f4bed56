package workspace_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, config(filepath.Join(dir, "old")))
	record(t, w, "credit")
	backup := filepath.Join(dir, "backup.tar")
	if _, err := w.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	record(t, w, "later") // not in the backup
	if _, err := w.Backup(t.Context(), backup); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a second backup to the same file: %v", err)
	}

	cfg := config(filepath.Join(dir, "new"))
	restored, err := workspace.Restore(t.Context(), cfg, backup)
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, cfg)
	if restored.Previous != w.Origin() || r.Origin() == w.Origin() || restored.Events != 4 {
		t.Errorf("restored %+v from %s as %s", restored, w.Origin(), r.Origin())
	}
	found, err := r.CheckAll(t.Context())
	if err != nil || !found.OK() {
		t.Errorf("check of the restored workspace: %+v, %v", found, err)
	}
	// The four old events, the restoration and two new keys, after the old checkpoint.
	reader, err := r.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	first, err := reader.Leaf(t.Context(), 0)
	if err != nil || !bytes.HasPrefix(first, []byte(w.Origin()+"\n4\n")) || reader.Size() != 8 {
		t.Errorf("ledger of %d entries begins with %q, %v", reader.Size(), first, err)
	}
	if n, err := r.Trail.Count(t.Context(), trail.Filter{Type: trail.WorkspaceRestored}); err != nil || n != 1 {
		t.Errorf("%d restorations on the trail, %v", n, err)
	}
	if _, err := workspace.Restore(t.Context(), cfg, backup); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("restoring over a workspace: %v", err)
	}

	// A backup of the restored workspace restores again.
	again := filepath.Join(dir, "again.tar")
	if _, err := r.Backup(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.Restore(t.Context(), config(filepath.Join(dir, "third")), again); err != nil {
		t.Error(err)
	}
}

func TestRestoreRefusesBadBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, config(filepath.Join(dir, "old")))
	record(t, w, "credit")
	good := filepath.Join(dir, "backup.tar")
	if _, err := w.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	hostile := func(name string, kind byte) []byte {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: kind, Linkname: "/etc/passwd", Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	leaf := bytes.Index(data, []byte("model.registered"))
	flipped := bytes.Clone(data)
	flipped[leaf] ^= 1
	for name, backup := range map[string][]byte{
		"empty": {}, "truncated": data[:len(data)/2], "a flipped bit": flipped,
		"a path that climbs": hostile("../outside", tar.TypeReg), "an absolute path": hostile("/outside", tar.TypeReg),
		"a link": hostile("ledger/link", tar.TypeSymlink), "a foreign file": hostile("notes.txt", tar.TypeReg),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "bad.tar")
			if err := os.WriteFile(path, backup, 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := config(filepath.Join(dir, "place"))
			if _, err := workspace.Restore(t.Context(), cfg, path); err == nil {
				t.Error("restored")
			}
			if left, _ := os.ReadDir(filepath.Dir(cfg.Dir)); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
