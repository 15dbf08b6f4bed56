package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/wording"
)

// candidate is a finding on its way into the summary.
type candidate struct {
	Finding
	short    string // for the headline; empty: the words
	judgedBy string // id of the gate rule that looks at the same facts
	severity int    // of the blocking rule that it stops; 0 is critical
}

// Summarise says what matters most in the results of d: first what stops a blocking rule of the
// gate, by the rule's severity, then what fails, what was not settled, and what is a warning, then
// the figures that are merely told. It reads the results and the gate's rows, and not d.Summary.
func Summarise(d *Document) Summary {
	candidates := slices.Concat(
		windowFindings(d), performanceFindings(d), fairnessFindings(d), calibrationFindings(d),
		driftFindings(d), leakageFindings(d), contractFindings(d), qualityFindings(d), sliceFindings(d),
	)
	candidates = withGate(candidates, d.Gate.Rules)
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.severity, b.severity))
	})
	s := Summary{Verdict: d.Gate.Verdict, Findings: []Finding{}}
	for _, c := range candidates {
		s.Findings = append(s.Findings, c.Finding)
	}
	s.Headline = headline(d, candidates)
	return s
}

// rank orders by what a reader must know first.
func (c candidate) rank() int {
	switch {
	case c.Rule != "":
		return 0
	case c.Verdict == tallystick.Fail:
		return 1
	case c.Verdict == tallystick.Warn:
		return 2
	case c.Verdict == tallystick.Inconclusive, c.Verdict == tallystick.Insufficient:
		return 3
	}
	return 4
}

var severities = []string{"critical", "high", "medium", "low"}

// withGate sets what the gate says beside what the results say. A rule that did not pass marks the
// finding about the same facts, so that nothing is told twice; where there is none, the rule's own
// message becomes a finding.
func withGate(candidates []candidate, rules []policy.Rule) []candidate {
	for _, r := range rules {
		if r.Status == policy.Pass || r.Status == policy.Waived || !r.Blocking && r.Status == policy.Skip {
			continue
		}
		stops := r.Blocking && r.Status != policy.Warn
		severity := max(0, slices.Index(severities, r.Severity))
		i := slices.IndexFunc(candidates, func(c candidate) bool {
			return c.judgedBy == r.ID && c.Verdict != "" && c.Verdict != tallystick.Pass
		})
		if i < 0 {
			area, _, _ := strings.Cut(r.ID, ".")
			candidates = append(candidates, candidate{Finding: Finding{Area: area, Verdict: ruleVerdict(r.Status), Words: ruleWords(r)}})
			i = len(candidates) - 1
		}
		if stops {
			candidates[i].Rule, candidates[i].severity = r.ID, severity
		}
	}
	return candidates
}

func ruleWords(r policy.Rule) string {
	if r.Message == "" {
		return wording.Sentence(r.Title)
	}
	return wording.Sentence(r.Message)
}

// ruleVerdict translates the status of a gate rule.
func ruleVerdict(s policy.Status) tallystick.Verdict {
	switch s {
	case policy.Pass, policy.Waived:
		return tallystick.Pass
	case policy.Warn:
		return tallystick.Warn
	case policy.Inconclusive:
		return tallystick.Inconclusive
	case policy.Insufficient, policy.Skip:
		return tallystick.Insufficient
	}
	return tallystick.Fail
}

// stopping returns the blocking rules that keep the gate shut.
func stopping(rules []policy.Rule) []policy.Rule {
	var stopped []policy.Rule
	for _, r := range rules {
		if r.Blocking && r.Status != policy.Pass && r.Status != policy.Warn && r.Status != policy.Waived {
			stopped = append(stopped, r)
		}
	}
	return stopped
}

// headline is the audit in one sentence, or two.
func headline(d *Document, candidates []candidate) string {
	var top *candidate
	if len(candidates) > 0 && candidates[0].rank() < 4 {
		top = &candidates[0]
	}
	switch {
	case top != nil:
		return cmp.Or(top.short, top.Words)
	case d.Gate.Verdict == tallystick.Pass:
		return fmt.Sprintf("Nothing stands out in %s; the gate passes.", plural(d.Rows, "row"))
	}
	return cmp.Or(wording.Sentence(wording.Capital(d.Gate.Words)), "There is no gate verdict.")
}

// gateWords says how the gate came out, in one sentence.
func gateWords(g policy.Decision) string {
	if g.Words != "" {
		return wording.Sentence(wording.Capital(g.Words))
	}
	blocking := 0
	for _, r := range g.Rules {
		if r.Blocking {
			blocking++
		}
	}
	stopped := len(stopping(g.Rules))
	if stopped == 0 {
		return fmt.Sprintf("Every one of %s is passed or waived.", plural(blocking, "blocking rule"))
	}
	return fmt.Sprintf("%d of %s not passed.", stopped, plural(blocking, "blocking rule"))
}
