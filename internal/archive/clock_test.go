package archive_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestClockSteps sets the clock back by an hour and forward by a day while predictions come in: every one is found and
// proved, once, whatever the clock was; files are joined by the days of their records; and nothing is removed before its
// time.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		changes, err := h.Retain(tx, "credit", 2, "")
		return changes[0], err
	})
	proofs := map[prediction.ID][]byte{}
	var before time.Time
	for _, step := range []time.Duration{0, -time.Hour, 24 * time.Hour, -24 * time.Hour, time.Minute} {
		h.now, h.stepped = h.now.Add(step), h.stepped+step
		for id, proof := range h.sent(t, "credit", 4) {
			if proofs[id] != nil {
				t.Errorf("the id %s was given twice", id)
			}
			proofs[id] = proof
		}
		h.compact(t)
		if err := h.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.all(t, proofs)
		before = h.now
	}
	for id, n := range h.scan(t, "credit") {
		if n != 1 || proofs[id] == nil {
			t.Errorf("prediction %s is there %d times", id, n)
		}
	}
	if h.now = before.Add(-2 * time.Hour); len(h.scan(t, "credit")) != len(proofs) {
		t.Errorf("%d predictions, %d were sent", len(h.scan(t, "credit")), len(proofs))
	}
	h.follows(t)
}

// TestClockFarAhead: a clock that is set a year forward removes nothing that is young, and what is old in spite of it.
func TestClockFarAhead(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		changes, err := h.Retain(tx, "credit", 30, "")
		return changes[0], err
	})
	expire := func(want int) {
		t.Helper()
		if err := h.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.files(t, "credit"); n != want {
			t.Errorf("%d files are left, want %d", n, want)
		}
	}
	old := h.sent(t, "credit", 1)
	h.now = h.now.AddDate(0, 0, 20)
	young := h.sent(t, "credit", 1)
	const year = 365 * 24 * time.Hour
	h.now, h.stepped = h.now.Add(year), year
	expire(2)
	h.all(t, old)
	h.now = h.now.AddDate(0, 0, 11) // the first is 31 days old, whatever the clock says
	expire(1)
	h.now, h.stepped = h.now.Add(-year), 0
	expire(1)
	h.all(t, young)
	h.now = h.now.AddDate(0, 0, 20)
	expire(0)
	h.follows(t)
}
