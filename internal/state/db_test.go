package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

// open opens a database with a table to write into.
func open(t testing.TB, config Config) *DB {
	t.Helper()
	if config.Path == "" && config.URL == "" {
		config.Path = filepath.Join(t.TempDir(), "state.db")
	}
	db, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Write(t.Context(), func(tx *Tx) error {
		return create(tx, "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, note TEXT NOT NULL UNIQUE) STRICT")
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(note string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO notes (note) VALUES (?)", note)
		return err
	}
}

func notes(t testing.TB, db *DB) []string {
	t.Helper()
	var all []string
	err := db.Read(context.WithoutCancel(t.Context()), func(tx *Tx) error {
		all = nil
		rows, err := tx.Query("SELECT note FROM notes ORDER BY id")
		if err != nil {
			return err
		}
		for rows.Next() {
			var note string
			if err := rows.Scan(&note); err != nil {
				return err
			}
			all = append(all, note)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOpenCreatesAndReopens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "dir?#%", "state.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT) STRICT")
		return errors.Join(err, insert("kept")(tx))
	}); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("mode of %s is %04o, want %04o", filepath.Base(name), got, want)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), insert("late")); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("write after close: %v", err)
	}
	if err := db.Read(t.Context(), func(*Tx) error { return nil }); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("read after close: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}

	db = open(t, Config{Path: path})
	if got := notes(t, db); len(got) != 1 || got[0] != "kept" {
		t.Errorf("after reopening: %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	foreign := func(t *testing.T, path string) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("PRAGMA application_id = 7; CREATE TABLE t (x)"); err != nil {
			t.Fatal(err)
		}
		db.Close()
		os.Chmod(path, 0o600)
	}
	newer := func(t *testing.T, path string) {
		db := open(t, Config{Path: path})
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO migrations (version_id, is_applied) VALUES (9999, 1)")
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	gap := func(t *testing.T, path string) {
		db := open(t, Config{Path: path})
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("DELETE FROM migrations WHERE version_id = 2")
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		prepare func(t *testing.T, path string)
		code    tallystick.Code
		message string
	}{
		"another application": {foreign, tallystick.Invalid, "another application"},
		"text": {func(t *testing.T, path string) {
			os.WriteFile(path, bytes.Repeat([]byte("not a database\n"), 100), 0o600)
		}, tallystick.Invalid, "not a database"},
		"a few bytes": {func(t *testing.T, path string) { os.WriteFile(path, []byte("SQLite"), 0o600) }, tallystick.Invalid, "not a database"},
		"readable by others": {func(t *testing.T, path string) {
			if runtime.GOOS == "windows" {
				t.Skip("needs file modes")
			}
			os.WriteFile(path, nil, 0o644)
			os.Chmod(path, 0o644)
		}, tallystick.Invalid, "chmod 600"},
		"newer schema": {newer, tallystick.Conflict, "schema 9999"},
		"a gap":        {gap, tallystick.Conflict, "version 2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state.db")
			test.prepare(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db, err := Open(t.Context(), Config{Path: path})
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if tallystick.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %q with code %q, want %q with %q", err, tallystick.CodeOf(err), test.message, test.code)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the refused file was changed")
			}
		})
	}
}

func TestOpenAtOnce(t *testing.T) { databases(t, testOpenAtOnce) }

func testOpenAtOnce(t *testing.T, fresh func(testing.TB) Config) {
	config := fresh(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := Open(t.Context(), config)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestOpenAfterDeath: a process died while it made the database. Whatever it left beside the name is
// no obstacle, and neither is the empty file that older versions left at it.
func TestOpenAfterDeath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	for _, suffix := range []string{"", ".new", ".new-journal", ".new-wal", ".new-shm"} {
		content := []byte("half of something")
		if suffix == "" {
			content = nil
		}
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, Config{Path: path})
	left, err := filepath.Glob(path + ".new*")
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestReadIsReadOnlyAndOneState(t *testing.T) { databases(t, testReadIsReadOnlyAndOneState) }

func testReadIsReadOnlyAndOneState(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, oneReader(fresh(t)))
	if err := db.Write(t.Context(), insert("first")); err != nil {
		t.Fatal(err)
	}
	if err := db.Read(t.Context(), insert("second")); err == nil {
		t.Error("a read transaction could write")
	}
	err := db.Read(t.Context(), func(tx *Tx) error {
		count := func() (n int) {
			if err := tx.QueryRow("SELECT count(*) FROM notes").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		before := count()
		if err := db.Write(t.Context(), insert("meanwhile")); err != nil {
			return err
		}
		if after := count(); after != before {
			t.Errorf("the count went from %d to %d within one read", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := notes(t, db); len(got) != 2 {
		t.Errorf("notes %q", got)
	}
}

func TestReadAfterPanicAndCancel(t *testing.T) { databases(t, testReadAfterPanicAndCancel) }

func testReadAfterPanicAndCancel(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, oneReader(fresh(t)))
	func() {
		defer func() { recover() }()
		db.Read(t.Context(), func(tx *Tx) error {
			tx.Query("SELECT 1 UNION ALL SELECT 2")
			panic("reader")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Read(ctx, func(tx *Tx) error {
		time.AfterFunc(20*time.Millisecond, cancel)
		var n int // counts for minutes unless it is interrupted
		return tx.QueryRow("WITH RECURSIVE c (x) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT x + 1 FROM c WHERE x < 10000000000) SELECT count(*) FROM c").Scan(&n)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled read returned %v", err)
	}
	if err := db.Write(t.Context(), insert("after")); err != nil {
		t.Fatal(err)
	}
	if got := notes(t, db); len(got) != 1 {
		t.Errorf("notes %q", got)
	}
}

func TestNestedQueries(t *testing.T) { databases(t, testNestedQueries) }

func testNestedQueries(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	err := db.Write(t.Context(), func(tx *Tx) error {
		const query = "SELECT 1 UNION ALL SELECT 2"
		sum := 0
		outer, err := tx.Query(query)
		if err != nil {
			return err
		}
		for outer.Next() {
			inner, err := tx.Query(query) // the same statement, while it is being read
			if err != nil {
				return err
			}
			for inner.Next() {
				var a, b int
				if err := errors.Join(outer.Scan(&a), inner.Scan(&b)); err != nil {
					return err
				}
				sum += 10*a + b
			}
		}
		if sum != 11+12+21+22 {
			t.Errorf("sum %d", sum)
		}
		return outer.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatementCacheIsBounded(t *testing.T) {
	t.Parallel()
	db := open(t, Config{})
	err := db.Write(t.Context(), func(tx *Tx) error {
		for n := range 3 * maxStatements {
			if _, err := tx.Exec("SELECT " + strings.Repeat("1+", n%500) + "1"); err != nil {
				return err
			}
			if kept := len(tx.session.(*sqliteSession).statements); kept > maxStatements {
				t.Fatalf("%d statements kept", kept)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) { databases(t, testWatch) }

func testWatch(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	changed, stop := db.Watch()
	for range 3 {
		if err := db.Write(t.Context(), insert(rand())); err != nil {
			t.Fatal(err)
		}
	}
	<-changed
	stop()
	if err := db.Write(t.Context(), insert(rand())); err != nil {
		t.Fatal(err)
	}
}

// TestRowsReadAreCounted: what readers take counts, and nothing that is written.
func TestRowsReadAreCounted(t *testing.T) {
	t.Parallel()
	db := open(t, Config{})
	for _, note := range []string{"a", "b", "c"} {
		if err := db.Write(t.Context(), insert(note)); err != nil {
			t.Fatal(err)
		}
	}
	before := db.RowsRead()
	notes(t, db)
	if got := db.RowsRead() - before; got != 3 {
		t.Errorf("a query of three rows took %d", got)
	}
}
