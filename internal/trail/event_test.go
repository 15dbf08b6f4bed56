package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

func TestRecordInOneTransaction(t *testing.T) { databases(t, testRecordInOneTransaction) }

func testRecordInOneTransaction(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	ours := errors.New("ours")
	err := db.Write(t.Context(), func(tx *state.Tx) error {
		if _, err := recorder.RecordIn(tx, entry()); err != nil {
			return err
		}
		return ours
	})
	if !errors.Is(err, ours) {
		t.Fatal(err)
	}
	var receipts []Receipt
	err = db.Write(t.Context(), func(tx *state.Tx) error {
		receipts = nil
		for range 2 {
			r, err := recorder.RecordIn(tx, entry())
			if err != nil {
				return err
			}
			receipts = append(receipts, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if receipts[0].Sequence != 1 || receipts[1].Sequence != 2 {
		t.Errorf("sequences %d and %d after one that was rolled back", receipts[0].Sequence, receipts[1].Sequence)
	}
}

// TestSequenceHasNoGap records from many goroutines, some of which fail.
func TestSequenceHasNoGap(t *testing.T) { databases(t, testSequenceHasNoGap) }

func testSequenceHasNoGap(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	var wg sync.WaitGroup
	for caller := range 16 {
		wg.Go(func() {
			var last uint64
			for n := range 20 {
				if (caller+n)%5 == 0 {
					db.Write(context.Background(), func(tx *state.Tx) error {
						recorder.RecordIn(tx, entry())
						panic("deliberate")
					})
					continue
				}
				r := record(t, recorder, registration())
				if r.Sequence <= last {
					t.Errorf("sequence %d after %d", r.Sequence, last)
				}
				last = r.Sequence
			}
		})
	}
	wg.Wait()
	n, err := CheckEvents(t.Context(), NewReader(db, origin))
	if err != nil || n != 16*20*4/5 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestFilter(t *testing.T) { databases(t, testFilter) }

func testFilter(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	start := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	now := start
	recorder.config.Now = func() time.Time { now = now.Add(time.Minute); return now }
	for n := range 10 {
		e := entry()
		if n%2 == 1 {
			e = registration()
		}
		e.Actor.ID = fmt.Sprintf("person %d", n%3)
		if n%4 == 3 {
			e.Outcome = tallystick.Denied
		}
		record(t, recorder, e)
	}
	reader := NewReader(db, origin)
	tests := map[string]struct {
		filter Filter
		want   []uint64
	}{
		"all":          {Filter{}, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		"type":         {Filter{Type: ModelRegistered}, []uint64{2, 4, 6, 8, 10}},
		"actor":        {Filter{Actor: "person 0"}, []uint64{1, 4, 7, 10}},
		"resource":     {Filter{Resource: Resource{"version", "compas@1"}}, []uint64{1, 3, 5, 7, 9}},
		"kind of it":   {Filter{Resource: Resource{Type: "model"}}, []uint64{2, 4, 6, 8, 10}},
		"outcome":      {Filter{Outcome: tallystick.Denied}, []uint64{4, 8}},
		"since":        {Filter{Since: start.Add(9 * time.Minute)}, []uint64{9, 10}},
		"until":        {Filter{Until: start.Add(2 * time.Minute)}, []uint64{1}},
		"after":        {Filter{After: 8}, []uint64{9, 10}},
		"before":       {Filter{Before: 3}, []uint64{1, 2}},
		"newest":       {Filter{Newest: true, Limit: 3}, []uint64{10, 9, 8}},
		"together":     {Filter{Type: ModelRegistered, Outcome: tallystick.Denied, After: 4}, []uint64{8}},
		"their kind":   {Filter{Type: ModelRegistered, Actor: "person 0", Model: "compas"}, []uint64{4, 10}},
		"none":         {Filter{Actor: "nobody"}, nil},
		"limit":        {Filter{Limit: 2}, []uint64{1, 2}},
		"beyond limit": {Filter{Limit: 1_000_000}, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := reader.Events(t.Context(), test.filter)
			if err != nil {
				t.Fatal(err)
			}
			if got := sequences(events); !slices.Equal(got, test.want) {
				t.Errorf("events %d, want %d", got, test.want)
			}
			if test.filter.Limit > 0 && test.filter.Limit < 10 {
				return
			}
			if n, err := reader.Count(t.Context(), test.filter); err != nil || n != uint64(len(test.want)) {
				t.Errorf("count %d, %v, want %d", n, err, len(test.want))
			}
			for _, newest := range []bool{false, true} {
				var all []Event
				f := test.filter
				f.Limit, f.Newest = 3, newest
				for e, err := range reader.All(t.Context(), f) {
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, e)
				}
				got := sequences(all)
				if newest {
					slices.Reverse(got)
				}
				want := slices.Sorted(slices.Values(test.want))
				if !slices.Equal(got, want) {
					t.Errorf("page by page %d, want %d", got, want)
				}
			}
		})
	}
}

func sequences(events []Event) (s []uint64) {
	for _, e := range events {
		s = append(s, e.Sequence)
	}
	return s
}

func TestEventByName(t *testing.T) { databases(t, testEventByName) }

func testEventByName(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	receipt := record(t, recorder, entry())
	record(t, recorder, registration())
	reader := NewReader(db, origin)
	for name, want := range map[string]uint64{receipt.ID: 1, "1": 1, "2": 2} {
		e, err := reader.Event(t.Context(), name)
		if err != nil || e.Sequence != want {
			t.Errorf("event %q: %d, %v", name, e.Sequence, err)
		}
	}
	for _, name := range []string{"0", "3", "", "x", "-1", "99999999999999999999"} {
		if _, err := reader.Event(t.Context(), name); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("event %q: %v", name, err)
		}
	}
}

// TestEventsNeverChange tries to change what has been recorded. Only what opens a commitment may go,
// and after that every other field still opens.
func TestEventsNeverChange(t *testing.T) {
	t.Parallel()
	db, recorder := open(t)
	record(t, recorder, entry())
	for _, query := range []string{
		"UPDATE events SET leaf = x'7b7d'",
		"UPDATE events SET leaf = x'7b7d', disclosures = x'5b5d'",
		"UPDATE events SET sequence = 2",
		"DELETE FROM events",
		"INSERT OR REPLACE INTO events SELECT sequence, x'7b7d', disclosures FROM events",
	} {
		err := db.Write(t.Context(), func(tx *state.Tx) error {
			_, err := tx.Exec(query)
			return err
		})
		if err == nil {
			t.Errorf("allowed: %s", query)
		}
	}
	err := db.Write(t.Context(), func(tx *state.Tx) error {
		if _, err := tx.Exec("UPDATE event_columns SET actor = NULL"); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE events SET disclosures = CAST(
			(SELECT json_group_array(json(value)) FROM json_each(CAST(disclosures AS TEXT)) WHERE value ->> 1 <> '/actor/id') AS BLOB)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(db, origin)
	e, err := reader.Event(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, open := data["actor"].(map[string]any)["id"].(string); open || e.Actor != "" {
		t.Error("the actor can still be read")
	}
	if data["purpose"] != "release" {
		t.Errorf("purpose %v", data["purpose"])
	}
	if _, err := CheckEvents(t.Context(), reader); err != nil {
		t.Error(err)
	}
}

func TestIntents(t *testing.T) { databases(t, testIntents) }

func testIntents(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	reader := NewReader(db, origin)
	e := Entry{
		Type:     BundleExported,
		Actor:    Actor{ID: "ada@example.org", Kind: "person"},
		Resource: Resource{Type: "version", ID: "compas@1"},
		Data:     map[string]any{"path": "out/evidence.tally", "events": 3},
	}
	wrong := e
	wrong.Outcome = tallystick.Success
	if _, err := recorder.Intend(t.Context(), wrong); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("an intent with an outcome: %v", err)
	}
	first, err := recorder.Intend(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	second, err := recorder.Intend(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	done := Result{Outcome: tallystick.Success, Data: map[string]any{"bundle_digest": someDigest}}
	if _, err := first.Finish(t.Context(), Result{Outcome: tallystick.Success}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a success without its digest: %v", err)
	}
	if _, err := first.Finish(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Finish(t.Context(), done); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a second outcome: %v", err)
	}
	open, err := reader.OpenIntents(t.Context())
	if err != nil || len(open) != 1 || open[0].Sequence != second.Sequence {
		t.Fatalf("open intents %v, %v", sequences(open), err)
	}

	resumed, err := recorder.Resume(open[0], Actor{ID: "grace@example.org", Kind: "person"})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := resumed.FinishIn(tx, Result{Outcome: tallystick.Failed, Description: "the disk was full"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if open, err := reader.OpenIntents(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("open intents %v, %v", sequences(open), err)
	}
	outcome, err := reader.Event(t.Context(), "4")
	if err != nil {
		t.Fatal(err)
	}
	data, err := outcome.Data()
	if err != nil {
		t.Fatal(err)
	}
	if data["intent"] != second.ID || data["phase"] != "outcome" || data["events"] != 3.0 || outcome.Actor != "grace@example.org" {
		t.Errorf("outcome of the second: %v", data)
	}
	if _, err := recorder.Resume(outcome, Actor{ID: "x", Kind: "person"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("resumed an outcome: %v", err)
	}
	if n, err := CheckEvents(t.Context(), reader); n != 4 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}

// Any finds an event behind the columns as well as one that has them.
func TestAny(t *testing.T) {
	t.Parallel()
	db, recorder := connect(t, state.Config{Path: t.TempDir() + "/state.db"})
	reader := NewReader(db, origin)
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			want    bool
			filters []Filter
		}{
			{false, nil},
			{false, []Filter{{Type: ModelRetired}, {Actor: "nobody"}}},
			{true, []Filter{{Type: ModelRetired}, {Type: ModelRegistered}}},
			{false, []Filter{{Type: ModelRegistered, Before: 1}}},
		} {
			if got, err := reader.Any(t.Context(), c.filters...); err != nil || got != c.want {
				t.Errorf("%s: %+v: %t, %v", when, c.filters, got, err)
			}
		}
	}
	record(t, recorder, registration())
	check("behind the columns")
	if err := reader.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("with columns")
}

// What a replay does not decode can be none of its changes.
func TestConcerns(t *testing.T) {
	t.Parallel()
	db, recorder := connect(t, state.Config{Path: t.TempDir() + "/state.db"})
	e := registration()
	e.Resource.Type = string(ModelUpdated) // the type of something else
	sequence := record(t, recorder, e).Sequence
	event, err := NewReader(db, origin).Event(t.Context(), fmt.Sprint(sequence))
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[Type]bool{ModelRegistered: true, ModelUpdated: true, VersionRegistered: false} {
		if p := (Replayer{Changes: map[Type]func() Change{kind: nil}}); p.concerns(event.Leaf) != want {
			t.Errorf("%s: %t", kind, !want)
		}
	}
}
