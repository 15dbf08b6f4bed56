package report

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/wording"
)

// key metrics are those that a summary tells, in order, if they are there.
var keyMetrics = []string{"accuracy", "roc_auc", "f1", "mae", "rmse", "r2", "ndcg", "recall_at_k"}

func performanceFindings(d *Document) []candidate {
	var found []candidate
	if d.Baseline != nil {
		found = append(found, baselineFinding(d.Baseline)...)
	}
	if words := keyFigures(d.Performance); words != "" {
		what := "labelled row"
		if d.Performance.Task == performance.Ranking {
			what = "query"
		}
		rows := plural(d.Performance.N, what)
		if what == "query" && d.Performance.N != 1 {
			rows = count(d.Performance.N) + " queries"
		}
		found = append(found, candidate{Finding: Finding{Area: "performance", Words: fmt.Sprintf("Over %s: %s.", rows, words)}})
	}
	return found
}

func keyFigures(p *performance.Performance) string {
	var parts []string
	for _, name := range keyMetrics {
		if m, ok := p.Metric(name); ok && len(parts) < 3 {
			parts = append(parts, inSentence(m.Title)+" "+figure.Estimate(name, m.Estimate).String())
		}
	}
	return strings.Join(parts, ", ")
}

func baselineFinding(b *Baseline) []candidate {
	verdict := tallystick.Verdict("")
	var worse []performance.Comparison
	for _, c := range b.Metrics {
		verdict = Foremost(verdict, c.Verdict)
	}
	for _, c := range b.Metrics {
		if c.Verdict == verdict {
			worse = append(worse, c)
		}
	}
	if !judged(verdict) {
		return nil
	}
	words := wording.Sentence(worse[0].Words)
	if n := len(worse) - 1; n > 0 {
		words += fmt.Sprintf(" %s more with the same verdict.", plural(n, "metric"))
	}
	c := candidate{Finding: Finding{Area: "performance", Verdict: verdict, Words: words}}
	if b.Source == "champion" {
		c.judgedBy = "performance.champion"
	}
	return []candidate{c}
}

func calibrationFindings(d *Document) []candidate {
	c := d.Calibration
	switch {
	case c == nil:
		return nil
	case c.Skipped != "":
		return []candidate{{Finding: Finding{Area: "calibration", Words: "No calibration: " + wording.Sentence(c.Skipped)}}}
	case c.ECE == nil:
		return nil
	}
	words := fmt.Sprintf("Scores miss observed rates by %s on average (expected calibration error, %s).",
		figure.Estimate("ece", *c.ECE), c.Method)
	return []candidate{{Finding: Finding{Area: "calibration", Words: words}, judgedBy: "calibration.error"}}
}

func sliceFindings(d *Document) []candidate {
	for _, s := range d.Slices {
		if judged(s.Verdict) {
			return []candidate{{Finding: Finding{Area: "slices", Verdict: s.Verdict, Words: wording.Sentence(s.Words)}}}
		}
	}
	return nil
}
