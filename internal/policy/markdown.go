package policy

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Bounds that keep a decision within one comment on a pull request (65,536 characters on GitHub).
const (
	markdownDetails = 10
	markdownWords   = 600
)

func writeMarkdown(w io.Writer, d Decision, options RenderOptions) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "## %s\n\n", markdownText(headline(d)))
	if options.Model != "" {
		fmt.Fprintf(out, "Model **%s** version **%s**: %s.\n\n", markdownText(options.Model), markdownText(options.Version), tally(d.Rules))
	} else {
		fmt.Fprintf(out, "%s.\n\n", tally(d.Rules))
	}
	rules := byUrgency(d.Rules)
	open := 0
	for open < len(rules) && urgency(rules[open]) < urgency(Rule{Status: Pass}) {
		open++
	}
	if open > 0 {
		writeMarkdownTable(out, rules[:open])
		writeMarkdownAdvice(out, rules[:open])
	}
	if open < len(rules) {
		fmt.Fprintf(out, "<details><summary>%d rules that pass or do not apply</summary>\n\n", len(rules)-open)
		writeMarkdownTable(out, rules[open:])
		fmt.Fprint(out, "</details>\n\n")
	}
	fmt.Fprintf(out, "Policy `%s`, input `%s`, %s.\n", d.Policy.Short(), d.Input.Short(), d.Engine)
	return out.Flush()
}

func writeMarkdownTable(out io.Writer, rules []Rule) {
	fmt.Fprint(out, "| Status | Rule | Found |\n|---|---|---|\n")
	for _, rule := range rules {
		status := string(rule.Status)
		if rule.Denies() {
			status = "**" + status + "** (blocks)"
		}
		fmt.Fprintf(out, "| %s | `%s` | %s |\n", status, rule.ID, markdownText(rule.Message))
	}
	fmt.Fprint(out, "\n")
}

func writeMarkdownAdvice(out io.Writer, rules []Rule) {
	fmt.Fprint(out, "**What to do**\n\n")
	for _, rule := range rules {
		fmt.Fprintf(out, "- `%s`: %s\n", rule.ID, markdownText(rule.Remediation))
		if len(rule.Details) < 2 {
			continue
		}
		for _, detail := range rule.Details[:min(markdownDetails, len(rule.Details))] {
			fmt.Fprintf(out, "  - %s\n", markdownText(detail))
		}
		if more := len(rule.Details) - markdownDetails; more > 0 {
			fmt.Fprintf(out, "  - and %d more\n", more)
		}
	}
	fmt.Fprint(out, "\n")
}

// The characters that would make names from an audited file into markup, a mention or a link.
// Code spans stay, because remediations carry commands in them.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "@", "@\u200b", "#", `\#`, "~", `\~`,
)

// markdownText escapes text outside of its code spans.
func markdownText(text string) string {
	text = printable(text)
	if runes := []rune(text); len(runes) > markdownWords {
		text = string(runes[:markdownWords]) + " …"
	}
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 { // an odd number of backquotes: none opens a span
		return strings.ReplaceAll(markdownEscapes.Replace(text), "`", "\\`")
	}
	for i := range parts {
		if i%2 == 0 {
			parts[i] = markdownEscapes.Replace(parts[i])
		} else {
			parts[i] = strings.ReplaceAll(parts[i], "|", `\|`)
		}
	}
	return strings.Join(parts, "`")
}
