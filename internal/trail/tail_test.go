package trail

import (
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// TestTailAndColumnsAgree puts the same questions to a trail whose events have columns, have none, and
// have them in part: the answers are one. Its clock is set back now and then.
func TestTailAndColumnsAgree(t *testing.T) { databases(t, testTailAndColumnsAgree) }

func testTailAndColumnsAgree(t *testing.T, fresh func(testing.TB) state.Config) {
	config := fresh(t)
	random := mathrand.New(mathrand.NewPCG(5, 5))
	start := time.UnixMilli(1_700_000_000_000)
	now := start
	db, err := state.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	recorder, err := NewRecorder(RecorderConfig{DB: db, Source: origin, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	const n = maxTail
	for i := range n {
		now = now.Add(time.Duration(random.IntN(20)-6) * time.Second)
		e := registration()
		e.Actor.ID = fmt.Sprint("person ", i%3)
		if i%5 == 0 {
			e = Entry{
				Type: CommandRefused, Actor: e.Actor, Resource: Resource{"version", "compas@1"}, Outcome: tallystick.Denied, Data: map[string]any{"command": "x", "model": fmt.Sprint("m", i%2)},
			}
		}
		if _, err := recorder.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var filters []Filter
	for range 300 {
		f := Filter{Newest: random.IntN(2) == 0, Limit: 1 + random.IntN(n+10)}
		set := func(fn func()) {
			if random.IntN(4) == 0 {
				fn()
			}
		}
		moment := func() time.Time { return start.Add(time.Duration(random.IntN(500)) * time.Second) }
		set(func() { f.Type = CommandRefused })
		set(func() { f.Without = []Type{WindowJudged, CommandRefused} })
		set(func() { f.Actor = fmt.Sprint("person ", random.IntN(4)) })
		set(func() { f.Model = fmt.Sprint("m", random.IntN(2)) })
		set(func() { f.Resource.Type = "version" })
		set(func() { f.Resource.ID = "compas@1" })
		set(func() { f.Outcome = []tallystick.Outcome{tallystick.Success, tallystick.Denied}[random.IntN(2)] })
		set(func() { f.Since = moment() })
		set(func() { f.Until = moment() })
		set(func() { f.After = uint64(random.IntN(n)) })
		set(func() { f.Before = uint64(random.IntN(n)) })
		filters = append(filters, f)
	}
	type answer struct {
		Sequences []uint64
		Count     uint64
	}
	ask := func() (all []answer) {
		reader := NewReader(db, origin)
		for _, f := range filters {
			events, err := reader.Events(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			var a answer
			for _, e := range events {
				a.Sequences = append(a.Sequences, e.Sequence)
			}
			if a.Count, err = reader.Count(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		return all
	}
	var moments []time.Time
	for range 50 {
		moments = append(moments, start.Add(time.Duration(random.IntN(1500)-100)*time.Second))
	}
	bounded := func() (n int) {
		events, err := NewReader(db, origin).Events(t.Context(), Filter{Limit: maxLimit})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *state.Tx) error {
			for _, moment := range moments {
				from, err := NotBefore(tx, moment)
				if err != nil {
					return err
				}
				for _, e := range events {
					if from > 0 && e.Sequence >= from && e.Time.Before(moment) {
						t.Errorf("from event %d on none is to be before %s, and %d is of %s", from, moment, e.Sequence, e.Time)
					}
				}
				if from > 0 {
					n++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	bare := ask()
	bounded()
	found := 0
	for _, a := range bare {
		found += len(a.Sequences)
	}
	if found < 1000 {
		t.Errorf("only %d events were found: the questions do not ask what they should", found)
	}
	if err := NewReader(db, origin).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, ask()); diff != "" {
		t.Errorf("with columns (+) it is otherwise: %s", diff)
	}
	if n := bounded(); n < len(moments)/4 {
		t.Errorf("only %d moments of %d have a bound", n, len(moments))
	}
	err = db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec("DELETE FROM event_columns WHERE sequence > ?", n/2)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bare, ask()); diff != "" {
		t.Errorf("with columns in part (+) it is otherwise: %s", diff)
	}
	bounded()
}
