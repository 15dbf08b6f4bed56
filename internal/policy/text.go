package policy

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	defaultWidth = 100
	minWords     = 30 // columns left for words, however narrow the terminal
	textDetails  = 8
)

func writeText(w io.Writer, d Decision, options RenderOptions) error {
	out := bufio.NewWriter(w)
	width := cmp.Or(options.Width, defaultWidth)
	fmt.Fprintf(out, "%s\n%s\n\n", headline(d), tally(d.Rules))
	rules := byUrgency(d.Rules)
	id := len("rule")
	for _, rule := range rules {
		id = max(id, utf8.RuneCountInString(rule.ID))
	}
	const status = len("inconclusive")
	left := 2 + status + 2 + id + 2
	fmt.Fprintf(out, "  %-*s  %-*s  found\n", status, "status", id, "rule")
	asked, idle := Fold(rules)
	for _, rule := range asked {
		mark := ' '
		if rule.Denies() {
			mark = '!'
		}
		lines := wrap(printable(rule.Message), max(minWords, width-left))
		fmt.Fprintf(out, "%c %s  %-*s  %s\n", mark, coloured(rule, status, options.Colour), id, rule.ID, lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(out, "%s%s\n", strings.Repeat(" ", left), line)
		}
	}
	for _, group := range idle {
		lines := wrap(printable(group.Message), max(minWords, width-left))
		fmt.Fprintf(out, "  %s  %-*s  %s\n", coloured(Rule{Status: Skip}, status, options.Colour), id, fmt.Sprintf("%d rules", len(group.Rules)), lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(out, "%s%s\n", strings.Repeat(" ", left), line)
		}
	}
	first := true
	for _, rule := range rules {
		if rule.Status == Pass || rule.Remediation == "" {
			continue
		}
		if first {
			fmt.Fprint(out, "\nWhat to do (! keeps the gate shut)\n")
			first = false
		}
		writeAdvice(out, rule, width)
	}
	fmt.Fprintf(out, "\npolicy %s  input %s  %s\n", d.Policy, d.Input.Short(), d.Engine)
	return out.Flush()
}

// Idle are rules that were not asked, all for the same reason.
type Idle struct {
	Message string
	Rules   []string // ids
}

// Fold splits off the rules that were not asked for one and the same reason, where they are many: in an
// audit alone those about releases, in a rollback nearly all.
func Fold(rules []Rule) (asked []Rule, idle []Idle) {
	const many = 3
	unasked := func(r Rule) bool { return r.Status == Skip && !r.Blocking && r.Remediation == "" }
	counts := map[string]int{}
	for _, rule := range rules {
		if unasked(rule) {
			counts[rule.Message]++
		}
	}
	for _, rule := range rules {
		if !unasked(rule) || counts[rule.Message] < many {
			asked = append(asked, rule)
			continue
		}
		i := slices.IndexFunc(idle, func(i Idle) bool { return i.Message == rule.Message })
		if i < 0 {
			i, idle = len(idle), append(idle, Idle{Message: rule.Message})
		}
		idle[i].Rules = append(idle[i].Rules, rule.ID)
	}
	return asked, idle
}

func writeAdvice(out io.Writer, rule Rule, width int) {
	mark := ' '
	if rule.Denies() {
		mark = '!'
	}
	fmt.Fprintf(out, "%c %s\n", mark, rule.ID)
	if len(rule.Details) > 1 {
		for _, detail := range rule.Details[:min(textDetails, len(rule.Details))] {
			writeHanging(out, "    - ", printable(detail), width)
		}
		if more := len(rule.Details) - textDetails; more > 0 {
			fmt.Fprintf(out, "    - and %d more\n", more)
		}
	}
	writeHanging(out, "    > ", printable(rule.Remediation), width)
}

func writeHanging(out io.Writer, lead, text string, width int) {
	for i, line := range wrap(text, max(minWords, width-len(lead))) {
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		fmt.Fprintf(out, "%s%s\n", lead, line)
	}
}

// coloured pads the status and, with colour, wraps it in a colour that only repeats what the word
// says.
func coloured(rule Rule, width int, colour bool) string {
	word := fmt.Sprintf("%-*s", width, rule.Status)
	if !colour {
		return word
	}
	code := "33" // yellow
	switch {
	case rule.Denies():
		code = "31;1" // red
	case rule.Status == Pass:
		code = "32" // green
	case rule.Status == Skip:
		code = "2" // dim
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// wrap breaks text at spaces into lines of at most width characters; a longer word keeps a line
// of its own, and a percent sign stays with its number. There is always at least one line.
func wrap(text string, width int) []string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.ReplaceAll(text, " %", "\u00a0%")
	var lines []string
	line, length := "", 0
	for word := range strings.SplitSeq(text, " ") {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line += " "
			length++
		}
		line += word
		length += n
	}
	return append(lines, line)
}
