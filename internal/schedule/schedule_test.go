package schedule

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

var quiet = slog.New(slog.DiscardHandler)

// clock is one that a test sets.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func open(t *testing.T, now func() time.Time) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func plan(t *testing.T, db *state.DB, j Job) *Schedule {
	t.Helper()
	s, err := New(db, quiet, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.enrol(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return s
}

func pass(t *testing.T, s *Schedule) time.Duration {
	t.Helper()
	wait, err := s.pass(t.Context(), s.jobs[0])
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func standing(t *testing.T, s *Schedule) Standing {
	t.Helper()
	list, err := s.Standings(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("standings: %v, %v", list, err)
	}
	list[0].Took = 0 // the machine's affair
	return list[0]
}

func TestRunsWhenDue(t *testing.T) {
	t.Parallel()
	c := newClock()
	begin := c.now()
	runs, fault := 0, error(nil)
	s := plan(t, open(t, c.now), Job{Name: "count", Period: time.Hour, Run: func(context.Context) error {
		runs++
		if fault == nil && runs == 3 {
			panic("three")
		}
		return fault
	}})
	pass(t, s)
	want := Standing{Name: "count", Period: time.Hour, Next: begin.Add(time.Hour), Began: begin, Succeeded: begin}
	if diff := cmp.Diff(want, standing(t, s)); diff != "" || runs != 1 {
		t.Errorf("after the first of %d runs (-want +got):\n%s", runs, diff)
	}
	c.advance(time.Hour - time.Second)
	if wait := pass(t, s); wait != time.Second || runs != 1 {
		t.Errorf("a second too early: %d runs, looked at again in %v", runs, wait)
	}
	c.advance(time.Second)
	fault = errors.New("no \x00 route")
	pass(t, s)
	want = Standing{Name: "count", Period: time.Hour, Next: begin.Add(2 * time.Hour), Began: begin.Add(time.Hour), Succeeded: begin, Failures: 1, Failed: 1, Fault: "no   route"}
	if diff := cmp.Diff(want, standing(t, s)); diff != "" || runs != 2 {
		t.Errorf("after run %d, which failed (-want +got):\n%s", runs, diff)
	}
	fault = nil
	c.advance(5 * time.Hour) // what was missed is not made up for
	pass(t, s)
	if got := standing(t, s); got.Fault != "panic: three" || got.Failures != 2 || !got.Next.Equal(c.now().Add(time.Hour)) {
		t.Errorf("after a panic: %+v", got)
	}
	c.advance(time.Hour)
	pass(t, s)
	if got := standing(t, s); got.Fault != "" || got.Failures != 0 || got.Failed != 2 || !got.Succeeded.Equal(c.now()) {
		t.Errorf("well again: %+v", got)
	}
	c.advance(-100 * 24 * time.Hour)
	if wait := pass(t, s); wait != time.Hour {
		t.Errorf("after the clock was set back it is looked at in %v", wait)
	}
	if err := s.enrol(t.Context(), Job{Name: "count", Period: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if got := standing(t, s); !got.Next.Equal(c.now().Add(time.Minute)) || got.Period != time.Minute {
		t.Errorf("with a shorter period: %+v", got)
	}
}

// TestOneRuns lets two schedules share a database, as two servers do.
func TestOneRuns(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := open(t, c.now)
	var first, second *Schedule
	inside := 0
	second = plan(t, db, Job{Name: "once", Period: time.Hour, Run: func(context.Context) error { inside += 100; return nil }})
	first = plan(t, db, Job{Name: "once", Period: time.Hour, Run: func(context.Context) error {
		inside++
		if wait := pass(t, second); wait <= 0 || wait > time.Hour || !standing(t, second).Running {
			t.Errorf("the other looks again in %v, and sees %+v", wait, standing(t, second))
		}
		return nil
	}})
	pass(t, first)
	if inside != 1 {
		t.Fatalf("%d: both ran it", inside)
	}
	// One that dies holds the lease until that ends, and what it says later does not count.
	c.advance(time.Hour)
	began, wait, err := first.claim(t.Context(), first.jobs[0])
	if err != nil || wait != 0 {
		t.Fatalf("claim: %v, %v", wait, err)
	}
	for range 3 { // as long as it is renewed it holds
		c.advance(leaseFor - time.Second)
		pass(t, second)
		if mine, err := first.renew(t.Context(), first.jobs[0]); inside != 1 || !mine || err != nil {
			t.Fatalf("the lease was taken away too early: %d, %v, %v", inside, mine, err)
		}
	}
	c.advance(leaseFor)
	pass(t, second)
	if inside != 101 {
		t.Fatal("nobody took the job over")
	}
	if mine, err := first.renew(t.Context(), first.jobs[0]); mine || err != nil {
		t.Fatalf("a lease that was lost is renewed: %v, %v", mine, err)
	}
	if err := first.store(t.Context(), first.jobs[0], began, 0, "", errors.New("late")); err != nil {
		t.Fatal(err)
	}
	if got := standing(t, second); got.Fault != "" || got.Running {
		t.Errorf("after the word of one that lost its lease: %+v", got)
	}
}

// TestLeaseLost: a run that lasts keeps its lease, and ends if another server has it nevertheless.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	if postgrestest.IfChosen(t) != "" {
		t.Skip("a connection to a server cannot be part of a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
		if err != nil {
			t.Fatal(err)
		}
		rob := func(name string) { // as a server does whose clock is far ahead
			if err := db.Write(t.Context(), func(tx *state.Tx) error {
				_, err := tx.Exec("UPDATE jobs SET holder = 'another' WHERE name = ?", name)
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		runs := 0
		var cause error
		s := plan(t, db, Job{Name: "long", Period: time.Hour, Run: func(ctx context.Context) error {
			runs++
			time.Sleep(5 * leaseFor)
			if other := (&Schedule{db: db, logger: quiet, holder: "another"}); runs == 1 {
				if _, wait, err := other.claim(t.Context(), Job{Name: "long", Period: time.Hour}); wait <= 0 || err != nil {
					t.Errorf("after five times its length the lease is free: %v, %v", wait, err)
				}
			}
			rob("long")
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}})
		if wait := pass(t, s); wait <= 0 || !errors.Is(cause, errTaken) || runs != 1 {
			t.Errorf("%d runs, ended for %v, looked at again in %v", runs, cause, wait)
		}
		if got := standing(t, s); got.Fault != "" || !got.Running {
			t.Errorf("what the other writes stands: %+v", got)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestKeepsRunning lets hours pass in a bubble of time.
func TestKeepsRunning(t *testing.T) {
	t.Parallel()
	if postgrestest.IfChosen(t) != "" {
		t.Skip("a connection to a server cannot be part of a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
		if err != nil {
			t.Fatal(err)
		}
		var quick, slow atomic.Int64
		s, err := New(db, quiet,
			Job{Name: "quick", Period: time.Minute, Run: func(context.Context) error { quick.Add(1); return nil }},
			Job{Name: "slow", Period: time.Hour, Run: func(ctx context.Context) error {
				slow.Add(1)
				<-ctx.Done()
				return ctx.Err()
			}},
		)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(2*time.Hour + 5*time.Minute)
		if quick.Load() < 120 || quick.Load() > 126 || slow.Load() != 3 {
			t.Errorf("in two hours and five minutes %d runs a minute apart and %d an hour apart", quick.Load(), slow.Load())
		}
		list, err := s.Standings(t.Context())
		if err != nil || len(list) != 2 || list[1].Fault != "it was ended after 15m0s" || list[1].Failures != 2 || !list[1].Running {
			t.Errorf("%+v, %v", list, err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		list, err = s.Standings(t.Context())
		if err != nil || list[1].Running || list[1].Failures != 2 || list[1].Next.After(time.Now()) {
			t.Errorf("a run that was cut off begins again: %+v, %v", list, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestJobsThatCannotBe(t *testing.T) {
	t.Parallel()
	db := open(t, nil)
	for name, jobs := range map[string][]Job{
		"no name":   {{Period: time.Hour}},
		"no period": {{Name: "a"}},
		"twice":     {{Name: "a", Period: time.Hour}, {Name: "a", Period: time.Hour}},
	} {
		if _, err := New(db, quiet, jobs...); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := words(errors.New(strings.Repeat("é", maxFault))); len(got) != maxFault {
		t.Errorf("a long fault is kept in %d bytes", len(got))
	}
}
