package state

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick"
)

func rand() string { return cryptorand.Text() }

// hold occupies the writer until release is called, so that what is written meanwhile becomes one group.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	running, released := make(chan struct{}), make(chan struct{})
	finished := make(chan error, 1)
	var once sync.Once
	go func() {
		finished <- db.Write(context.Background(), func(*Tx) error {
			once.Do(func() { close(running) })
			<-released
			return nil
		})
	}()
	<-running
	return func() {
		close(released)
		if err := <-finished; err != nil && !errors.Is(err, ErrOutcomeUnknown) { // shares the group's fate
			t.Error(err)
		}
	}
}

// together writes all of fns in one group and returns their errors.
func together(t *testing.T, db *DB, fns ...func(*Tx) error) []error {
	t.Helper()
	errs := make([]error, len(fns))
	release := hold(t, db)
	var wg sync.WaitGroup
	for i, fn := range fns {
		wg.Go(func() { errs[i] = db.Write(context.Background(), fn) })
		for len(db.queue) <= i { // in order
			runtime.Gosched()
		}
	}
	release()
	wg.Wait()
	return errs
}

// TestMembersAreIndependent puts a member that goes wrong, in each way that there is, between two
// that do not.
func TestMembersAreIndependent(t *testing.T) { databases(t, testMembersAreIndependent) }

func testMembersAreIndependent(t *testing.T, fresh func(testing.TB) Config) {
	ours := errors.New("ours")
	tests := map[string]struct {
		fn   func(*Tx) error
		want string // in the error; empty for none
		kept bool   // what it wrote
	}{
		"returns an error": {func(tx *Tx) error { return errors.Join(insert("middle")(tx), ours) }, "ours", false},
		"panics": {func(tx *Tx) error {
			insert("middle")(tx)
			panic("deliberate")
		}, "panic in a write: deliberate", false},
		"breaks a constraint": {func(tx *Tx) error {
			return errors.Join(insert("middle")(tx), insert("middle")(tx))
		}, "unique", false},
		"writes no SQL":       {func(tx *Tx) error { _, err := tx.Exec("INSERT nonsense"); return err }, "syntax error", false},
		"leaves rows open":    {func(tx *Tx) error { tx.Query("SELECT 1 UNION SELECT 2"); return insert("middle")(tx) }, "", true},
		"swallows its error":  {func(tx *Tx) error { insert("middle")(tx); insert("first")(tx); return nil }, "unique", false},
		"ends the savepoint":  {func(tx *Tx) error { _, err := tx.Exec("RELEASE member"); return err }, "cannot begin or end", false},
		"ends the group's tx": {func(tx *Tx) error { _, err := tx.Exec("ROLLBACK"); return err }, "cannot begin or end", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, fresh(t))
			errs := together(t, db, insert("first"), test.fn, insert("last"))
			if errs[0] != nil || errs[2] != nil {
				t.Errorf("the neighbours got %v and %v", errs[0], errs[2])
			}
			if (test.want == "") != (errs[1] == nil) || errs[1] != nil && !strings.Contains(strings.ToLower(errs[1].Error()), test.want) {
				t.Errorf("error %v, want %q", errs[1], test.want)
			}
			want := []string{"first", "last"}
			if test.kept {
				want = []string{"first", "middle", "last"}
			}
			if got := notes(t, db); !slices.Equal(got, want) {
				t.Errorf("notes %q, want %q", got, want)
			}
			if err := db.Write(t.Context(), insert("next")); err != nil {
				t.Errorf("the next write: %v", err)
			}
		})
	}
}

// TestLostTransaction loses the group's transaction at its commit: a foreign key that is checked
// only then. Each member runs again alone and only the guilty one fails.
func TestLostTransaction(t *testing.T) { databases(t, testLostTransaction) }

func testLostTransaction(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	err := db.Write(t.Context(), func(tx *Tx) error {
		return create(tx, "CREATE TABLE refs (note INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED) STRICT")
	})
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	dangling := func(tx *Tx) error { _, err := tx.Exec("INSERT INTO refs (note) VALUES (999)"); return err }
	seesOthers := func(tx *Tx) error { // fails only as long as it is in one transaction with dangling
		runs++
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM refs").Scan(&n); err != nil || n > 0 {
			return fmt.Errorf("%d rows, %w", n, err)
		}
		return insert("late")(tx)
	}
	errs := together(t, db, insert("first"), dangling, seesOthers, insert("last"))
	if errs[0] != nil || errs[2] != nil || errs[3] != nil {
		t.Errorf("the innocent got %v, %v and %v", errs[0], errs[2], errs[3])
	}
	if errs[1] == nil || !strings.Contains(strings.ToLower(errs[1].Error()), "foreign key") {
		t.Errorf("the guilty got %v", errs[1])
	}
	if runs != 2 {
		t.Errorf("ran %d times, want 2", runs)
	}
	if got, want := notes(t, db), []string{"first", "late", "last"}; !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
}

func TestCancelledCaller(t *testing.T) { databases(t, testCancelledCaller) }

func testCancelledCaller(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := db.Write(ended, insert("never"))
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("cancelled before the call: %v", err)
	}

	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() { answer <- db.Write(ctx, insert("withdrawn")) }()
	for len(db.queue) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	release()

	ctx, cancel = context.WithCancel(t.Context())
	running, released := make(chan struct{}), make(chan struct{})
	go func() {
		answer <- db.Write(ctx, func(tx *Tx) error {
			close(running)
			<-released
			return insert("unknown")(tx)
		})
	}()
	<-running
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("cancelled while running: %v", err)
	}
	close(released)
	if err := db.Write(t.Context(), insert("next")); err != nil {
		t.Fatal(err)
	}
	if got, want := notes(t, db), []string{"unknown", "next"}; !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
}

func TestFullQueueWaits(t *testing.T) { databases(t, testFullQueueWaits) }

func testFullQueueWaits(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	release := hold(t, db)
	var wg sync.WaitGroup
	for range queueLength {
		wg.Go(func() {
			if err := db.Write(t.Context(), insert(rand())); err != nil {
				t.Error(err)
			}
		})
	}
	for len(db.queue) < queueLength {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() { answer <- db.Write(ctx, insert("too many")) }()
	runtime.Gosched()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("cancelled at a full queue: %v", err)
	}
	release()
	wg.Wait()
	if got := len(notes(t, db)); got != queueLength {
		t.Errorf("%d notes, want %d", got, queueLength)
	}
}

func TestGoexitDoesNotHang(t *testing.T) { databases(t, testGoexitDoesNotHang) }

func testGoexitDoesNotHang(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	if err := db.Write(t.Context(), func(*Tx) error { runtime.Goexit(); return nil }); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("the write that ended the goroutine got %v", err)
	}
	go db.Close()
	if err := db.Write(t.Context(), insert("later")); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("the next write got %v", err)
	}
}

// TestFull fills a database that may not grow, which SQLite reports as it reports a full disk.
func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, Config{Path: path, maxPages: 400})
	fillAndReopen(t, db, path, func() {})
}

// fillAndReopen writes until the database is full and checks that it stops for good, and that
// after space was freed and a restart everything acknowledged is there.
func fillAndReopen(t *testing.T, db *DB, path string, free func()) {
	t.Helper()
	var acknowledged []string
	var full error
	for full == nil {
		note := rand() + strings.Repeat("x", 3000)
		if full = db.Write(t.Context(), insert(note)); full == nil {
			acknowledged = append(acknowledged, note)
		}
		if len(acknowledged) > 10_000 {
			t.Fatal("never full")
		}
	}
	if tallystick.CodeOf(full) != tallystick.Unavailable || !strings.Contains(full.Error(), "free space") || !errors.Is(full, ErrOutcomeUnknown) {
		t.Errorf("error when full: %v", full)
	}
	err := db.Write(t.Context(), func(*Tx) error { t.Error("ran after the database had stopped"); return nil })
	if tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "free space") || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("error of the next write: %v", err)
	}
	db.Close()

	free()
	again := open(t, Config{Path: path})
	if err := again.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := again.Write(t.Context(), insert("after")); err != nil {
		t.Error(err)
	}
	if got, want := notes(t, again), append(acknowledged, "after"); !slices.Equal(got, want) {
		t.Errorf("%d notes after the restart, want %d", len(got), len(want))
	}
}

// TestAcknowledgedIsPresent lets many callers write, fail, panic and give up at random, and then
// looks for every note: what was acknowledged is there once, what was refused is not.
func TestAcknowledgedIsPresent(t *testing.T) { databases(t, testAcknowledgedIsPresent) }

func testAcknowledgedIsPresent(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	type result struct {
		note string
		err  error
	}
	results := make(chan result, 32*100)
	var wg sync.WaitGroup
	for caller := range 32 {
		wg.Go(func() {
			r := mathrand.New(mathrand.NewPCG(uint64(caller), 1))
			for n := range 100 {
				note := fmt.Sprintf("%d/%d", caller, n)
				fn := insert(note)
				ctx, cancel := context.WithCancel(t.Context())
				switch r.IntN(6) {
				case 0:
					fn = func(tx *Tx) error { return errors.Join(insert(note)(tx), errors.New("refused")) }
				case 1:
					fn = func(tx *Tx) error { insert(note)(tx); panic("refused") }
				case 2:
					go cancel()
				}
				results <- result{note, db.Write(ctx, fn)}
				cancel()
			}
		})
	}
	wg.Wait()
	close(results)
	present := make(map[string]int)
	for i, note := range notes(t, db) {
		present[note] = i + 1
	}
	last := make(map[string]int) // of each caller, the place of its last acknowledged note
	for r := range results {
		place := present[r.note]
		caller, _, _ := strings.Cut(r.note, "/")
		switch {
		case r.err == nil && place == 0:
			t.Errorf("note %s was acknowledged and is not there", r.note)
		case r.err == nil && place < last[caller]:
			t.Errorf("note %s stands before an earlier one of its caller", r.note)
		case r.err != nil && !errors.Is(r.err, ErrOutcomeUnknown) && place != 0:
			t.Errorf("note %s was refused (%v) and is there", r.note, r.err)
		}
		if r.err == nil {
			last[caller] = place
		}
	}
}

// TestMemo counts in the memo what the members of a group write: one that is undone must not count, nor a first run of all.
func TestMemo(t *testing.T) { databases(t, testMemo) }

func testMemo(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	type key struct{}
	var seen []int
	counted := func(fails bool) func(*Tx) error {
		return func(tx *Tx) error {
			n, known := tx.Memo()[key{}].(int)
			if !known {
				if err := tx.QueryRow("SELECT count(*) FROM notes").Scan(&n); err != nil {
					return err
				}
			}
			if err := insert(rand())(tx); err != nil {
				return err
			}
			n++
			tx.Memo()[key{}] = n
			seen = append(seen, n)
			if fails {
				return errors.New("refused")
			}
			return nil
		}
	}
	together(t, db, counted(false), counted(false), counted(true), counted(false))
	together(t, db, counted(false))
	if want := []int{1, 2, 3, 1, 2, 3, 3, 4}; !slices.Equal(seen, want) {
		t.Errorf("counted %d, want %d", seen, want)
	}
}
