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

// input returns the document as rules see it that read no more than these paths, each as deep as [piece] goes; nil: all of it.
func (f *facts) input(paths []string) (ast.Value, error) {
	if f.whole != nil {
		return f.whole, nil
	}
	all := paths == nil
	if all {
		paths = slices.Collect(maps.Keys(f.document))
	}
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	var object [][2]*ast.Term
	for len(paths) > 0 {
		name, _, _ := strings.Cut(paths[0], below)
		n := 1
		for n < len(paths) && strings.HasPrefix(paths[n], name+below) {
			n++
		}
		term, err := f.read(name, paths[:n])
		if err != nil {
			return nil, err
		}
		if term != nil {
			object = append(object, [2]*ast.Term{ast.StringTerm(name), term})
		}
		paths = paths[n:]
	}
	value := ast.NewObject(object...)
	if all {
		f.whole = value
	}
	return value, nil
}

// read returns as much of a member as lies at the paths, which begin with its name; nil if there is no such member.
func (f *facts) read(name string, paths []string) (*ast.Term, error) {
	member, there := f.document[name]
	parts, opened := member.(map[string]any)
	if !there || !opened || paths[0] == name {
		return f.remembered(name, there, f.term)
	}
	var object [][2]*ast.Term
	last := ""
	for i, path := range paths {
		part, _, _ := strings.Cut(path[len(name+below):], below)
		value, there := parts[part]
		again := i > 0 && part == last
		if last = part; again || !there {
			continue
		}
		term, err := f.remembered(name+below+part, true, func(string) (*ast.Term, error) {
			v, err := ast.InterfaceToValue(value)
			return ast.NewTerm(v), err
		})
		if err != nil {
			return nil, err
		}
		object = append(object, [2]*ast.Term{ast.StringTerm(part), term})
	}
	return ast.ObjectTerm(object...), nil
}

// remembered returns the term at a path, made once.
func (f *facts) remembered(path string, there bool, make func(path string) (*ast.Term, error)) (*ast.Term, error) {
	term, known := f.terms[path]
	if known || !there {
		return term, nil
	}
	term, err := make(path)
	if err == nil {
		f.terms[path] = term
	}
	return term, err
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
