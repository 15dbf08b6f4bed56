package expectation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/monitor"
)

// compare returns what a judgement says otherwise than expected.
func (w *Window) compare(j *monitor.WindowJudgement) (faults []Fault) {
	at := monitor.Window{From: j.From, To: j.To}.String()
	add := func(line int, what, expected, got, words string) {
		faults = append(faults, Fault{line, at, what, expected, got, words})
	}
	e := &w.Expect
	if e.Verdict != "" && e.Verdict != j.Verdict {
		add(w.Line, "the window", string(e.Verdict), string(j.Verdict), j.Words)
	}
	if e.Words != "" && !strings.Contains(j.Words, e.Words) {
		add(w.Line, "the words of the window", fmt.Sprintf("%q", e.Words), fmt.Sprintf("%q", j.Words), "")
	}
	named := map[int]bool{}
	for i := range e.Rows {
		want := &e.Rows[i]
		at := slices.IndexFunc(j.Rows, func(r monitor.Row) bool {
			return r.Check == want.Check && r.Subject == want.Subject && (want.Slice == "" || r.Slice == want.Slice)
		})
		if at < 0 {
			add(want.Line, want.name(), "a row", "none", rowsOf(j, want.Check))
			continue
		}
		named[at] = true
		r := &j.Rows[at]
		if want.Verdict != "" && want.Verdict != r.Verdict {
			add(want.Line, want.name(), string(want.Verdict), string(r.Verdict), r.Words)
		}
		if want.Words != "" && !strings.Contains(r.Words, want.Words) {
			add(want.Line, "the words of "+want.name(), fmt.Sprintf("%q", want.Words), fmt.Sprintf("%q", r.Words), "")
		}
		if v := want.Value; v != nil && !(r.Value.Valid() && v[0] <= float64(r.Value) && float64(r.Value) <= v[1]) {
			got := "none"
			if r.Value.Valid() {
				got = figure.Plain(float64(r.Value))
			}
			add(want.Line, r.Measure+" of "+want.name(), fmt.Sprintf("%s to %s", figure.Plain(v[0]), figure.Plain(v[1])), got, r.Words)
		}
	}
	if !e.Others {
		return faults
	}
	for i, r := range j.Rows {
		if !named[i] && r.Verdict != tallystick.Pass {
			add(w.Line, nameOf(r.Check, r.Subject, r.Slice)+", which the test does not name,", string(tallystick.Pass), string(r.Verdict), r.Words)
		}
	}
	return faults
}

func (r *Row) name() string { return nameOf(r.Check, r.Subject, r.Slice) }

func nameOf(check, subject, slice string) string {
	name := check
	if subject != "" {
		name += " of " + subject
	}
	if slice != "" {
		name += " where " + slice
	}
	return name
}

// rowsOf says which rows of a check there are.
func rowsOf(j *monitor.WindowJudgement, check string) string {
	var all []string
	for _, r := range j.Rows {
		if r.Check == check {
			all = append(all, nameOf(r.Check, r.Subject, r.Slice))
		}
	}
	if len(all) == 0 {
		return fmt.Sprintf("The judgement has no row of %s.", check)
	}
	if more := len(all) - 10; more > 0 {
		all = append(all[:10], fmt.Sprintf("%d more", more))
	}
	return "The judgement has " + strings.Join(all, ", ") + "."
}
