package policy

import (
	"context"
	"encoding/json"
	"strings"
)

// Forget forgets what the rules answered.
func (p *Pack) Forget() {
	p.answered.mu.Lock()
	defer p.answered.mu.Unlock()
	p.answered.kept = nil
}

// Narrowed asks each rule about the document, and about one that holds nothing but what the rule is said to read.
func (p *Pack) Narrowed(ctx context.Context, canonical []byte, compare func(rule string, whole, narrow any)) error {
	for i, rule := range p.rules {
		var document map[string]any
		if err := json.Unmarshal(canonical, &document); err != nil {
			return err
		}
		narrow := map[string]any{}
		for _, path := range p.reads[i].paths {
			carry(narrow, document, strings.Split(path, below))
		}
		narrow["now"] = document["now"] // without which nothing is a document
		body, err := json.Marshal(narrow)
		if err != nil {
			return err
		}
		var said []any
		for _, bytes := range [][]byte{canonical, body} {
			f, err := parse(bytes)
			if err != nil {
				return err
			}
			input, err := f.input(nil)
			if err != nil {
				return err
			}
			a := p.questions.alone(ctx, rule.ID, input)
			said = append(said, a.value, a.there, a.err != nil)
		}
		compare(rule.ID, said[:3], said[3:])
	}
	return nil
}

// carry copies what lies at a path.
func carry(into, from map[string]any, path []string) {
	value, there := from[path[0]]
	if !there {
		return
	}
	object, ok := value.(map[string]any)
	if len(path) == 1 {
		into[path[0]] = value
	} else if ok {
		if _, begun := into[path[0]]; !begun {
			into[path[0]] = map[string]any{}
		}
		carry(into[path[0]].(map[string]any), object, path[1:])
	}
}
