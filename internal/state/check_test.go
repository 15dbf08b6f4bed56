package state

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick"
)

func TestCheckNamesDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, Config{Path: path})
	for n := range 200 {
		if err := db.Write(t.Context(), insert(fmt.Sprintf("note %d", n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Check(t.Context()); err != nil {
		t.Fatalf("a sound database: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// One of the two places where the note stands, its row or the index over the notes: they no longer
	// agree.
	at := bytes.LastIndex(data, []byte("note 77"))
	data[at+5] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, Config{Path: path})
	err = db.Check(t.Context())
	if tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "notes") {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestCheckNamesDanglingReferences(t *testing.T) {
	t.Parallel()
	db := open(t, Config{})
	err := db.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec("CREATE TABLE refs (note INTEGER REFERENCES notes (id)) STRICT")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := openDSN(db.Path(), nil) // without foreign keys
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec("INSERT INTO refs (note) VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "refs row 1 refers to nothing in notes") {
		t.Errorf("a dangling reference: %v", err)
	}
}

// TestBackup copies while others write: what was acknowledged before is in the copy, and the copy is
// one state.
func TestBackup(t *testing.T) {
	t.Parallel()
	db := open(t, Config{})
	if err := db.Write(t.Context(), insert("before")); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			err := db.Write(t.Context(), func(tx *Tx) error { // always in pairs
				if err := insert(fmt.Sprintf("left %d", n))(tx); err != nil {
					return err
				}
				return insert(fmt.Sprintf("right %d", n))(tx)
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	dir := t.TempDir()
	for n := range 5 {
		path := filepath.Join(dir, fmt.Sprintf("backup %d.db", n))
		if err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("backup: %v, %v", info.Mode(), err)
		}
		copied := open(t, Config{Path: path})
		got := notes(t, copied)
		if len(got)%2 != 1 || !slices.Contains(got, "before") {
			t.Errorf("backup %d has %d notes: half a transaction, or not what came before", n, len(got))
		}
		if err := copied.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Backup(t.Context(), path); tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("backup over an existing file: %v", err)
		}
	}
	close(stop)
	wg.Wait()
	if err := db.Backup(t.Context(), filepath.Join(dir, "missing", "backup.db")); err == nil {
		t.Error("backup into a missing directory")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.partial"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
