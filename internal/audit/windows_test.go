package audit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/report"
)

// A window says what could not be judged, and never passes for want of labels.
func TestWindowsWithoutEvidenceDoNotPass(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 20))
	var b strings.Builder
	b.WriteString("y,prediction,score\n")
	for row := range 4210 {
		label, positive := "", rng.Float64() < 0.4
		logit := rng.NormFloat64() - 1
		if positive {
			logit += 2
		}
		score := 1 / (1 + math.Exp(-logit))
		switch window := row / 1000; {
		case window == 1: // no label yet
		case window == 2 && positive: // labels of one class
		case positive:
			label = "1"
		default:
			label = "0"
		}
		fmt.Fprintf(&b, "%s,%.0f,%.6f\n", label, math.Round(score), score)
	}
	doc := measured(t, Config{Files: []string{write(t, "late.csv", b.String())}, Label: "y", PositiveLabel: "1", Prediction: "prediction", Score: "score", Chunk: 1000})
	for _, want := range []struct {
		window  int
		verdict tallystick.Verdict
		words   string
	}{
		{0, tallystick.Pass, "Nothing stands out."},
		{1, tallystick.Insufficient, "No row has both a label and a prediction"},
		{2, tallystick.Insufficient, "ROC AUC is not known here (there are labels of one class only)"},
		{4, tallystick.Inconclusive, "does not settle whether that is a loss of more than 5 %"},
	} {
		w := doc.Windows[want.window]
		if w.Verdict != want.verdict || w.PerformanceVerdict != want.verdict || !strings.Contains(w.Words, want.words) {
			t.Errorf("%s: %s, performance %s: %s", w.Label, w.Verdict, w.PerformanceVerdict, w.Words)
		}
	}
}

// What is left out of a part of the audit is said, with its number.
func TestLimitsSayWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("when,y,prediction,score,sex\n")
	for row := range 600 {
		when, score := fmt.Sprintf("2026-01-%02dT00:00:00Z", row%28+1), fmt.Sprint(float64(row%10)/10)
		if row%100 == 7 {
			when = ""
		}
		if row%50 == 3 {
			score = ""
		}
		fmt.Fprintf(&b, "%s,%d,%d,%s,%c\n", when, row%2, row/2%2, score, "fm"[row%2])
	}
	cfg := Config{Files: []string{write(t, "gaps.csv", b.String())}, Label: "y", Prediction: "prediction", Score: "score", Groups: []string{"sex"}, Time: "when", Window: "1w"}
	doc := measured(t, cfg)
	cfg.Task = performance.Regression
	for _, c := range []struct {
		words string
		in    []string
	}{
		{"6 of 600 rows have no time and are in no window.", doc.Limits},
		{"12 of 600 labelled rows have no score", doc.Limits},
		{"Groups are compared where predictions are binary", measured(t, cfg).Limits},
	} {
		if !slices.ContainsFunc(c.in, func(limit string) bool { return strings.Contains(limit, c.words) }) {
			t.Errorf("%q is not among %q", c.words, c.in)
		}
	}
}

// A single window without a labelled reference would be compared with itself, which always holds.
func TestSingleWindowIsNotItsOwnBaseline(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("y,prediction\n")
	for row := range 4000 {
		fmt.Fprintf(&b, "%d,%d\n", row%2, row/2%2)
	}
	file := write(t, "one.csv", b.String())
	cfg := Config{Files: []string{file}, Label: "y", Prediction: "prediction", Chunk: 5000}
	doc := measured(t, cfg)
	w := doc.Windows[0]
	if len(doc.Windows) != 1 || len(w.Comparisons) > 0 || w.PerformanceVerdict != "" || w.Verdict != tallystick.Insufficient || doc.Windowing.Baseline != "" {
		t.Errorf("compared with %q: %d comparisons, %s, performance %q: %s", doc.Windowing.Baseline, len(w.Comparisons), w.Verdict, w.PerformanceVerdict, w.Words)
	}
	cfg.Reference = []string{file}
	if w := measured(t, cfg).Windows[0]; len(w.Comparisons) == 0 || w.PerformanceVerdict != tallystick.Pass {
		t.Errorf("against a reference: %d comparisons, performance %q: %s", len(w.Comparisons), w.PerformanceVerdict, w.Words)
	}
}

// What was found comes first, and what was not settled is said beside it.
func TestWindowTellsFoundAndUnsettled(t *testing.T) {
	t.Parallel()
	accuracy := performance.Comparison{Metric: "accuracy", Verdict: tallystick.Inconclusive, Words: "Accuracy is open."}
	drifted := &drift.Drift{Verdict: tallystick.Warn, Features: []drift.Feature{{Name: "age", Verdict: tallystick.Warn, Words: "age rises."}}}
	quiet := &drift.Drift{Verdict: tallystick.Pass}
	for _, test := range []struct {
		drift   *drift.Drift
		verdict tallystick.Verdict
		words   string
	}{
		{drifted, tallystick.Warn, "age rises. Not settled: accuracy."},
		{quiet, tallystick.Inconclusive, "Nothing drifts. Accuracy is open."},
	} {
		w := report.Window{Rows: 1000, Comparisons: []performance.Comparison{accuracy}, PerformanceVerdict: tallystick.Inconclusive, Drift: test.drift}
		judgeWindow(&w)
		if w.Verdict != test.verdict || w.Words != test.words || !slices.Equal(w.Unsettled, []string{"accuracy"}) {
			t.Errorf("%s, unsettled %q: %s", w.Verdict, w.Unsettled, w.Words)
		}
	}
}
