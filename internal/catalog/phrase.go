package catalog

import (
	"strings"
	"sync"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// template is a phrase that was read once: a history tells hundreds of events.
type template []part

// part is text as it stands, a field, or parts that are left out together.
type part struct {
	text     string
	field    string
	only     string // the field stands for itself only if it is this
	optional template
}

// parse reads a phrase: fields in braces, what can be left out in brackets.
func parse(words string) (t template) {
	for words != "" {
		at := strings.IndexAny(words, "[{")
		if at < 0 {
			return append(t, part{text: words})
		}
		if at > 0 {
			t = append(t, part{text: words[:at]})
		}
		opened := words[at]
		words = words[at+1:]
		var inner string
		if opened == '[' {
			inner, words, _ = strings.Cut(words, "]")
			t = append(t, part{optional: parse(inner)})
		} else {
			inner, words, _ = strings.Cut(words, "}")
			field, only, _ := strings.Cut(inner, "=")
			t = append(t, part{field: field, only: only})
		}
	}
	return t
}

// fill tells the template of fields; {state=draft} stands for the field only if it is a draft.
func (t template) fill(text func(string) string) string {
	var b strings.Builder
	t.write(&b, text)
	return b.String()
}

func (t template) write(b *strings.Builder, text func(string) string) {
	for _, p := range t {
		switch {
		case p.optional != nil:
			if p.optional.whole(text) {
				p.optional.write(b, text)
			}
		case p.field != "":
			if value := p.value(text); value != "" {
				b.WriteString(value)
			} else {
				b.WriteString("an unnamed one")
			}
		default:
			b.WriteString(p.text)
		}
	}
}

// whole reports whether every field has a value.
func (t template) whole(text func(string) string) bool {
	for _, p := range t {
		if p.field != "" && p.value(text) == "" {
			return false
		}
	}
	return true
}

func (p part) value(text func(string) string) string {
	s := text(p.field)
	if p.only != "" && s != p.only {
		return ""
	}
	if d := tallystick.Digest(s); strings.HasPrefix(s, "sha256:") && d.Validate() == nil {
		return d.Short()
	}
	return s
}

// saying is a phrase, read.
type saying struct{ did, would template }

// sayings are the phrases of all types of event, and what every command asks for.
type sayings struct {
	types    map[trail.Type]saying
	commands map[string]template
	unknown  template // where a command is none of these
}

var spoken = sync.OnceValue(func() sayings {
	all := sayings{types: map[trail.Type]saying{}, commands: map[string]template{}, unknown: parse("do {command}[ on {model}]")}
	for kind, p := range phrases() {
		all.types[kind] = saying{parse(p.did), parse(p.would)}
	}
	for _, d := range trail.Definitions() {
		if _, before := all.commands[d.Action]; !before {
			all.commands[d.Action] = all.types[d.Type].would
		}
	}
	for command, words := range requests() {
		all.commands[command] = parse(words)
	}
	return all
})
