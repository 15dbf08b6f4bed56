package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/report"
)

// windows puts the windows together. Their performance is compared with the reference's, or, where
// it has none, with that of all rows.
func (doc *document) windows(cfg Config, p *plan, r *rows, cols *columns) {
	w := r.windows
	if w.len() == 0 {
		return
	}
	base := performance.Baseline{Performance: doc.reference, Name: "the reference", Metrics: performance.Headline(p.Task), Looks: w.len()}
	if doc.reference == nil {
		base.Performance, base.Name = doc.Performance, "all rows"
	}
	doc.Windowing = &report.Windowing{By: "rows", Rows: w.chunk, Baseline: base.Name}
	if w.chunk == 0 {
		doc.Windowing = &report.Windowing{By: "time", Column: p.Time, Duration: cfg.Window, Baseline: base.Name}
	}
	for k, s := range w.spans {
		window := report.Window{Index: k, Label: s.label, From: s.from, To: s.to, Rows: s.rows}
		switch {
		case doc.windowed == nil || s.rows == 0:
		case doc.windowed[k] == nil:
			window.PerformanceVerdict = tallystick.Insufficient
		default:
			window.Performance = doc.windowed[k]
			window.Labelled = window.Performance.N
			window.Performance.ROC, window.Performance.PR = nil, nil
			if base.Performance != nil {
				window.Comparisons = base.Compare(window.Performance)
			}
			for _, c := range window.Comparisons {
				window.PerformanceVerdict = window.PerformanceVerdict.Worse(c.Verdict)
			}
		}
		if len(cols.byWindow[k]) > 0 {
			window.Drift = drift.Judge(cols.byWindow[k], doc.Reference.Rows, s.rows, driftThresholds(cfg))
		}
		judgeWindow(&window)
		doc.Windows = append(doc.Windows, window)
	}
}

// judgeWindow ends the verdict of a window and says what it is about.
func judgeWindow(w *report.Window) {
	if w.Rows == 0 {
		w.Verdict, w.Words = tallystick.Fail, fmt.Sprintf("%s has no rows: a silent window is an alarm.", w.Label)
		return
	}
	w.Verdict = w.PerformanceVerdict
	var parts []string
	for _, c := range w.Comparisons {
		if c.Verdict == tallystick.Fail || c.Verdict == tallystick.Warn {
			parts = append(parts, c.Words)
		}
	}
	if w.Drift != nil {
		w.Verdict = w.Verdict.Worse(w.Drift.Verdict)
		drifted := slices.DeleteFunc(slices.Clone(w.Drift.Features), func(f drift.Feature) bool {
			return f.Verdict != tallystick.Fail && f.Verdict != tallystick.Warn
		})
		slices.SortStableFunc(drifted, func(a, b drift.Feature) int { return cmp.Compare(b.PSI, a.PSI) })
		for _, f := range drifted[:min(3, len(drifted))] {
			parts = append(parts, f.Words)
		}
		if more := len(drifted) - 3; more > 0 {
			parts = append(parts, fmt.Sprintf("%d more features drift.", more))
		}
	}
	if len(parts) == 0 {
		parts = unsettled(w)
	}
	w.Words = strings.Join(parts, " ")
	if w.Verdict == "" {
		w.Verdict = tallystick.Pass
	}
}

// unsettled says what could not be judged in a window in which nothing is wrong.
func unsettled(w *report.Window) []string {
	var parts []string
	if w.Performance == nil && w.PerformanceVerdict == tallystick.Insufficient {
		parts = append(parts, "No row has both a label and a prediction, so nothing is known about performance.")
	}
	for _, c := range w.Comparisons {
		if c.Verdict == tallystick.Inconclusive || c.Verdict == tallystick.Insufficient {
			parts = append(parts, c.Words)
		}
	}
	if w.Drift != nil && w.Drift.Verdict == tallystick.Insufficient {
		parts = append(parts, fmt.Sprintf("%d rows against %d of the reference do not settle drift.", w.Drift.Rows, w.Drift.Reference))
	}
	if len(parts) == 0 {
		return []string{"Nothing stands out."}
	}
	return parts
}
