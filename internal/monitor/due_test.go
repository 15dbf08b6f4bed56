package monitor_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// TestRun judges what is due: the oldest first, the newest always, and after a rest all that is between.
func TestRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.send(t, made(noon.Add(-24*time.Hour), 24*time.Hour, 2400, usual(1))...)
	h.pin(t, monitor.Pin{From: noon.Add(-24 * time.Hour), To: noon})
	h.apply(t, "window: 15m\ndelay: 5m\n")
	run := func(want string, on int) []monitor.JudgedWindow {
		t.Helper()
		said, err := h.Run(t.Context())
		if err != nil || said != want {
			t.Errorf("%s: %q, %v; want %q", h.now.Format(time.TimeOnly), said, err, want)
		}
		all, err := h.Judged(t.Context(), monitor.JudgedFilter{Monitor: "watch", All: true, Limit: 1000})
		if err != nil || len(all) != on {
			t.Fatalf("%d windows are judged, %v; want %d", len(all), err, on)
		}
		return all
	}
	run("", 0)
	h.send(t, made(noon, 15*time.Minute, 300, usual(2))...)
	h.now = noon.Add(20 * time.Minute)
	run("", 0) // records may be in the journal yet
	h.now = noon.Add(21 * time.Minute)
	if all := run("judged 1 windows; 0 wait", 1); all[0].Verdict != tallystick.Pass || all[0].Predictions != 300 || !all[0].From.Equal(noon) {
		t.Errorf("%+v", all[0])
	}
	run("", 1)

	h.now = noon.Add(24 * time.Hour) // the server rested: 94 windows more are due, and silent
	all := run("judged 61 windows; 33 wait", 62)
	if newest := all[0]; !newest.To.Equal(noon.Add(24*time.Hour-15*time.Minute)) || newest.Verdict != tallystick.Fail {
		t.Errorf("the newest window: %+v", newest)
	}
	run("judged 33 windows; 0 wait", 95)
	run("", 95)
}
