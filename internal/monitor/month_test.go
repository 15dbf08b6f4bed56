package monitor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/monitor"
)

func document(t testing.TB, lines string) *monitor.Document {
	t.Helper()
	d, err := monitor.Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\n"+lines), "watch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Months of a zone begin at its midnight, whatever its clocks do in them.
func TestMonths(t *testing.T) {
	t.Parallel()
	utc, berlin := document(t, "window: 1mo\n"), document(t, "window: 1mo\nzone: Europe/Berlin\n")
	for _, test := range []struct {
		of           *monitor.Document
		at, from, to string
	}{
		{utc, "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{utc, "2026-12-31T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{berlin, "2026-02-28T23:30:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"}, // an hour is left out in March
		{berlin, "2026-10-15T00:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if w := test.of.WindowAt(at); w.String() != test.from+" to "+test.to || w.To.Sub(w.From) > monitor.MaxWidth {
			t.Errorf("%s is in %s, want %s to %s", test.at, w, test.from, test.to)
		}
	}
	for lines, want := range map[string]string{
		"window: 1h\nzone: Europe/Berlin\n": "zone is of windows of months",
		"window: 1mo\nzone: Europe/Berln\n": `there is no time zone "Europe/Berln"`,
		"window: 1mo\nzone: Local\n":        `there is no time zone "Local"`,
		"window: 2mo\n":                     "must be a duration",
	} {
		if _, err := monitor.Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\n"+lines), "watch.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

// A server judges each month once it is due, the months before too, and again what came later.
func TestMonthsAreJudged(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	h.now = time.Date(2026, 3, 1, 0, 5, 0, 0, time.UTC)
	h.send(t, made(began, 31*24*time.Hour, 2000, usual(1))...)
	h.pin(t, monitor.Pin{From: began, To: began.AddDate(0, 1, 0)})
	h.apply(t, "window: 1mo\nfrom: 2025-12-05\nchecks: {volume: off}\n")
	run := func(want string) {
		t.Helper()
		if said, err := h.Run(t.Context()); err != nil || said != want {
			t.Errorf("%q, %v; want %q", said, err, want)
		}
	}
	h.send(t, made(began.AddDate(0, 1, 0), 31*24*time.Hour, 2000, usual(2))...)
	h.send(t, made(began.AddDate(0, 2, 0), 28*24*time.Hour, 1800, usual(4))...)
	run("judged 2 windows; 0 wait") // February is waited for
	h.now = h.now.Add(2 * time.Minute)
	run("judged 1 windows; 0 wait")
	run("")
	h.now = h.now.Add(time.Hour)
	h.send(t, made(began.AddDate(0, 1, 3), time.Hour, 100, usual(3))...)
	run("judged 1 again, of which more predictions came on record")
	all, err := h.Judged(t.Context(), monitor.JudgedFilter{Monitor: "watch"})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d judgements, %v", len(all), err)
	}
	for _, j := range all {
		if want := map[time.Month]int64{time.December: 2000, time.January: 2100, time.February: 1800}[j.From.Month()]; j.Predictions != want || j.To != j.From.AddDate(0, 1, 0) {
			t.Errorf("%s to %s: %d predictions, want %d", j.From, j.To, j.Predictions, want)
		}
	}
}
