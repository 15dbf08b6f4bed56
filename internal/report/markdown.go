package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/wording"
)

// markdownRows bounds each table, so that the whole fits the comment of a pull request.
const markdownRows = 12

// WriteMarkdown writes the report in the order of the HTML one, in GitHub's Markdown. Tables are
// bounded and say how much they leave out; the whole stays below 60,000 characters for any
// document whose single texts are short.
func WriteMarkdown(w io.Writer, d *Document) error {
	var m markdown
	m.cover(d)
	m.gate(d.Gate)
	m.performance(d)
	m.calibration(d)
	m.fairness(d.Fairness)
	m.drift(d)
	m.windows(d)
	m.parts(d)
	m.quality(d)
	if d.Contract != nil {
		m.heading("Contract")
		m.contract(*d.Contract)
	}
	m.closing(d)
	if _, err := io.WriteString(w, m.String()); err != nil {
		return fmt.Errorf("write report as Markdown: %w", err)
	}
	return nil
}

func (m *markdown) cover(d *Document) {
	m.block(fmt.Sprintf("# %s %s %s", shape(d.Summary.Verdict), escapeMarkdown(d.Model.Name+" "+d.Model.Version),
		strings.ToUpper(verdictWords(d.Summary.Verdict))))
	m.block("**" + escapeMarkdown(d.Summary.Headline) + "**")
	facts := []string{"tier " + string(d.Model.Tier), plural(d.Rows, "row"), count(d.Labelled) + " labelled", "data " + code(d.Data.Digest.Short())}
	if d.Model.Owner != "" {
		facts = append(facts, "owner "+escapeMarkdown(d.Model.Owner))
	}
	m.block(strings.Join(facts, " · "))
	var findings []string
	for _, f := range d.Summary.Findings {
		findings = append(findings, fmt.Sprintf("%s **%s** %s", shape(f.Verdict), escapeMarkdown(f.Area), escapeMarkdown(f.Words)))
	}
	m.bullets(findings)
}

func (m *markdown) gate(g policy.Decision) {
	m.heading("Gate")
	m.para(gateWords(g))
	var rows [][]string
	asked, idle := policy.Fold(orderedRules(g.Rules))
	for _, r := range asked {
		blocking := ""
		if r.Blocking {
			blocking = "blocking"
		}
		message := escapeMarkdown(r.Message)
		if r.Remediation != "" && r.Status != policy.Pass {
			message += " → " + withCode(r.Remediation)
		}
		rows = append(rows, []string{shape(ruleVerdict(r.Status)) + " " + escapeMarkdown(string(r.Status)), code(r.ID), blocking, message})
	}
	for _, i := range idle {
		rows = append(rows, []string{shape(ruleVerdict(policy.Skip)) + " skip", plural(len(i.Rules), "rule"), "", escapeMarkdown(i.Message)})
	}
	m.table([]column{text("Status"), text("Rule"), text(""), text("Found")}, rows)
}

// orderedRules puts the rules that stop the gate first, then what is not passed, then the rest.
func orderedRules(rules []policy.Rule) []policy.Rule {
	ordered := slices.Clone(rules)
	rank := func(r policy.Rule) int {
		passed := r.Status == policy.Pass || r.Status == policy.Waived
		switch {
		case r.Blocking && !passed && r.Status != policy.Warn:
			return 0
		case !passed && r.Status != policy.Skip:
			return 1
		case !passed:
			return 3
		}
		return 2
	}
	slices.SortStableFunc(ordered, func(a, b policy.Rule) int { return cmp.Compare(rank(a), rank(b)) })
	return ordered
}

func (m *markdown) performance(d *Document) {
	metrics := d.Performance.Metrics()
	if d.Performance == nil {
		return
	}
	m.heading("Performance")
	var rows [][]string
	for _, metric := range metrics {
		f := figure.Estimate(metric.Name, metric.Estimate)
		rows = append(rows, []string{escapeMarkdown(metric.Title), f.Value, f.Interval, count(metric.N), escapeMarkdown(metric.Method)})
	}
	m.bounded([]column{text("Metric"), numeric("Value"), numeric("95 % interval"), numeric("n"), text("Method")}, rows)
	if d.Baseline != nil {
		m.block(fmt.Sprintf("Against the %s %s:", escapeMarkdown(d.Baseline.Source), escapeMarkdown(d.Baseline.Name)))
		rows = nil
		for _, c := range d.Baseline.Metrics {
			rows = append(rows, []string{status(c.Verdict), escapeMarkdown(c.Words)})
		}
		m.bounded([]column{text("Verdict"), text("Found")}, rows)
	}
	var absent []string
	for _, a := range d.Performance.Absent {
		absent = append(absent, code(a.Metric)+" is not there: "+escapeMarkdown(a.Reason))
	}
	m.bullets(absent)
}

func (m *markdown) calibration(d *Document) {
	c := d.Calibration
	if c == nil {
		return
	}
	m.heading("Calibration")
	if c.Skipped != "" {
		m.para(wording.Sentence(wording.Capital(c.Skipped)))
		return
	}
	var rows [][]string
	for _, e := range calibrationFigures(c) {
		rows = append(rows, []string{e.Title, e.Figure.Value, e.Figure.Interval, count(e.N), escapeMarkdown(e.Method)})
	}
	m.bounded([]column{text("Figure"), numeric("Value"), numeric("95 % interval"), numeric("n"), text("Method")}, rows)
}

func (m *markdown) fairness(f *fairness.Fairness) {
	if f == nil {
		return
	}
	m.heading("Fairness")
	m.block(fmt.Sprintf("The favourable prediction is the %s one. Accepted gap %s points, four-fifths screen %s (%s).",
		escapeMarkdown(f.Favourable), figure.Plain(100*f.Limits.Gap), figure.Plain(f.Limits.Ratio), escapeMarkdown(f.Limits.Origin)))
	var rows [][]string
	for _, g := range f.Groups {
		if strings.Contains(g.Attribute, fairness.Intersection) {
			continue
		}
		rows = append(rows, []string{escapeMarkdown(g.Attribute), escapeMarkdown(g.Value), count(g.N),
			figure.Share(g.SelectionRate, g.SelectionRateCI).String(), figure.Share(g.TPR, g.TPRCI).String(), figure.Share(g.FPR, g.FPRCI).String(), figure.Share(g.FNR, g.FNRCI).String(), figure.Share(g.PPV, g.PPVCI).String()})
	}
	m.bounded([]column{text("Attribute"), text("Group"), numeric("n"), numeric("Selection rate"), numeric("TPR"), numeric("FPR"), numeric("FNR"), numeric("PPV")}, rows)
	rows = nil
	for _, v := range []tallystick.Verdict{tallystick.Fail, tallystick.Warn, tallystick.Inconclusive} {
		for _, c := range withVerdict(f.Comparisons, v) {
			rows = append(rows, []string{status(c.Verdict), escapeMarkdown(fairnessTitle(c.Metric)), escapeMarkdown(c.Words)})
		}
	}
	m.bounded([]column{text("Verdict"), text("Rate"), text("Found")}, rows)
}

func (m *markdown) drift(d *Document) {
	if d.Drift == nil {
		return
	}
	m.heading("Drift")
	m.block(fmt.Sprintf("%s against %s of the reference; %d of %s drift.",
		plural(d.Drift.Rows, "row"), count(d.Drift.Reference), d.Drift.Drifted, plural(len(d.Drift.Features), "column")))
	var rows [][]string
	for _, f := range byDrift(d.Drift.Features) {
		change := ""
		if f.Top != nil {
			change = escapeMarkdown(changeWords(f))
		}
		rows = append(rows, []string{status(f.Verdict), escapeMarkdown(f.Name), optional(f.PSI, 4), optional(f.WassersteinSD, 3), pValue(f.PAdjusted), change})
	}
	m.bounded([]column{text("Verdict"), text("Column"), numeric("PSI"), numeric("W1 / sd"), numeric("p adjusted"), text("Largest change")}, rows)
}

func (m *markdown) windows(d *Document) {
	if len(d.Windows) == 0 {
		return
	}
	m.heading("Windows")
	var rows [][]string
	for _, w := range troubled(d.Windows) {
		rows = append(rows, []string{status(w.Verdict), escapeMarkdown(windowName(w)), count(w.Rows), escapeMarkdown(w.Words)})
	}
	m.block(fmt.Sprintf("%s, %s passed.", plural(len(d.Windows), "window"), count(int64(len(d.Windows)-len(rows)))))
	m.bounded([]column{text("Verdict"), text("Window"), numeric("Rows"), text("Found")}, rows)
}

// troubled returns the windows that are not passed, the worst verdicts first.
func troubled(windows []Window) []Window {
	some := slices.DeleteFunc(slices.Clone(windows), func(w Window) bool { return !judged(w.Verdict) })
	slices.SortStableFunc(some, func(a, b Window) int { return verdictOrder(b.Verdict) - verdictOrder(a.Verdict) })
	return some
}

// parts writes the slices and the leakage suspicions that are not passed.
func (m *markdown) parts(d *Document) {
	var rows [][]string
	for _, s := range d.Slices {
		rows = append(rows, []string{status(s.Verdict), count(s.N), escapeMarkdown(s.Words)})
	}
	if len(rows) > 0 {
		m.heading("Worst slices")
		m.bounded([]column{text("Verdict"), numeric("n"), text("Found")}, rows)
	}
	rows = nil
	for _, l := range d.Leakage {
		if judged(l.Verdict) {
			rows = append(rows, []string{status(l.Verdict), escapeMarkdown(l.Column), escapeMarkdown(l.Words)})
		}
	}
	if len(rows) > 0 {
		m.heading("Leakage")
		m.bounded([]column{text("Verdict"), text("Column"), text("Found")}, rows)
	}
}

func (m *markdown) quality(d *Document) {
	q := d.Quality
	if q == nil {
		return
	}
	m.heading("Data quality")
	m.block(fmt.Sprintf("%s, %s, %s (%s).", plural(q.Rows, "row"), plural(len(q.Columns), "column"), plural(q.DuplicateRows, "duplicate row"), escapeMarkdown(q.DuplicateScope)))
	var rows [][]string
	for _, c := range q.Columns {
		for _, i := range c.Issues {
			rows = append(rows, []string{status(i.Verdict), escapeMarkdown(c.Name), code(i.Check), escapeMarkdown(i.Words)})
		}
	}
	m.bounded([]column{text("Verdict"), text("Column"), text("Check"), text("Found")}, rows)
}

// sentences writes a list under a heading, if there is anything in it.
func (m *markdown) sentences(heading string, sentences []string) {
	if len(sentences) == 0 {
		return
	}
	m.heading(heading)
	var items []string
	for _, s := range sentences {
		items = append(items, escapeMarkdown(s))
	}
	m.bullets(items)
}

func (m *markdown) closing(d *Document) {
	if d.Criteria.Words != "" {
		m.heading("Criteria")
		m.para(d.Criteria.Words)
	}
	m.sentences("What was guessed", d.Guesses)
	m.sentences("What this audit cannot show", d.Limits)
	m.heading("Verify")
	m.block("`tallystick verify evidence.tally` checks signatures, digests and proofs of this audit without the workspace that made it.")
	m.block(fmt.Sprintf("<sub>audit %s · %s · %s %s · data %s</sub>", code(d.ID), moment(d.Generated), escapeMarkdown(d.Tool.Name), escapeMarkdown(d.Tool.Version), code(string(d.Data.Digest))))
}
