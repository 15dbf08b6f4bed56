package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/contract"
)

// orderedChecks puts what is not kept first.
func orderedChecks(checks []contract.Check) []contract.Check {
	ordered := slices.Clone(checks)
	slices.SortStableFunc(ordered, func(a, b contract.Check) int { return verdictOrder(b.Verdict) - verdictOrder(a.Verdict) })
	return ordered
}

// contractWords sums up a result in a sentence.
func contractWords(r contract.Result) string {
	broken := 0
	for _, c := range r.Checks {
		if judged(c.Verdict) {
			broken++
		}
	}
	if broken == 0 {
		return fmt.Sprintf("The contract %s is kept: %s.", r.Name, plural(len(r.Checks), "expectation"))
	}
	return fmt.Sprintf("The contract %s: %d of %s %s not kept.", r.Name, broken, plural(len(r.Checks), "expectation"), are(broken))
}

func (m *markdown) contract(r contract.Result) {
	m.para(contractWords(r))
	var rows [][]string
	for _, c := range orderedChecks(r.Checks) {
		rows = append(rows, []string{status(c.Verdict), code(c.ID), escapeMarkdown(c.Expected), escapeMarkdown(c.Found), count(c.Count), escapeMarkdown(c.Example)})
	}
	m.bounded([]column{text("Verdict"), text("Check"), text("Expected"), text("Found"), numeric("Rows"), text("First")}, rows)
}

// WriteContractMarkdown writes r as Markdown for a pull request, what is not kept first.
func WriteContractMarkdown(w io.Writer, r contract.Result) error {
	var m markdown
	m.block(fmt.Sprintf("## %s Contract %s", shape(r.Verdict), escapeMarkdown(r.Name)))
	m.contract(r)
	if _, err := io.WriteString(w, m.String()); err != nil {
		return fmt.Errorf("write contract result as Markdown: %w", err)
	}
	return nil
}

// WriteContractText writes r as an aligned table for a terminal, what is not kept first and with
// its first offending row below it. width and colour are as for [WriteSummary]; a width of 0 and
// any above 200 is 80.
func WriteContractText(w io.Writer, r contract.Result, width int, colour bool) error {
	if width <= 0 || width > 200 {
		width = 80
	}
	s := screen{width: max(40, width), colour: colour}
	const verdictWidth = 15
	idWidth := 0
	for _, c := range r.Checks {
		idWidth = max(idWidth, columns(oneLine(c.ID)))
	}
	idWidth = min(idWidth, s.width/3)
	for _, c := range orderedChecks(r.Checks) {
		room := s.width - verdictWidth - idWidth - 2
		lines := wrap(c.Words, room)
		if judged(c.Verdict) && c.Example != "" {
			lines = append(lines, wrap("first: "+c.Example, room)...)
		}
		if !judged(c.Verdict) {
			lines = lines[:min(1, len(lines))]
		}
		margin := s.paint(c.Verdict, pad(status(c.Verdict), verdictWidth)) + pad(clip(oneLine(c.ID), idWidth), idWidth+2)
		if len(lines) == 0 {
			lines = []string{""}
		}
		for _, line := range lines {
			s.line(strings.TrimRight(margin+line, " "))
			margin = strings.Repeat(" ", verdictWidth+idWidth+2)
		}
	}
	s.blank()
	s.line(s.paint(r.Verdict, shape(r.Verdict)) + " " + s.bold(oneLine(contractWords(r))))
	if _, err := io.WriteString(w, strings.Join(s.lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("write contract result: %w", err)
	}
	return nil
}
