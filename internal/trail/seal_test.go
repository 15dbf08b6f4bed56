package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// newSealer returns a sealer with a guard of its own, unless the ledger asks one.
func newSealer(t *testing.T, db *state.DB, ledger Ledger, prefix ...[]byte) *Sealer {
	t.Helper()
	guard, err := NewGuard(GuardConfig{DB: db, Origin: origin, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := ledger.(*memory); ok && m.guard != nil {
		guard = m.guard
	}
	s, err := NewSealer(SealerConfig{Guard: guard, Ledger: ledger})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeal(t *testing.T) { databases(t, testSeal) }

func testSeal(t *testing.T, fresh func(testing.TB) state.Config) {
	for name, prefix := range map[string][][]byte{"new": nil, "restored": {[]byte("the checkpoint before")}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, recorder := connect(t, fresh(t))
			guard, err := NewGuard(GuardConfig{DB: db, Origin: origin, Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			ledger := &memory{guard: guard}
			sealer := newSealer(t, db, ledger, prefix...)
			if _, err := sealer.Seal(t.Context()); !errors.Is(err, ErrFatal) {
				t.Errorf("sealed without Reconcile: %v", err)
			}
			if err := sealer.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
			reader := NewReader(db, origin)
			for round := range 3 {
				for range 7 {
					record(t, recorder, registration())
				}
				if n, oldest, err := reader.Unsealed(t.Context()); n != 7 || oldest.IsZero() || err != nil {
					t.Errorf("%d unsealed since %v, %v", n, oldest, err)
				}
				checkpoint, err := sealer.Seal(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(checkpoint, ledger.root()) || ledger.size() != uint64(7*(round+1)+len(prefix)) {
					t.Errorf("round %d: the checkpoint is not that of %d entries", round, ledger.size())
				}
			}
			if n, oldest, err := reader.Unsealed(t.Context()); n != 0 || !oldest.IsZero() || err != nil {
				t.Errorf("%d unsealed since %v, %v", n, oldest, err)
			}
			for e, err := range reader.All(t.Context(), Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Index == nil || *e.Index != e.Sequence-1+uint64(len(prefix)) {
					t.Errorf("event %d has index %v", e.Sequence, e.Index)
				}
			}
			c, err := ledger.compare(t.Context(), db, prefix...)
			if err != nil || c.Events != 21 || c.Entries != 21+uint64(len(prefix)) {
				t.Errorf("comparison %+v, %v", c, err)
			}
			if err := newSealer(t, db, ledger, prefix...).Reconcile(t.Context()); err != nil {
				t.Errorf("reconcile again: %v", err)
			}
		})
	}
}

// TestSealFaults crosses every call that the sealer makes with its failing before and after it has
// taken effect. After a restart everything that was recorded is in the ledger once and in order.
func TestSealFaults(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"append", "store", "size", "leaf", "checkpoint"} {
		for _, persists := range []bool{false, true} {
			if persists && operation != "append" {
				continue // reads have no effect
			}
			t.Run(fmt.Sprintf("%s persists=%t", operation, persists), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "state.db")
				db, recorder := reopen(t, path)
				ledger := &memory{}
				sealer := newSealer(t, db, ledger)
				if err := sealer.Reconcile(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 5 {
					record(t, recorder, registration())
				}
				if _, err := sealer.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 5 {
					record(t, recorder, registration())
				}
				if operation == "size" || operation == "leaf" { // called on a start only
					ledger.fail = func(string) (error, error) { return nil, errInjected }
					sealer.Seal(t.Context())
				}
				ledger.fail = func(o string) (before, after error) {
					if o == "append" && operation == "store" { // the place of what was appended cannot be stored
						db.Close()
					}
					if o == operation && persists {
						return nil, errInjected
					} else if o == operation {
						return errInjected, nil
					}
					return nil, nil
				}
				if operation == "append" || operation == "checkpoint" {
					if _, err := sealer.Seal(t.Context()); !errors.Is(err, errInjected) || errors.Is(err, ErrFatal) != (operation == "append") {
						t.Errorf("seal: %v", err)
					}
				}
				if operation == "store" {
					if _, err := sealer.Seal(t.Context()); !errors.Is(err, ErrFatal) || tallystick.CodeOf(err) != tallystick.Unavailable {
						t.Errorf("seal: %v", err)
					}
				}
				if operation == "append" {
					ledger.fail = nil
					if _, err := sealer.Seal(t.Context()); !errors.Is(err, ErrFatal) {
						t.Errorf("went on after a failed append: %v", err)
					}
				}
				if operation == "size" || operation == "leaf" {
					if err := newSealer(t, db, ledger).Reconcile(t.Context()); !errors.Is(err, errInjected) || !errors.Is(err, ErrFatal) {
						t.Errorf("reconcile: %v", err)
					}
				}

				ledger.fail = nil
				db.Close()
				db, recorder = reopen(t, path)
				sealer = newSealer(t, db, ledger)
				if err := sealer.Reconcile(t.Context()); err != nil {
					t.Fatal(err)
				}
				record(t, recorder, registration())
				if _, err := sealer.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				c, err := ledger.compare(t.Context(), db)
				if err != nil || c.Entries != 11 || c.Events != 11 {
					t.Errorf("comparison %+v, %v", c, err)
				}
			})
		}
	}
}

// TestReconcileRefuses shows a sealer ledgers that are not its own.
func TestReconcileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(leaves [][]byte) [][]byte
		want   string
	}{
		"went back":      {func(l [][]byte) [][]byte { return l[:2] }, "the ledger ends here"},
		"unknown entry":  {func(l [][]byte) [][]byte { return append(l, l[0]) }, "event 5, ledger entry 4: the ledger holds another leaf"},
		"beyond the end": {func(l [][]byte) [][]byte { return append(l, l[0], l[1], l[2]) }, "event 5, ledger entry 4"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, recorder := open(t)
			ledger := &memory{}
			sealer := newSealer(t, db, ledger)
			if err := sealer.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				record(t, recorder, registration())
			}
			if _, err := sealer.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			record(t, recorder, registration())
			ledger.leaves = test.change(ledger.leaves)
			sealer = newSealer(t, db, ledger)
			err := sealer.Reconcile(t.Context())
			var difference *Difference
			if !errors.As(err, &difference) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if _, err := sealer.Seal(t.Context()); !errors.Is(err, ErrFatal) {
				t.Errorf("sealed after that: %v", err)
			}
		})
	}
}

func TestWholeBundles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		index uint64
		n     int
		want  int
	}{{0, 1, 1}, {0, 255, 255}, {0, 256, 256}, {0, 257, 256}, {0, 4096, 4096}, {1, 255, 255}, {1, 256, 255}, {1, 4096, 4095}, {255, 1, 1}, {255, 2, 1}, {300, 200, 200}, {300, 213, 212}} {
		if got := wholeBundles(test.index, test.n); got != test.want {
			t.Errorf("wholeBundles(%d, %d) = %d, want %d", test.index, test.n, got, test.want)
		}
	}
}

// TestRun seals as events come, without being asked.
func TestRun(t *testing.T) { databases(t, testRun) }

func testRun(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	ledger := &memory{}
	sealer := newSealer(t, db, ledger)
	if err := sealer.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	appended := make(chan struct{}, 100)
	ledger.fail = func(string) (error, error) { appended <- struct{}{}; return nil, nil }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- sealer.Run(ctx) }()
	for range 3 {
		record(t, recorder, registration())
		<-appended
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	ledger.fail = func(string) (error, error) { return errInjected, nil }
	record(t, recorder, registration())
	if err := sealer.Run(t.Context()); !errors.Is(err, ErrFatal) || !errors.Is(err, errInjected) {
		t.Errorf("a failed append ended it with %v", err)
	}
}

func TestGuard(t *testing.T) { databases(t, testGuard) }

func testGuard(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	for range 600 {
		record(t, recorder, registration())
	}
	ledger := &memory{}
	err := db.Read(t.Context(), func(tx *state.Tx) (err error) {
		ledger.leaves, err = leaves(tx, 1, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	root := func(n int) []byte { return (&memory{leaves: ledger.leaves[:n]}).root() }
	newGuard := func() *Guard {
		g, err := NewGuard(GuardConfig{DB: db, Origin: origin})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	swapped := slices.Clone(ledger.leaves[:300])
	swapped[7], swapped[8] = swapped[8], swapped[7]
	steps := []struct {
		name string
		size int
		root []byte
		want string // in the error; empty for none
	}{
		{"empty", 0, root(0), ""},
		{"first", 1, root(1), ""},
		{"again", 1, root(1), ""},
		{"larger", 255, root(255), ""},
		{"another of that size", 255, root(254), "forked"},
		{"smaller", 254, root(254), "gone back"},
		{"entries in another order", 300, (&memory{leaves: swapped}).root(), "not that of the recorded events"},
		{"a root of another size", 300, root(299), "not that of the recorded events"},
		{"more than there are events", 601, root(600), "no event"},
		{"after refusals", 300, root(300), ""},
		{"all", 600, root(600), ""},
	}
	guard := newGuard()
	for _, step := range steps {
		err := guard.Advance(t.Context(), origin, uint64(step.size), step.root)
		if (step.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: error %v, want %q", step.name, err, step.want)
		}
		if err != nil && tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("%s: code %q", step.name, tallystick.CodeOf(err))
		}
	}
	if err := guard.Advance(t.Context(), "another/origin", 600, root(600)); err == nil {
		t.Error("another origin was allowed")
	}
	next := newGuard()
	if err := next.Advance(t.Context(), origin, 600, root(600)); err != nil {
		t.Errorf("a new signer: %v", err)
	}
	if err := guard.Advance(t.Context(), origin, 600, root(600)); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("the old signer after a new one: %v", err)
	}
}

// TestGuardBehindTheRow: batches are stored while the first trees wait for their signature, as on a slow
// machine. Each tree on the way is that of the recorded events, and is signed.
func TestGuardBehindTheRow(t *testing.T) { databases(t, testGuardBehindTheRow) }

func testGuardBehindTheRow(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	ledger := &memory{}
	sealer := newSealer(t, db, ledger, []byte("the checkpoint before"))
	if err := sealer.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	guard := sealer.config.Guard
	for _, step := range []struct {
		events, size, of int    // of is the size of the tree whose root is shown
		want             string // in the error; empty for none
	}{
		{10, 1, 1, ""},
		{0, 1, 1, ""},
		{0, 5, 5, ""},
		{0, 4, 4, "gone back"},
		{0, 7, 8, "not that of the recorded events"},
		{0, 5, 4, "not that of the recorded events"},
		{10, 11, 11, ""},
		{10, 28, 28, ""},
		{0, 21, 21, "gone back"},
		{0, 31, 30, "forked"},
		{0, 31, 31, ""},
		{0, 30, 30, "gone back"},
	} {
		for range step.events {
			record(t, recorder, registration())
		}
		if step.events > 0 {
			if _, err := sealer.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		root := (&memory{leaves: ledger.leaves[:step.of]}).root()
		err := guard.Advance(t.Context(), origin, uint64(step.size), root)
		if (step.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("a tree of %d after %d entries: %v, want %q", step.size, len(ledger.leaves), err, step.want)
		}
	}
	other, err := NewGuard(guard.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Advance(t.Context(), origin, 30, (&memory{leaves: ledger.leaves[:30]}).root()); err == nil {
		t.Error("another signer was allowed a smaller tree")
	}
}

// TestCompareNamesTheFirstDifference changes ledger or database in one place.
func TestCompareNamesTheFirstDifference(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		leaves func([][]byte) [][]byte
		query  string
		want   string
	}{
		"equal":               {want: ""},
		"entry changed":       {leaves: func(l [][]byte) [][]byte { l[3] = bytes.Replace(l[3], []byte("high"), []byte("none"), 1); return l }, want: "event 4, ledger entry 3: event"},
		"entries swapped":     {leaves: func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l }, want: "event 4, ledger entry 3: the ledger holds event"},
		"entry is no event":   {leaves: func(l [][]byte) [][]byte { l[0] = []byte("{}"); return l }, want: "event 1, ledger entry 0: the ledger's entry is no event"},
		"entry added":         {leaves: func(l [][]byte) [][]byte { return append(l, l[0]) }, want: "ledger entry 10: there is no event"},
		"entry twice":         {leaves: func(l [][]byte) [][]byte { return slices.Insert(l, 5, l[5]) }, want: "event 7, ledger entry 6"},
		"event deleted":       {query: "DELETE FROM event_columns WHERE sequence = 10; DELETE FROM events WHERE sequence = 10", want: "ledger entry 9: there is no event"},
		"event changed":       {query: "UPDATE events SET leaf = replace(leaf, 'high', 'none') WHERE sequence = 2", want: "event 2, ledger entry 1"},
		"column changed":      {query: "UPDATE event_columns SET outcome = 'denied' WHERE sequence = 6", want: "event 6, ledger entry 5: its outcome is denied in the columns for questions and success"},
		"time changed":        {query: "UPDATE event_columns SET time_ms = time_ms + 1 WHERE sequence = 6", want: "event 6, ledger entry 5: its time"},
		"latest changed":      {query: "UPDATE event_columns SET latest_ms = latest_ms + 1 WHERE sequence = 6", want: "event 6, ledger entry 5: its latest time"},
		"lateness changed":    {query: "UPDATE event_columns SET late_ms = late_ms + 1 WHERE sequence = 6", want: "event 6, ledger entry 5: its lateness"},
		"resource changed":    {query: "UPDATE event_columns SET resource_id = 'other' WHERE sequence = 6", want: "its resource id"},
		"columns missing":     {query: "DELETE FROM event_columns WHERE sequence = 6", want: "event 6, ledger entry 5: its sequence is 7 in the columns"},
		"columns of nothing":  {query: "INSERT INTO event_columns SELECT 11, 'x', type, time_ms, latest_ms, late_ms, resource_type, resource_id, model, outcome, actor FROM event_columns WHERE sequence = 1", want: "event 11, ledger entry 0: it has columns"},
		"columns cut":         {query: "DELETE FROM event_columns WHERE sequence > 6", want: ""}, // made again by the next question
		"actor changed":       {query: "UPDATE event_columns SET actor = 'other' WHERE sequence = 6", want: "its actor"},
		"disclosure changed":  {query: "UPDATE events SET disclosures = replace(CAST(disclosures AS TEXT), 'grace', 'diana') WHERE sequence = 6", want: "not the one that was recorded"},
		"seal has a gap":      {query: "UPDATE seals SET count = count - 1 WHERE first_sequence = 1", want: "event 5"},
		"seal names an index": {query: "UPDATE seals SET first_index = first_index + 1 WHERE first_sequence = 6", want: "event 6, ledger entry 5: the database says that event 6 is at index 6"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, recorder := open(t)
			ledger := &memory{}
			sealer := newSealer(t, db, ledger)
			if err := sealer.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for range 5 {
					record(t, recorder, registration())
				}
				if _, err := sealer.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := NewReader(db, origin).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if test.query != "" {
				err := db.Write(t.Context(), func(tx *state.Tx) error {
					for _, trigger := range []string{"events_never_change", "events_stay", "seals_never_change", "seals_stay"} {
						if _, err := tx.Exec("DROP TRIGGER " + trigger); err != nil {
							return err
						}
					}
					// replace() makes text of a blob, which the column refuses.
					query := strings.Replace(test.query, "replace(leaf, 'high', 'none')", "CAST(replace(CAST(leaf AS TEXT), 'high', 'none') AS BLOB)", 1)
					query = strings.Replace(query, "replace(CAST(disclosures AS TEXT), 'grace', 'diana')", "CAST(replace(CAST(disclosures AS TEXT), 'grace', 'diana') AS BLOB)", 1)
					for query := range strings.SplitSeq(query, "; ") {
						if _, err := tx.Exec(query); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if test.leaves != nil {
				ledger.leaves = test.leaves(ledger.leaves)
			}
			_, err := ledger.compare(t.Context(), db)
			if err == nil {
				_, err = CheckEvents(t.Context(), NewReader(db, origin))
			}
			if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			var difference *Difference
			if err != nil && !errors.As(err, &difference) {
				t.Errorf("error %v is no Difference", err)
			}
		})
	}
}
