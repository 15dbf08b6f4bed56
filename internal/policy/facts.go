package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
)

// facts are one document as the gate judges it. Those of typed input are complete; of a recorded document what no rule asks for
// is never read, so that they are for one goroutine.
type facts struct {
	document map[string]any    // objects that only rules look into are [json.RawMessage]
	digest   tallystick.Digest // of the canonical bytes
	now      time.Time
	wrong    map[tallystick.Tier]string // what conform found
	typed    bool                       // made of the types of this package, so that their form need not be looked at

	pieces map[string]json.RawMessage      // bytes by path: canonical of typed input, else as they came
	terms  map[string]*ast.Term            // members, as rules see them
	whole  ast.Value                       // all of them
	shared map[tallystick.Digest]*ast.Term // of other documents too, by the digest of their bytes
}

// onlyRules are the members that nothing but rules looks into.
var onlyRules = []string{"report", "limits", "criteria", "champion"}

// parse reads canonical JSON.
func parse(canonical []byte) (*facts, error) {
	f := &facts{document: map[string]any{}, digest: tallystick.DigestOf(canonical), terms: map[string]*ast.Term{}}
	var err error
	if f.pieces, err = members(canonical); err != nil {
		return nil, err
	}
	for name, piece := range f.pieces {
		if slices.Contains(onlyRules, name) && piece[0] == '{' {
			f.document[name] = piece
			continue
		}
		f.document[name] = read(piece)
	}
	maps.DeleteFunc(f.pieces, func(name string, _ json.RawMessage) bool { return strings.Contains(name, below) })
	text, _ := f.document["now"].(string)
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("its now is no time: %w", err)
	}
	f.now = now
	return f, nil
}

// member returns a member of the document with all that is in it.
func (f *facts) member(name string) any {
	if raw, unread := f.document[name].(json.RawMessage); unread {
		return read(raw)
	}
	return f.document[name]
}

// input returns the document as rules see it that read no more than these members; nil: all of them.
func (f *facts) input(members map[string]bool) (ast.Value, error) {
	if f.whole != nil {
		return f.whole, nil
	}
	var object [][2]*ast.Term
	for name := range f.document {
		if members != nil && !members[name] {
			continue
		}
		if f.terms[name] == nil {
			term, err := f.term(name)
			if err != nil {
				return nil, err
			}
			f.terms[name] = term
		}
		object = append(object, [2]*ast.Term{ast.StringTerm(name), f.terms[name]})
	}
	value := ast.NewObject(object...)
	if members == nil {
		f.whole = value
	}
	return value, nil
}

// piece returns the bytes at a path, nil if there is nothing. Two documents with the same bytes there have the same there.
func (f *facts) piece(path string) []byte {
	bytes, there := f.pieces[path]
	at := strings.LastIndex(path, below)
	if there || f.typed || at < 0 {
		return bytes
	}
	f.pieces[path] = nil
	pieces, err := members(f.piece(path[:at]))
	if err != nil {
		return nil // no object, in which nothing can be found
	}
	for name, bytes := range pieces {
		if !strings.Contains(name, below) {
			f.pieces[path[:at]+below+name] = bytes
		}
	}
	return f.pieces[path]
}

// maxTerms bounds the members that are kept as rules see them.
const maxTerms = 64

// term reads a member that only rules look into. Documents about the same report share it.
func (f *facts) term(name string) (*ast.Term, error) {
	raw, unread := f.document[name].(json.RawMessage)
	var key tallystick.Digest
	if unread && f.shared != nil {
		key = tallystick.DigestOf(raw)
		if term := f.shared[key]; term != nil {
			return term, nil
		}
	}
	value, err := ast.InterfaceToValue(f.member(name))
	if err != nil {
		return nil, err
	}
	term := ast.NewTerm(value)
	if key != "" {
		if len(f.shared) >= maxTerms {
			clear(f.shared)
		}
		f.shared[key] = term
	}
	return term, nil
}
