package report

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/wording"
)

// markdown collects blocks with an empty line between them.
type markdown struct{ strings.Builder }

func (m *markdown) block(text string) {
	if m.Len() > 0 {
		m.WriteByte('\n')
	}
	m.WriteString(text + "\n")
}

func (m *markdown) heading(text string) { m.block("## " + text) }

// para writes a paragraph of text from data.
func (m *markdown) para(text string) { m.block(escapeMarkdown(text)) }

func (m *markdown) bullets(items []string) {
	if len(items) > 0 {
		m.block("- " + strings.Join(items, "\n- "))
	}
}

// column is one column of a table; right ones hold numbers.
type column struct {
	title string
	right bool
}

func text(title string) column    { return column{title, false} }
func numeric(title string) column { return column{title, true} }

// bounded writes a table of at most markdownRows rows, and says how many more there are.
func (m *markdown) bounded(columns []column, rows [][]string) {
	m.table(columns, rows[:min(len(rows), markdownRows)])
	if more := len(rows) - markdownRows; more > 0 {
		m.block(fmt.Sprintf("and %s more in report.html", count(int64(more))))
	}
}

// table writes rows of cells that are escaped already.
func (m *markdown) table(columns []column, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	var head, rule []string
	for _, c := range columns {
		head = append(head, c.title)
		rule = append(rule, map[bool]string{false: "---", true: "---:"}[c.right])
	}
	line(head)
	line(rule)
	for _, r := range rows {
		line(r)
	}
	m.block(strings.TrimSuffix(b.String(), "\n"))
}

// escapeMarkdown makes text from data mean itself on one line of Markdown and in a table cell.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		switch r {
		case '\\', '`', '*', '[', ']', '|', '#', '~', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@': // would notify whoever has that name
			b.WriteString("&#64;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// withCode escapes text but for the commands in it, which stay code.
func withCode(s string) string {
	var b strings.Builder
	for _, part := range wording.Spans(s) {
		if part.Code {
			b.WriteString(code(part.Text))
			continue
		}
		// Escaping joins lines and trims; the spaces beside code stay.
		escaped := escapeMarkdown("." + part.Text + ".")
		b.WriteString(escaped[1 : len(escaped)-1])
	}
	return b.String()
}

// code writes a short text from data as code.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦").Replace(oneLine(s)) + "`"
}

// status writes a verdict with its shape.
func status(v tallystick.Verdict) string { return shape(v) + " " + verdictWords(v) }
