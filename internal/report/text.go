package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/wording"
)

// The lines that a summary may take of a terminal of 24, so that the names of the written files
// and a prompt still fit below it.
const summaryLines = 20

// WriteSummary writes the audit as one screen of text, width columns wide (40 to 120; 0 is 80):
// the verdict, what matters most in words, the key figures, and what stops the gate with what to
// do about it. colour says whether the reader is a terminal that shows colours; verdicts are
// words and shapes in either case. Text from data cannot steer the terminal.
func WriteSummary(w io.Writer, d *Document, width int, colour bool) error {
	if width <= 0 {
		width = 80
	}
	s := screen{width: min(120, max(40, width)), colour: colour}
	s.title(d)
	s.blank()
	head := wrap(d.Summary.Headline, s.width)
	if len(head) > 3 {
		head[2] = clip(head[2]+" …", s.width)
	}
	for _, line := range head[:min(3, len(head))] {
		s.line(s.bold(line))
	}
	foot := s.foot(d)
	if findings := besideHeadline(d.Summary); len(findings) > 0 {
		s.blank()
		s.findings(findings, summaryLines-len(s.lines)-len(foot))
	}
	s.lines = append(s.lines, foot...)
	_, err := io.WriteString(w, strings.Join(s.lines, "\n")+"\n")
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// screen collects lines of at most width columns.
type screen struct {
	width  int
	colour bool
	lines  []string
}

func (s *screen) line(text string) { s.lines = append(s.lines, text) }

func (s *screen) blank() { s.lines = append(s.lines, "") }

// title writes the model at the left, the verdict at the right, and one line of context.
func (s *screen) title(d *Document) {
	verdict := strings.ToUpper(verdictWords(d.Summary.Verdict))
	shown := shape(d.Summary.Verdict) + " " + verdict
	name := clip(oneLine(d.Model.Name+" "+d.Model.Version), s.width-columns(shown)-2)
	pad := strings.Repeat(" ", max(1, s.width-columns(name)-columns(shown)))
	s.line(s.bold(name) + pad + s.paint(d.Summary.Verdict, shown))
	parts := []string{"tier " + string(d.Model.Tier), plural(d.Rows, "row")}
	if d.Labelled != d.Rows {
		parts = append(parts, count(d.Labelled)+" labelled")
	}
	if n := len(d.Windows); n > 0 {
		parts = append(parts, plural(n, "window"))
	}
	parts = append(parts, "data "+d.Data.Digest.Short())
	if d.Model.Owner != "" {
		parts = append(parts, "owner "+d.Model.Owner)
	}
	s.line(clip(oneLine(strings.Join(parts, " · ")), s.width))
}

// besideHeadline returns the findings that the headline and the line of figures do not tell.
func besideHeadline(s Summary) []Finding {
	findings := s.Findings
	if len(findings) > 0 && (findings[0].Rule != "" || judged(findings[0].Verdict)) {
		findings = findings[1:]
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Area == "performance" && f.Verdict == "" })
}

// findings writes as many findings as fit in room lines, each with its shape and area before it.
func (s *screen) findings(findings []Finding, room int) {
	const indent = 14
	written := 0
	for i, f := range findings {
		lines := wrap(f.Words, s.width-indent)
		// Two lines each as long as the rest still get one.
		most := 1
		if written+2+len(findings)-1-i <= room {
			most = 2
		}
		if len(lines) > most {
			lines = lines[:most]
			lines[most-1] = clip(lines[most-1]+" …", s.width-indent)
		}
		last := i == len(findings)-1
		if written+len(lines) > room-1 && !(last && written+len(lines) <= room) {
			s.line(fmt.Sprintf("  and %s in the report", plural(len(findings)-i, "more finding")))
			return
		}
		for j, line := range lines {
			margin := strings.Repeat(" ", indent)
			if j == 0 {
				margin = s.paint(f.Verdict, shape(f.Verdict)) + " " + pad(clip(oneLine(f.Area), indent-3), indent-2)
			}
			s.line(margin + line)
		}
		written += len(lines)
	}
}

// foot returns the lines below the findings: key figures and the gate.
func (s *screen) foot(d *Document) []string {
	f := screen{width: s.width, colour: s.colour}
	f.blank()
	if figures := figuresLine(d.Performance); figures != "" {
		f.labelled("Figures", figures, 2)
	}
	stopped := stopping(d.Gate.Rules)
	f.labelled("Gate", beforeRules(gateWords(d.Gate), stopped), 2)
	var ids []string
	remedy := ""
	for _, r := range stopped {
		ids = append(ids, r.ID+" ("+string(r.Status)+")")
		if remedy == "" && (r.Status == policy.Skip || r.Status == policy.Insufficient || len(stopped) == 1) {
			remedy = r.Remediation
		}
	}
	if len(ids) > 0 {
		f.labelled("Stopped by", list(ids, 4), 2)
		if remedy == "" {
			remedy = stopped[0].Remediation
		}
		if remedy != "" {
			f.labelled("To do", strings.ReplaceAll(remedy, "`", ""), 2)
		}
	}
	return f.lines
}

// beforeRules returns what the gate says before it lists the rules, which get a line of their own.
func beforeRules(words string, stopped []policy.Rule) string {
	end := len(words)
	for _, r := range stopped {
		if i := strings.Index(words, r.ID); r.ID != "" && i > 0 {
			end = min(end, i)
		}
	}
	return wording.Sentence(strings.TrimRight(words[:end], ":;, "))
}

// labelled writes a name and text beside it in at most most lines.
func (s *screen) labelled(name, text string, most int) {
	const indent = 12
	lines := wrap(text, s.width-indent)
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] = clip(lines[most-1]+" …", s.width-indent)
	}
	for i, line := range lines {
		if i > 0 {
			name = ""
		}
		s.line(s.bold(pad(name, indent)) + line)
	}
}

func figuresLine(p *performance.Performance) string {
	var parts []string
	for _, name := range slices.Concat(keyMetrics, []string{"log_loss", "brier"}) {
		if m, ok := p.Metric(name); ok && len(parts) < 4 {
			parts = append(parts, m.Title+" "+figure.Estimate(name, m.Estimate).String())
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " · ") + " (95 %)"
}

// shape is a verdict's sign, so that it is told by more than colour.
func shape(v tallystick.Verdict) string {
	switch v {
	case tallystick.Pass:
		return "✓"
	case tallystick.Warn:
		return "▲"
	case tallystick.Fail:
		return "✗"
	case tallystick.Inconclusive, tallystick.Insufficient:
		return "○"
	}
	return "·"
}

func (s *screen) paint(v tallystick.Verdict, text string) string {
	if !s.colour {
		return text
	}
	code := "90" // grey
	switch v {
	case tallystick.Pass:
		code = "32"
	case tallystick.Warn:
		code = "33"
	case tallystick.Fail:
		code = "31"
	case tallystick.Inconclusive, tallystick.Insufficient:
		code = "35"
	}
	return "\x1b[1;" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string {
	if !s.colour || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
