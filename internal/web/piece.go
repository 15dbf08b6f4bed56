package web

import (
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/trail"
)

// Pieces are what stands in every row of a list. A template writes one in about the time in which a function writes
// ten: a page of fifty rows has some two hundred of them.

// markup is text that only functions of this file make, from words that they have escaped.
func markup(b *strings.Builder) template.HTML { return template.HTML(b.String()) } //nolint:gosec // escaped where it is written

// write writes markup with a word, escaped, in the place of each *.
func write(b *strings.Builder, pattern string, words ...string) {
	for _, word := range words {
		before, rest, _ := strings.Cut(pattern, "*")
		b.WriteString(before)
		template.HTMLEscape(b, []byte(word))
		pattern = rest
	}
	b.WriteString(pattern)
}

// timeOf writes a moment, or that there is none.
func timeOf(t time.Time) template.HTML {
	var b strings.Builder
	if t.IsZero() {
		write(&b, `<span class="quiet">–</span>`)
	} else {
		write(&b, `<time datetime="*">*</time>`, machineTime(t), readableTime(t))
	}
	return markup(&b)
}

// dayOf writes a day, or that there is none.
func dayOf(t time.Time) template.HTML {
	var b strings.Builder
	if t.IsZero() {
		write(&b, `<span class="quiet">never</span>`)
	} else {
		write(&b, `<time datetime="*">*</time>`, machineTime(t), plainDay(t))
	}
	return markup(&b)
}

func machineTime(t time.Time) string  { return t.UTC().Format(time.RFC3339Nano) }
func readableTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
func plainDay(t time.Time) string     { return t.UTC().Format(time.DateOnly) }

// text returns the text of a word of any type.
func text(word any) string {
	if s, ok := word.(string); ok {
		return s
	}
	if v := reflect.ValueOf(word); v.Kind() == reflect.String {
		return v.String()
	}
	return fmt.Sprint(word)
}

// sign writes a verdict, an outcome or a state with its shape.
func sign(word any) template.HTML {
	var b strings.Builder
	if s := text(word); s == "" {
		write(&b, `<span class="quiet">–</span>`)
	} else {
		write(&b, `<span class="sign *"><span aria-hidden="true">*</span>*</span>`, map[bool]string{true: "other-digest", false: s}[s == "other digest"], shape(s), s)
	}
	return markup(&b)
}

// outcome writes how an act ended; an intent has not yet.
func outcome(word any) template.HTML {
	if text(word) == "" {
		return `<span class="quiet">intent</span>`
	}
	return sign(word)
}

// tier writes how much care a model needs.
func tier(word any) template.HTML {
	var b strings.Builder
	write(&b, `<span class="tier tier-*">*</span>`, text(word), text(word))
	return markup(&b)
}

// typeOptions are the types of events to choose from, with the chosen one selected.
func typeOptions(types []trail.Definition, chosen string) template.HTML {
	var b strings.Builder
	for _, d := range types {
		selected := ""
		if d.Type.Short() == chosen {
			selected = " selected"
		}
		write(&b, `<option value="*"*>*</option>`, d.Type.Short(), selected, d.Title)
	}
	return markup(&b)
}
