package objective_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/prediction"
)

// A clock that is set back or ahead loses no prediction and counts none twice: what is judged is the time that the clock
// shows, and what is on record of it, and once the clock has passed what it showed, counting all again says the same.
func TestCountsWhileClockSteps(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "indicator: {answered: {}}\ntarget: 99%\nperiod: 7d\ndelay: 1m\n")
	var sent []prediction.Record
	send := func(from time.Time, over time.Duration, n, failed int) {
		t.Helper()
		records := made(from, over, n, failing(failed))
		sent = append(sent, records...)
		h.send(t, records...)
	}
	// exact compares with the records themselves: hours of which the period has a part count whole.
	exact := func(what string) {
		t.Helper()
		at := h.now.Add(-time.Minute).Truncate(time.Minute)
		from := at.Add(-7 * 24 * time.Hour).Truncate(time.Hour)
		var good, valid int64
		for i := range sent {
			if when := sent[i].Time.Time(); when.Before(from) || !when.Before(at) {
				continue
			}
			if valid++; sent[i].Status == prediction.OK {
				good++
			}
		}
		if j := h.judge(t); j.Count != (objective.Count{Good: good, Valid: valid}) {
			t.Errorf("%s: %d of %d are good, want %d of %d", what, j.Count.Good, j.Count.Valid, good, valid)
		}
		if _, err := h.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	send(noon.Add(-3*time.Hour), 2*time.Hour, 1000, 100)
	exact("before")
	for _, step := range []struct {
		what string
		by   time.Duration
	}{
		{"ahead by a day", 24 * time.Hour}, {"back by two", -48 * time.Hour}, {"ahead by a minute", time.Minute}, {"back by a minute", -time.Minute},
		{"ahead by 90 minutes", 90 * time.Minute}, {"back by eight days", -8 * 24 * time.Hour}, {"ahead by ten", 10 * 24 * time.Hour}, {"back by three hours and a half", -210 * time.Minute},
		{"ahead by a month", 30 * 24 * time.Hour}, {"back by a month", -30 * 24 * time.Hour}, {"ahead by 31 hours", 31 * time.Hour},
	} {
		h.now = h.now.Add(step.by)
		exact(step.what + ", nothing sent")
		send(h.now.Add(-30*time.Minute), 28*time.Minute, 200, 10)
		exact(step.what)
		send(h.now.Add(-50*time.Hour), 2*time.Hour, 100, 7) // late
		exact(step.what + ", late")
		send(h.now.Add(-10*time.Minute), 20*time.Minute, 60, 5) // half of them from clocks that are ahead of ours
		exact(step.what + ", too early")
		send(h.now.Add(30*time.Hour), 20*time.Minute, 40, 5) // ours was wrong, or theirs
		exact(step.what + ", a day too early")
	}
	h.now = noon.Add(33 * 24 * time.Hour) // beyond all that it has shown
	exact("in the end")
	h.checkRecount(t)
}
