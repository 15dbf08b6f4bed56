package explanation

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

//go:embed letter.md
var letter string

// causesTold is how many features a letter names.
const causesTold = 5

// WriteLetter writes a draft of a letter to the person whom the decision is about, in Markdown: what was decided, by
// what, why as far as that is on record, what the person can do. Names of people and what is about others are
// not in it. What somebody has to fill in stands in square brackets.
func (x *Explanation) WriteLetter(w io.Writer) error {
	t, err := template.New("letter").Funcs(template.FuncMap{
		"day":   func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"stop":  func(text string) string { return strings.TrimSuffix(text, ".") + "." },
		"plain": plain,
	}).Parse(letter)
	if err != nil {
		return fmt.Errorf("read the template of the letter: %w", err)
	}
	data := struct {
		*Explanation
		Time             time.Time
		Story            []string
		Output           string
		Machine          bool
		For, Against     []Cause
		Reviewed, Answer string
	}{Explanation: x, Time: x.record.Time.Time(), Story: story(&x.record, false), Output: x.record.Output.String(), Machine: x.record.DecidedBy == "automated"}
	if x.record.Output.IsNull() {
		data.Output = "[the decision]"
	}
	for _, c := range x.Causes {
		switch {
		case c.Contribution > 0 && len(data.For) < causesTold:
			data.For = append(data.For, c)
		case c.Contribution < 0 && len(data.Against) < causesTold:
			data.Against = append(data.Against, c)
		}
	}
	for _, c := range x.Cases {
		if c.State == "decided" {
			data.Reviewed, data.Answer = c.DecidedAt.UTC().Format("2 January 2006"), plain(c.Outcome)
			break
		}
	}
	return t.Execute(w, data)
}

// plain writes a value as people read it: a text without its quotation marks.
func plain(value json.RawMessage) string {
	var text string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
