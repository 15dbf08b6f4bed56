package monitor_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// usual draws what the reference has.
func usual(seed uint64) func(int) (float64, string) {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(int) (float64, string) {
		return 100 + 10*r.NormFloat64(), []string{"baker", "smith", "judge"}[r.IntN(3)]
	}
}

// TestJudgeAsOf judges a window, lets late records come and files be joined, and judges it again: as of then the bytes are
// the same, as of now they say what was back-filled.
func TestJudgeAsOf(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.send(t, made(noon.Add(-48*time.Hour), 24*time.Hour, 3000, usual(1))...)
	h.pin(t, monitor.Pin{From: noon.Add(-48 * time.Hour), To: noon.Add(-24 * time.Hour)})
	h.apply(t, "window: 1h\ndelay: 10m\n")
	at := noon.Add(-time.Hour)
	h.send(t, made(at, 30*time.Minute, 400, usual(2))...)
	h.now = noon.Add(time.Minute)
	h.send(t, made(at.Add(30*time.Minute), 30*time.Minute, 400, usual(3))...)
	h.now = noon.Add(11 * time.Minute)
	then := h.now
	first, before := h.judge(t, at, time.Time{})
	if first.Verdict != tallystick.Pass || first.Predictions != 800 || first.Backfilled != 0 {
		t.Fatalf("the first judgement: %+v", first)
	}
	keep(t, h, first)

	h.now = noon.Add(30 * time.Hour) // yesterday's files are joined
	h.send(t, made(at, time.Hour, 200, func(int) (float64, string) { return 500, "pilot" })...)
	h.pin(t, monitor.Pin{From: at, To: noon}) // another reference, and another monitor
	h.apply(t, "window: 1h\n")
	if err := h.archive.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := 0
	if err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(DISTINCT file_digest) FROM prediction_segments").Scan(&files)
	}); err != nil || files > 2 {
		t.Fatalf("%d files after all were joined, %v", files, err)
	}
	if _, again := h.judge(t, at, then); again != before {
		t.Errorf("as of then:\n%s\nwas\n%s", again, before)
	}
	second, now := h.judge(t, at, time.Time{})
	if now == before || second.Backfilled != 200 || second.Predictions != 1000 || !strings.Contains(second.Words, "200 of 1000 predictions came on record after the window was due") {
		t.Errorf("as of now: %d of %d back-filled: %s", second.Backfilled, second.Predictions, second.Words)
	}
	keep(t, h, second)
	keep(t, h, second) // changes nothing
	all, err := h.Judged(t.Context(), monitor.JudgedFilter{Monitor: "watch", All: true})
	if err != nil || len(all) != 2 || all[0].Backfilled != 200 {
		t.Errorf("on record: %+v, %v", all, err)
	}
	if counts, err := h.Judged(t.Context(), monitor.JudgedFilter{Model: "credit"}); err != nil || len(counts) != 1 || counts[0].Judgement != all[0].Judgement {
		t.Errorf("what counts: %+v, %v", counts, err)
	}
	kept, err := h.Judgement(t.Context(), all[1].Judgement)
	if data, _ := kept.Marshal(); err != nil || string(data) != before {
		t.Errorf("the first judgement was kept as %s, %v", data, err)
	}
}

func keep(t *testing.T, h *house, j *monitor.WindowJudgement) {
	t.Helper()
	change, err := h.Keep(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeJudged(tx, change) })
}

// TestVerdicts judges windows each of which has one thing wrong.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	h := open(t)
	day := noon.Add(-48 * time.Hour)
	h.send(t, made(day, 24*time.Hour, 3000, usual(1))...)
	h.pin(t, monitor.Pin{From: day, To: day.Add(24 * time.Hour)})
	h.apply(t, "window: 1h\nchecks:\n  volume: {min: 250}\n  latency: {p99: 200ms}\n  errors: {max: 1%}\n")
	for i, c := range []struct {
		name           string
		n              int
		change         func(i int, r *prediction.Record)
		check, subject string
		want           tallystick.Verdict
		words          string
	}{
		{"nothing", 1000, func(int, *prediction.Record) {}, "drift", "income", tallystick.Pass, "no significant change"},
		{"shifted by 2 sd", 1000, shift(20), "drift", "income", tallystick.Fail, "rises from"},
		{"shifted by 0.3 sd", 1000, shift(3), "drift", "income", tallystick.Warn, "standard deviations"},
		{"few", 150, shift(20), "drift", "income", tallystick.Insufficient, "too few"},
		{"few again", 150, shift(20), "volume", "", tallystick.Fail, "fewer than 250"},
		{"one new value", 1000, job(1000, "pilot"), "new_values", "job", tallystick.Warn, "such as pilot"},
		{"many new values", 1000, job(10, "pilot"), "new_values", "job", tallystick.Fail, "10.0 % of rows, such as pilot"},
		{"missing", 1000, job(5, ""), "missing", "job", tallystick.Fail, "missing in 20.0 % of rows"},
		{"a few missing", 1000, job(50, ""), "missing", "job", tallystick.Warn, "missing in 2.0 % of rows"},
		{"NaN", 1000, every(5, func(r *prediction.Record) { r.Features[0].Value = prediction.Number(math.NaN()) }), "missing", "income", tallystick.Fail, "missing in 20.0 %"},
		{"slow", 1000, every(10, latency(300_000)), "latency", "p99", tallystick.Fail, "10.0 % of predictions took longer than 200ms"},
		{"as slow as may be", 1000, every(100, latency(300_000)), "latency", "p99", tallystick.Inconclusive, "1.0 % may"},
		{"quick", 1000, every(1, latency(200_000)), "latency", "p99", tallystick.Pass, "0 %"},
		{"quick, but few", 400, every(1, latency(200_000)), "latency", "p99", tallystick.Inconclusive, "0 %"},
		{"no latency", 1000, func(int, *prediction.Record) {}, "latency", "p99", tallystick.Insufficient, "0 predictions say"},
		{"errors", 1000, every(20, func(r *prediction.Record) { r.Status = prediction.TimedOut }), "errors", "", tallystick.Fail, "5.0 % of predictions failed"},
		{"silence", 0, nil, "telemetry", "", tallystick.Fail, "there were before"},
	} {
		at := day.Add(24*time.Hour + time.Duration(i)*time.Hour)
		records := made(at, time.Hour, c.n, usual(uint64(i)+9))
		for k := range records {
			c.change(k, &records[k])
		}
		h.send(t, records...)
		j, _ := h.judge(t, at, time.Time{})
		r := row(t, j, c.check, c.subject)
		if r.Verdict != c.want || !strings.Contains(r.Words, c.words) {
			t.Errorf("%s: %s of %s is %s: %s", c.name, c.check, c.subject, r.Verdict, r.Words)
		}
		if j.Verdict.Worse(c.want) != j.Verdict {
			t.Errorf("%s: the window is %s", c.name, j.Verdict)
		}
	}
	if j, _ := h.judge(t, day.Add(-72*time.Hour), time.Time{}); j.Verdict != tallystick.Insufficient || len(j.Rows) != 1 {
		t.Errorf("silence before all is %s: %s", j.Verdict, j.Words)
	}
	if _, err := h.Judge(t.Context(), "watch", noon.Add(time.Minute), time.Time{}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a window that has not ended: %v", err)
	}
}

// every changes one record in n; the others took a millisecond.
func every(n int, change func(*prediction.Record)) func(int, *prediction.Record) {
	return func(i int, r *prediction.Record) {
		r.Latency = prediction.Integer(1000)
		if i%n == 0 {
			change(r)
		}
	}
}

func latency(us int64) func(*prediction.Record) {
	return func(r *prediction.Record) { r.Latency = prediction.Integer(us) }
}

func shift(by float64) func(int, *prediction.Record) {
	return func(_ int, r *prediction.Record) {
		x, _ := r.Features[0].Value.Float()
		r.Features[0].Value = prediction.Number(x + by)
	}
}

// job gives one in n another job, none if it is empty.
func job(n int, name string) func(int, *prediction.Record) {
	return every(n, func(r *prediction.Record) {
		if r.Features[1].Value = prediction.String(name); name == "" {
			r.Features = r.Features[:1]
		}
	})
}

// TestWithoutReference shows that what cannot be compared does not pass.
func TestWithoutReference(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "window: 1h\n")
	h.send(t, made(noon.Add(-time.Hour), time.Hour, 300, usual(1))...)
	if j, _ := h.judge(t, noon.Add(-time.Hour), time.Time{}); j.Verdict != tallystick.Insufficient || !strings.Contains(j.Words, "No reference is pinned for credit") {
		t.Errorf("%s: %s", j.Verdict, j.Words)
	}
	h.pin(t, monitor.Pin{From: noon.Add(-time.Hour), To: noon})
	if j, _ := h.judge(t, noon.Add(-time.Hour), time.Time{}); row(t, j, "drift", "income").Verdict != tallystick.Insufficient {
		t.Errorf("a reference of 300 rows: %s", j.Words)
	}
}

// TestParse refuses what a monitor cannot say, and says on which line.
func TestParse(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\n"
	for lines, want := range map[string]string{
		"":                                 "watch.yaml:1: the monitor has no window",
		"window: 7h\n":                     "watch.yaml:5: window: a window of 7h0m0s is none: days are not made of whole windows",
		"window: 1h\nwidow: 2h\n":          "watch.yaml:6: the monitor has no key \"widow\"",
		"window: 1h\nversion: champion\n":  "watch.yaml:1: the champion is one of an environment, and none is named",
		"window: 1h\nchecks: {drif: {}}\n": "watch.yaml:6: checks has no key \"drif\"",
		"window: 1h\nchecks:\n  missing: {warn: 9%}\n":                                                  "watch.yaml:7: checks.missing: warn 0.09 is above fail 0.05",
		"window: 1h\nchecks:\n  features: [a, a]\n":                                                     "watch.yaml:7: checks.features has \"a\" twice",
		"window: 1h\nchecks:\n  features: [a]\n  except: [b]\n":                                         "watch.yaml:7: checks says which features are judged and which are not",
		"window: 1h\nchecks:\n  latency: {p98: 1s}\n":                                                   "watch.yaml:7: checks.latency has no key \"p98\"",
		"window: 1h\nchecks:\n  drift: {warn_psi: 0.5}\n":                                               "watch.yaml:7: checks.drift: warn_psi 0.5 is above fail_psi 0.25",
		"window: 1h\nchecks:\n  calibration: {}\n":                                                      "watch.yaml:7: checks.calibration needs to know when labels are there",
		"window: 1h\nchecks:\n  labels: on\n":                                                           "watch.yaml:7: checks.labels needs to know when labels are there",
		"window: 1h\nchecks:\n  labels: {min_coverage: 1%}\n":                                           "watch.yaml:7: checks.labels does not say when a prediction should have its label",
		"window: 1h\nchecks:\n  labels: {mature: 0}\n  fairness: {favourable: negative}\n":              "watch.yaml:8: checks.fairness names 0 attributes of groups",
		"window: 1h\nchecks:\n  labels: {mature: 0}\n  performance: {metrics: [auc]}\n":                 "watch.yaml:8: checks.performance.metrics has no \"auc\"",
		"window: 1h\nchecks:\n  labels: {mature: 0}\n  performance: {limits: {accuracy: {}}}\n":         "watch.yaml:8: checks.performance.limits.accuracy bounds nothing",
		"window: 1h\nchecks:\n  labels: {mature: 0}\n  fairness: {groups: [a], compare_with: {b: c}}\n": "watch.yaml:8: checks.fairness.compare_with names \"b\", which is none of the groups",
		"window: 1h\nchecks:\n  labels: {mature: 0, decided: x, threshold: 1}\n":                        "watch.yaml:7: checks.labels says twice what a decision is made of",
		"window: 1h\nreference: latest\n":                                                               "watch.yaml:1: reference is neither pinned nor a digest",
	} {
		if _, err := monitor.Parse([]byte(head+lines), "watch.yaml"); err == nil || tallystick.CodeOf(err) != tallystick.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", lines, err, want)
		}
	}
	d, err := monitor.Parse([]byte(head+"window: 7d\ndelay: 0\nfrom: 2026-03-01\nchecks: {drift: {fail_psi: 0.5}, new_values: {fail: 2%}}\n"), "watch.yaml")
	if err != nil || d.Width != 7*24*time.Hour || d.Delay != 0 || d.Checks.Drift.FailPSI != 0.5 || d.Checks.Drift.Origin != "monitor" {
		t.Errorf("%+v, %v", d, err)
	}
}
