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
// it has none, with that of all rows; a window that is all rows has nothing to be compared with.
func (doc *document) windows(cfg Config, p *plan, r *rows, cols *columns) {
	w := r.windows
	if w.len() == 0 {
		return
	}
	base := performance.Baseline{Performance: doc.reference, Name: "the reference", Metrics: performance.Headline(p.Task), Looks: w.len()}
	if doc.reference == nil {
		base.Performance, base.Name = doc.Performance, "all rows"
	}
	doc.Windowing = &report.Windowing{By: "rows", Rows: w.chunk}
	if w.chunk == 0 {
		doc.Windowing = &report.Windowing{By: "time", Column: p.Time, Duration: cfg.Window}
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
			if doc.reference == nil && window.Performance.N == doc.Performance.N {
				break
			}
			doc.Windowing.Baseline = base.Name
			window.Comparisons = base.Compare(window.Performance)
			for _, c := range window.Comparisons {
				window.PerformanceVerdict = report.Foremost(window.PerformanceVerdict, c.Verdict)
			}
		}
		if len(cols.byWindow[k]) > 0 {
			window.Drift = drift.Judge(cols.byWindow[k], doc.Reference.Rows, s.rows, driftThresholds(cfg))
			for _, f := range window.Drift.Features {
				window.Drift.Verdict = report.Foremost(window.Drift.Verdict, f.Verdict)
			}
		}
		judgeWindow(&window)
		doc.Windows = append(doc.Windows, window)
	}
}

// judgeWindow ends the verdict of a window and says what it is about: what is wrong, else what
// holds, and in either case what is not settled.
func judgeWindow(w *report.Window) {
	if w.Rows == 0 {
		w.Verdict, w.Words = tallystick.Fail, fmt.Sprintf("%s has no rows: a silent window is an alarm.", w.Label)
		return
	}
	w.Verdict = w.PerformanceVerdict
	if w.Drift != nil {
		w.Verdict = report.Foremost(w.Verdict, w.Drift.Verdict)
	}
	var open []string
	w.Unsettled, open = unsettled(w)
	switch parts := alarms(w); {
	case len(parts) > 0 && len(w.Unsettled) > 0:
		w.Words = fmt.Sprintf("%s Not settled: %s.", strings.Join(parts, " "), strings.Join(titles(w), ", "))
	case len(parts) > 0:
		w.Words = strings.Join(parts, " ")
	case w.Verdict == "":
		w.Verdict, w.Words = tallystick.Insufficient, nothingJudged(w)
	case len(open) > 0:
		w.Words = strings.Join(append(holding(w), open...), " ")
	default:
		w.Words = "Nothing stands out."
	}
}

func alarming(v tallystick.Verdict) bool { return v == tallystick.Fail || v == tallystick.Warn }

// alarms says what is wrong in a window.
func alarms(w *report.Window) (parts []string) {
	for _, c := range w.Comparisons {
		if alarming(c.Verdict) {
			parts = append(parts, c.Words)
		}
	}
	if w.Drift == nil {
		return parts
	}
	drifted := slices.DeleteFunc(slices.Clone(w.Drift.Features), func(f drift.Feature) bool { return !alarming(f.Verdict) })
	slices.SortStableFunc(drifted, func(a, b drift.Feature) int { return cmp.Compare(b.PSI, a.PSI) })
	for _, f := range drifted[:min(3, len(drifted))] {
		parts = append(parts, f.Words)
	}
	if more := len(drifted) - 3; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more features drift.", more))
	}
	return parts
}

// unsettled names what could not be judged in a window, and says why.
func unsettled(w *report.Window) (names, words []string) {
	if w.Performance == nil && w.PerformanceVerdict == tallystick.Insufficient {
		names, words = append(names, "performance"), append(words, "No row has both a label and a prediction, so nothing is known about performance.")
	}
	for _, c := range w.Comparisons {
		if c.Verdict == tallystick.Inconclusive || c.Verdict == tallystick.Insufficient {
			names, words = append(names, c.Metric), append(words, c.Words)
		}
	}
	if w.Drift != nil && w.Drift.Verdict == tallystick.Insufficient {
		names, words = append(names, "drift"), append(words, fmt.Sprintf("%d rows against %d of the reference do not settle drift.", w.Drift.Rows, w.Drift.Reference))
	}
	return names, words
}

// titles writes what is unsettled as people say it.
func titles(w *report.Window) []string {
	var list []string
	for _, name := range w.Unsettled {
		if m, ok := w.Performance.Metric(name); ok {
			name = m.Title
		}
		list = append(list, name)
	}
	return list
}

// holding says what was judged and found sound.
func holding(w *report.Window) (parts []string) {
	for _, c := range w.Comparisons {
		if m, ok := w.Performance.Metric(c.Metric); ok && c.Verdict == tallystick.Pass {
			parts = append(parts, m.Title+" holds.")
		}
	}
	if w.Drift != nil && w.Drift.Verdict == tallystick.Pass {
		parts = append(parts, "Nothing drifts.")
	}
	return parts
}

func nothingJudged(w *report.Window) string {
	if w.Performance != nil {
		return "It holds every row that has a label, and no reference has labels, so there is no other performance to compare it with."
	}
	return "There are neither labels nor a reference, so nothing could be judged."
}
