package lineage

import (
	"encoding/json"
	"fmt"
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
