package obligation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tallystick/tallystick/internal/catalog"
)

// LL144 wants a bias audit that was done "no more than one year prior" to the use (NYC Admin. Code
// 20-871(a)(1)): of what no tier gives a term, the control's own decides, to the day.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	c, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Framework("nyc-ll144")
	if err != nil {
		t.Fatal(err)
	}
	control := &f.Controls[0]
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	b, s := newBench(c, now), newSubject()
	s.model.State = catalog.Active
	for produced, want := range map[string]struct {
		state State
		until string
	}{
		"2026-11-20": {Present, "2027-11-20"}, "2025-11-22": {Present, "2026-11-22"}, "2025-11-21": {Stale, "2026-11-21"}, "2024-11-21": {Stale, "2025-11-21"},
	} {
		at, err := time.Parse(time.DateOnly, produced)
		if err != nil {
			t.Fatal(err)
		}
		p := b.under(Piece{Type: "approval.decision", State: Present, At: at}, control, s, false, "")
		if p.State != want.state || p.Until.Format(time.DateOnly) != want.until || (p.Command != "") != p.lacking() {
			t.Errorf("of %s: %s until %s, command %q; want %s until %s", produced, p.State, p.Until.Format(time.DateOnly), p.Command, want.state, want.until)
		}
	}
}

// What a survey says of a cell under a control is what is said of the piece itself.
func TestCellsStandAsPieces(t *testing.T) {
	t.Parallel()
	c, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	b, s := newBench(c, now), newSubject()
	b.brief = true
	s.model.State = catalog.Active
	states := map[cellState]State{cellNone: NotApplicable, cellPresent: Present, cellStale: Stale, cellMissing: Missing}
	for _, state := range states {
		for _, days := range []int{0, 1, 100, 364, 365, 366, 1000} {
			for _, from := range []int{-10_000, -400, -50, -1, 1, 400} {
				for _, maxAge := range []time.Duration{0, 90 * 24 * time.Hour, 365 * 24 * time.Hour} {
					when := now.AddDate(0, 0, -days)
					p := Piece{Type: "eval.report", State: state, At: when, since: when}
					control := Control{Level: Supports, Evidence: []string{p.Type}, From: Date{now.AddDate(0, 0, from)}, maxAge: maxAge}
					asked := demands([]Framework{{Controls: []Control{control}}}, now, true)[p.Type]
					want := b.under(p, &control, s, true, "")
					got, since := asked[0].under(p.cell(0), now.UnixMilli())
					if states[got] != want.State || want.lacking() && since != want.since.UnixMilli() {
						t.Errorf("%s of %d days, in force in %d, for %v: %s since %s, want %s since %s", state, days, from, maxAge, states[got], moment(since), want.State, want.since)
					}
				}
			}
		}
	}
}

// A survey rests between pages, unless somebody waits for it.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := New(Config{})
		began := time.Now()
		if o.rest(t.Context(), 10*time.Millisecond) || time.Since(began) != restful*10*time.Millisecond {
			t.Errorf("rested for %v", time.Since(began))
		}
		go func() {
			time.Sleep(time.Second)
			o.hurry <- struct{}{}
		}()
		began = time.Now()
		if !o.rest(t.Context(), time.Hour) || time.Since(began) != time.Second {
			t.Errorf("rested for %v while somebody waited", time.Since(began))
		}
	})
}
