package lineage

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// fact is what was known of a node at a time.
type fact struct {
	value string
	atMS  int64
}

// facts are the latest facts of a node, by name.
type facts map[string]fact

// add takes in what was so at a time and reports whether that changes anything. Of two values of one
// time the larger text counts, so that the order of arrival does not.
func (f facts) add(more map[string]string, atMS int64) (changed bool) {
	for name, value := range more {
		known, ok := f[name]
		if ok && (known.atMS > atMS || known.atMS == atMS && known.value >= value) {
			continue
		}
		f[name] = fact{value, atMS}
		changed = true
	}
	return changed
}

func (f facts) label() string { return f[labelFact].value }

// values returns the facts without the label, nil if there are none.
func (f facts) values() map[string]string {
	var values map[string]string
	for name, fact := range f {
		if name == labelFact {
			continue
		}
		if values == nil {
			values = make(map[string]string, len(f))
		}
		values[name] = fact.value
	}
	return values
}

// encode returns the form in the database, empty if there are no facts.
func (f facts) encode() string {
	if len(f) == 0 {
		return ""
	}
	return encode(map[string]fact(f))
}

func parseFacts(s string) (facts, error) {
	f := facts{}
	if s == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return nil, fmt.Errorf("its facts are damaged: %w", err)
	}
	return f, nil
}

// shown returns the values of encoded facts without the label, as parseFacts and values would. A walk
// shows those of thousands of nodes, and nearly all are plain text.
func shown(s string) (map[string]string, error) {
	if s == "" {
		return nil, nil
	}
	if values, ok := plainValues(s); ok {
		return values, nil
	}
	f, err := parseFacts(s)
	return f.values(), err
}

// plainValues reads what encode writes if nothing in it is escaped. The values share the memory of s.
func plainValues(s string) (map[string]string, bool) {
	if strings.ContainsRune(s, '\\') || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) || !utf8.ValidString(s) {
		return nil, false
	}
	values := make(map[string]string, strings.Count(s, `":["`))
	for open := `{"`; ; open = `,"` {
		rest, opened := strings.CutPrefix(s, open)
		name, rest, named := strings.Cut(rest, `":["`)
		value, rest, valued := strings.Cut(rest, `",`)
		ms, rest, closed := strings.Cut(rest, "]")
		if !opened || !named || !valued || !closed || strings.ContainsRune(name, '"') || strings.ContainsRune(value, '"') || !isTime(ms) {
			return nil, false
		}
		if name != labelFact {
			values[name] = value
		}
		if rest == "}" {
			break
		}
		s = rest
	}
	if len(values) == 0 {
		return nil, true
	}
	return values, true
}

// isTime reports whether s is a number of milliseconds as JSON writes it.
func isTime(s string) bool {
	return s != "" && len(s) <= 18 && (s[0] != '0' || s == "0") && strings.Trim(s, "0123456789") == ""
}

// MarshalJSON writes [value, milliseconds].
func (f fact) MarshalJSON() ([]byte, error) { return json.Marshal([2]any{f.value, f.atMS}) }

// UnmarshalJSON reads [value, milliseconds].
func (f *fact) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[2]any{&f.value, &f.atMS})
}

// encode returns the JSON of what always has one.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}
