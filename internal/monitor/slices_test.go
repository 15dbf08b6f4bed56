package monitor_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
)

// judged are predictions of five jobs, of each the tenth wrong; those of judges are wrong in three of ten, if bad, and of cooks three
// in a hundred slow, if bad.
func judged(from time.Time, n int, bad bool) (records []prediction.Record, truth []bool) {
	jobs := []string{"baker", "smith", "judge", "cook", "pilot"}
	records = made(from, time.Hour, n, func(i int) (float64, string) { return float64(i % 100), jobs[i%5] })
	for i := range records {
		r, nth := &records[i], i/5
		r.Output, r.Latency = prediction.Boolean(nth%2 == 0), prediction.Integer(20_000)
		wrong := nth%10 == 0
		if bad && jobs[i%5] == "judge" {
			wrong = nth%10 < 3
		}
		if bad && jobs[i%5] == "cook" && nth%100 < 3 || nth%1000 == 0 {
			r.Latency = prediction.Integer(100_001)
		}
		truth = append(truth, (nth%2 == 0) != wrong)
	}
	return records, truth
}

// TestSlicesByLimits finds what fails in one slice of ten and not on the whole, with counts that can be made by hand, from tallies
// and from records alike.
func TestSlicesByLimits(t *testing.T) {
	t.Parallel()
	h := open(t)
	past, was := judged(noon.Add(-24*time.Hour), 10_000, false)
	h.send(t, past...)
	h.label(t, past, outcomes(was))
	h.pin(t, monitor.Pin{From: noon.Add(-24 * time.Hour), To: noon.Add(-23 * time.Hour)})
	h.apply(t, `window: 1h
checks:
  drift: off
  labels: {mature: 0}
  performance: {metrics: [accuracy], limits: {precision: {min: 60%}}}
  latency: {p99: 100ms}
  errors: {max: 2%}
  slices: {of: [{by: job}, {where: income > 500}], judge: [performance, latency, errors]}
`)
	now, is := judged(noon.Add(-time.Hour), 5000, true)
	h.send(t, now...)
	h.label(t, now, outcomes(is))
	h.now = noon.Add(time.Hour)
	j, read := h.judge(t, noon.Add(-time.Hour), time.Time{})
	slice := func(name, subject string) monitor.Row {
		t.Helper()
		for _, r := range j.Rows {
			if r.Check == "slices" && r.Slice == name && r.Subject == subject {
				return r
			}
		}
		t.Fatalf("no row of %s in %s", subject, name)
		return monitor.Row{}
	}
	for _, test := range []struct {
		job, subject string
		n            int64
		value        float64
		verdict      tallystick.Verdict
	}{
		{"judge", "accuracy", 1000, 0.7, tallystick.Fail},
		{"baker", "accuracy", 1000, 0.9, tallystick.Pass},
		{"cook", "latency p99", 1000, 0.03, tallystick.Fail},
		{"pilot", "latency p99", 1000, 0.001, tallystick.Pass},
		{"judge", "errors", 1000, 0, tallystick.Pass},
		{"baker", "precision", 1000, 0.8, tallystick.Pass},
	} {
		r := slice(`job = "`+test.job+`"`, test.subject)
		if r.Verdict != test.verdict || r.N != test.n || math.Abs(float64(r.Value)-test.value) > 1e-12 || !strings.HasPrefix(r.Words, `Where job = "`+test.job+`": `) {
			t.Errorf("%s of %s is %v of %d, %s; want %v of %d, %s: %s", test.subject, test.job, r.Value, r.N, r.Verdict, test.value, test.n, test.verdict, r.Words)
		}
	}
	for _, subject := range []string{"performance", "latency p99", "errors"} {
		if r := slice("income > 500", subject); r.Verdict != tallystick.Insufficient || r.N != 0 {
			t.Errorf("%s of nobody: %+v", subject, r)
		}
	}
	if a, l := row(t, j, "performance", "accuracy"), row(t, j, "latency", "p99"); a.Verdict == tallystick.Fail || l.Verdict == tallystick.Fail {
		t.Errorf("on the whole: %s, %s", a.Words, l.Words)
	}
	if _, err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var counted string
	if n := h.reads(func() { _, counted = h.judge(t, noon.Add(-time.Hour), time.Time{}) }); n == 0 || counted != read {
		t.Errorf("from %d tallies:\n%s\nfrom records:\n%s", n, counted, read)
	}
}

func TestSlicesNeedWhatJudgesThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{of: [{by: job}], judge: [latency]}":     "by which the monitor judges nothing (write 'latency: {p99: 200ms}' beside it)",
		"{of: [{by: job}], judge: [performance]}": "labels: {mature: 30d}",
		"{of: [{by: job}], judge: [errors]}":      "errors: {max: 1%}",
		"{of: [{by: job}], judge: [season]}":      `"season"`,
		"{judge: [drift]}":                        "names no slices",
	} {
		_, err := monitor.Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 1h\nchecks:\n  slices: "+text+"\n"), "watch.yaml")
		message, hint := tallystick.Words(err)
		if err == nil || !strings.Contains(message+" ("+hint+")", want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
