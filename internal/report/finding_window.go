package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/wording"
)

// windowFindings tells of the worst window first by what it did to performance, else by what
// drifted in it.
func windowFindings(d *Document) []candidate {
	if len(d.Windows) == 0 {
		return nil
	}
	var fell, drifted []int
	for i, w := range d.Windows {
		if w.PerformanceVerdict == tallystick.Fail || w.PerformanceVerdict == tallystick.Warn {
			fell = append(fell, i)
		}
		if w.Drift != nil && (w.Drift.Verdict == tallystick.Fail || w.Drift.Verdict == tallystick.Warn) {
			drifted = append(drifted, i)
		}
	}
	var found []candidate
	if len(fell) > 0 {
		found = append(found, fallFinding(d, fell))
	}
	if len(drifted) > 0 {
		c := driftedWindowsFinding(d, drifted)
		c.judgedBy = "drift.reference"
		found = append(found, c)
	}
	if len(found) == 0 {
		found = append(found, candidate{Finding: Finding{Area: "windows", Words: quietWords(d)}})
	}
	return found
}

// quietWords says of windows in which nothing is wrong what was looked at, and what stays open.
func quietWords(d *Document) string {
	var compared, drift, settled int
	for _, w := range d.Windows {
		if w.PerformanceVerdict != "" {
			compared++
		}
		if w.Drift != nil {
			drift++
		}
		if w.Verdict == tallystick.Pass {
			settled++
		}
	}
	words, is := wording.Capital(plural(len(d.Windows), "window")), "is"
	if settled < len(d.Windows) {
		is = "is known to be"
	}
	switch {
	case compared > 0 && drift > 0:
		words += fmt.Sprintf(": none %s below its baseline, none drifts", is)
	case compared > 0:
		words += fmt.Sprintf(": none %s below its baseline", is)
	case drift > 0:
		words += ": none drifts; performance is not compared"
	default:
		return words + ": nothing to compare with, so nothing is judged."
	}
	if open := len(d.Windows) - settled; open > 0 && settled > 0 {
		return fmt.Sprintf("%s; in %s of them a part is not settled.", words, count(int64(open)))
	} else if open > 0 {
		return words + "; in none is everything settled."
	}
	return words + "."
}

// worstComparison returns the comparison of a window that fell furthest, relative to its baseline.
func worstComparison(w Window) (performance.Comparison, bool) {
	var worst performance.Comparison
	found := false
	fall := func(c performance.Comparison) float64 {
		return math.Abs(c.Difference.Value) / max(math.Abs(c.Baseline.Value), 1e-12)
	}
	for _, c := range w.Comparisons {
		if c.Verdict != tallystick.Fail && c.Verdict != tallystick.Warn {
			continue
		}
		heavier := c.Verdict == tallystick.Fail && worst.Verdict != tallystick.Fail
		if !found || heavier || c.Verdict == worst.Verdict && fall(c) > fall(worst) {
			worst, found = c, true
		}
	}
	return worst, found
}

func fallFinding(d *Document, fell []int) candidate {
	worst, size, verdict := fell[0], -1.0, tallystick.Verdict("")
	for _, i := range fell {
		w := d.Windows[i]
		verdict = Foremost(verdict, w.PerformanceVerdict)
		c, ok := worstComparison(w)
		if !ok {
			continue
		}
		fall := math.Abs(c.Difference.Value) / max(math.Abs(c.Baseline.Value), 1e-12)
		if w.PerformanceVerdict == tallystick.Fail {
			fall += 1e6 // any fail before any warning
		}
		if fall > size {
			worst, size = i, fall
		}
	}
	w := d.Windows[worst]
	words := "Performance is below its baseline in " + windowName(w)
	if c, ok := worstComparison(w); ok {
		words = fallWords(d, w, c)
	}
	if change := topChange(w.Drift); change != "" {
		words += "; " + change + " there"
	}
	short := words + "."
	if n := len(fell) - 1; n > 0 {
		short += fmt.Sprintf(" %s of %s %s below the baseline too.", plural(n, "other window"), count(int64(len(d.Windows))), are(n))
		var others []string
		for _, i := range fell {
			if i == worst {
				continue
			}
			name := windowName(d.Windows[i])
			if c, ok := worstComparison(d.Windows[i]); ok {
				name += fmt.Sprintf(" (%s %s)", inSentence(metricTitle(d.Windows[i].Performance, c.Metric)), figure.Brief(c.Metric, c.Value))
			}
			others = append(others, name)
		}
		words += fmt.Sprintf(". Also below its baseline in %s of %s: %s", plural(n, "other window"), count(int64(len(d.Windows))), list(others, 3))
	} else {
		words += restWords(d)
	}
	return candidate{
		Finding: Finding{Area: "windows", Verdict: verdict, Words: words + "."},
		short:   short, judgedBy: "windows.performance",
	}
}

// restWords says how the windows do of which none but one is below its baseline.
func restWords(d *Document) string {
	holding := 0
	for _, w := range d.Windows {
		if w.PerformanceVerdict == tallystick.Pass {
			holding++
		}
	}
	switch rest := len(d.Windows) - 1; {
	case rest == 0:
		return ""
	case rest == holding && rest == 1:
		return ". The other window holds"
	case rest == holding:
		return fmt.Sprintf(". The other %s hold", plural(rest, "window"))
	default:
		return fmt.Sprintf(". Of the other %s %s %s settled to hold", plural(rest, "window"), count(int64(holding)), are(holding))
	}
}

// fallWords says one fall: "ROC AUC falls to 0.80 in rows 150,001-155,000 (0.96 in the reference)".
func fallWords(d *Document, w Window, c performance.Comparison) string {
	verb := "falls"
	if c.Difference.Value > 0 {
		verb = "rises"
	}
	base := figure.Brief(c.Metric, c.Baseline)
	if d.Windowing != nil && d.Windowing.Baseline != "" {
		base += " in " + article(d.Windowing.Baseline)
	} else {
		base = "baseline " + base
	}
	return fmt.Sprintf("%s %s to %s in %s (%s)", metricTitle(w.Performance, c.Metric), verb, figure.Brief(c.Metric, c.Value), windowName(w), base)
}

func article(noun string) string {
	for _, prefix := range []string{"the ", "all ", "its ", "every "} {
		if strings.HasPrefix(noun, prefix) {
			return noun
		}
	}
	return "the " + noun
}

func driftedWindowsFinding(d *Document, drifted []int) candidate {
	worst, size, verdict := drifted[0], -1.0, tallystick.Verdict("")
	for _, i := range drifted {
		dr := d.Windows[i].Drift
		verdict = Foremost(verdict, dr.Verdict)
		if features := byDrift(dr.Features); len(features) > 0 {
			if e := effect(features[0]) + 1e6*float64(verdictOrder(dr.Verdict)); e > size {
				worst, size = i, e
			}
		}
	}
	w := d.Windows[worst]
	words := fmt.Sprintf("%d of %s drift against the reference, most of all %s", len(drifted), plural(len(d.Windows), "window"), windowName(w))
	if len(d.Windows) == 1 {
		words = fmt.Sprintf("%s drifts against the reference", wording.Capital(windowName(w)))
	}
	short := words
	if names := driftedNames(w.Drift); len(names) > 0 {
		words += " in " + list(names, 4)
	}
	if change := topChange(w.Drift); change != "" {
		words += ": " + change
		short += ": " + change
	}
	return candidate{Finding: Finding{Area: "windows", Verdict: verdict, Words: words + "."}, short: short + "."}
}
