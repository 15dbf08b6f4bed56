package monitor_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

const watched = `window: 1h
delay: 10m
checks:
  latency: {p99: 50ms, p50: 10ms}
  errors: {max: 5%}
  volume: {min: 10}
`

// busy returns predictions that have latencies and errors too.
func busy(from time.Time, over time.Duration, n int, seed uint64) []prediction.Record {
	random := rand.New(rand.NewPCG(seed, 3))
	all := made(from, over, n, usual(seed))
	for i := range all {
		all[i].Latency = prediction.Integer(int64(random.ExpFloat64() * 9000))
		if random.IntN(40) == 0 {
			all[i].Status = prediction.Failed
		}
	}
	return all
}

// forget empties the tables of tallies, so that records are counted.
func (h *house) forget(t testing.TB) {
	t.Helper()
	if err := h.DB.Write(t.Context(), func(tx *state.Tx) error {
		for _, table := range []string{"tallies", "tally_holes", "tally_series"} {
			if _, err := tx.Exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// reads returns how many questions to the database f asks that read tallies.
func (h *house) reads(f func()) (n int) {
	h.DB.Observe(func(query string) {
		if strings.Contains(query, "SELECT slice, data FROM tallies") {
			n++
		}
	})
	defer h.DB.Observe(nil)
	f()
	return n
}

// TestTalliesJudgeAsRecordsDo judges a window from tallies and from records, and compares the bytes.
func TestTalliesJudgeAsRecordsDo(t *testing.T) {
	h := open(t)
	h.send(t, busy(noon.Add(-24*time.Hour), 24*time.Hour, 2400, 1)...)
	h.pin(t, monitor.Pin{From: noon.Add(-24 * time.Hour), To: noon})
	h.apply(t, watched)
	h.now = noon.Add(3 * time.Hour)
	for i := range 6 {
		h.send(t, busy(noon.Add(time.Duration(i)*30*time.Minute), 30*time.Minute, 300, uint64(i+2))...)
	}
	h.now = noon.Add(4 * time.Hour)
	if said, err := h.Run(t.Context()); err != nil || said != "judged 3 windows; 0 wait" {
		t.Fatalf("%q, %v", said, err)
	}
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Hour)
		var counted, read string
		if n := h.reads(func() { _, counted = h.judge(t, at, time.Time{}) }); n == 0 {
			t.Errorf("the window of %s is not judged from tallies", at)
		}
		h.forget(t)
		if n := h.reads(func() { _, read = h.judge(t, at, time.Time{}) }); n != 0 {
			t.Errorf("the window of %s is judged from tallies that there are not", at)
		}
		if counted != read {
			t.Errorf("from tallies:\n%s\nfrom records:\n%s", counted, read)
		}
		if _, err := h.Run(t.Context()); err != nil { // counts again
			t.Fatal(err)
		}
	}
}

// TestBackfilledWindowsAreJudgedAgain lets predictions come late: the job judges their windows again, once things are quiet, and
// says so.
func TestBackfilledWindowsAreJudgedAgain(t *testing.T) {
	h := open(t)
	h.send(t, busy(noon.Add(-24*time.Hour), 24*time.Hour, 2400, 1)...)
	h.pin(t, monitor.Pin{From: noon.Add(-24 * time.Hour), To: noon})
	h.apply(t, watched)
	h.send(t, busy(noon, 2*time.Hour, 800, 2)...)
	run := func(want string) {
		t.Helper()
		if said, err := h.Run(t.Context()); err != nil || said != want {
			t.Errorf("%s: %q, %v; want %q", h.now.Format(time.TimeOnly), said, err, want)
		}
	}
	h.now = noon.Add(2*time.Hour + 11*time.Minute)
	run("judged 2 windows; 0 wait")
	h.now = h.now.Add(2 * time.Minute)
	h.send(t, made(noon.Add(10*time.Minute), 40*time.Minute, 400, func(int) (float64, string) { return 400, "pilot" })...)
	run("") // was judged a moment ago
	h.now = h.now.Add(15 * time.Minute)
	run("judged 1 again, of which more predictions came on record")
	run("")
	all, err := h.Judged(t.Context(), monitor.JudgedFilter{Monitor: "watch"})
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if j := all[0]; !j.From.Equal(noon) || j.Verdict != tallystick.Fail || j.Backfilled != 400 || j.Predictions != 800 {
		t.Errorf("judged again: %+v", j)
	}
	if j := all[1]; j.Verdict == tallystick.Fail || j.Backfilled != 0 {
		t.Errorf("the other window: %+v", j)
	}
	_, again := h.judge(t, noon, time.Time{})
	h.forget(t)
	if j, read := h.judge(t, noon, time.Time{}); again != read || !strings.Contains(j.Words, "400 of 800 predictions came on record after the window was due") {
		t.Errorf("from tallies:\n%s\nfrom records:\n%s", again, read)
	}
}
