package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reads is what of an input document a rule, and all that it uses, can look at.
type reads struct {
	any     bool     // it could be anything
	paths   []string // each as deep as [piece] goes; sorted
	members []string // the members of the document that the paths begin with, sorted
	// If the rule keeps all that it makes of the time in a document of its own, the timed one, this is what that reads, and what the
	// rule reads beside it; nil if it does not.
	timed, beside []string
}

// timed is the name of that document in the package of a rule.
const timed = "timed"

// steady reports whether an answer can be the same at another time.
func (r reads) steady() bool { return !r.any && !slices.Contains(r.members, "now") }

// apart reports whether an answer is the same at another time of which the rule makes the same.
func (r reads) apart() bool { return r.beside != nil && !r.steady() }

// steadily returns the paths by which an answer is kept.
func (r reads) steadily() []string {
	if r.apart() {
		return r.beside
	}
	return r.paths
}

// piece returns as much of a path into the document as answers are kept by: members of the document, those of what is to be
// released, and of its version.
func piece(path []string) string {
	depth := 1
	if path[0] == "release" {
		depth = 2
		if len(path) > 1 && path[1] == "version" {
			depth = 3
		}
	}
	return strings.Join(path[:min(len(path), depth)], below)
}

// below stands between the names of a path. Names that hold it themselves are left out of documents, and no rule that reads one is
// remembered.
const below = "\x00"

// reader finds out what rules can read, by the references in them. What a rule reads of the data document is the same for a pack.
type reader struct {
	compiler *ast.Compiler
	seen     map[*ast.Rule]bool
	paths    map[string]bool
	any      bool
	shifts   bool    // there is a `with`, by which a document has other values in other places
	without  ast.Ref // a document that is not followed
	omitted  bool    // there is such a document
}

// readBy returns what the rule reads.
func (p *Pack) readBy(rule Definition) reads {
	result, own := rule.pkg.Append(ast.StringTerm("result")), rule.pkg.Append(ast.StringTerm(timed))
	r := p.read(result, nil)
	if r.any {
		return reads{any: true}
	}
	var found reads
	for _, path := range slices.Sorted(maps.Keys(r.paths)) {
		member, _, _ := strings.Cut(path, below)
		found.paths, found.members = append(found.paths, path), append(found.members, member)
	}
	found.members = slices.Compact(found.members)
	if r := p.read(result, own); r.omitted && !r.shifts && !r.paths["now"] {
		found.timed, found.beside = slices.Sorted(maps.Keys(p.read(own, nil).paths)), append([]string{}, slices.Sorted(maps.Keys(r.paths))...)
	}
	return found
}

// read follows a document, but not into another one.
func (p *Pack) read(document, without ast.Ref) *reader {
	r := &reader{compiler: p.compiler, seen: map[*ast.Rule]bool{}, paths: map[string]bool{}, without: without}
	r.follow(document)
	return r
}

// follow visits all rules that a reference below data can lead to: those above, at and below its constant beginning.
func (r *reader) follow(ref ast.Ref) {
	for _, rule := range r.compiler.GetRules(ref.ConstantPrefix()) {
		if r.without != nil && rule.Ref().HasPrefix(r.without) && len(rule.Head.Args) == 0 {
			r.omitted = true
			continue
		}
		if !r.seen[rule] {
			r.seen[rule] = true
			r.visit(rule)
		}
	}
}

func (r *reader) visit(rule *ast.Rule) {
	var references, mentions int
	ast.WalkWiths(rule, func(*ast.With) bool {
		r.shifts = true
		return false
	})
	ast.WalkRefs(rule, func(ref ast.Ref) bool {
		switch {
		case ref[0].Equal(ast.InputRootDocument):
			references++
			if path := constants(ref); len(path) > 0 && !strings.Contains(strings.Join(path, ""), below) {
				r.paths[piece(path)] = true
			} else {
				r.any = true
			}
		case ref[0].Equal(ast.DefaultRootDocument):
			r.follow(ref)
		}
		return false
	})
	ast.WalkVars(rule, func(v ast.Var) bool {
		if v.Equal(ast.InputRootDocument.Value) {
			mentions++
		}
		return false
	})
	r.any = r.any || mentions > references // the document as a whole
}

// constants returns the names with which a reference begins.
func constants(ref ast.Ref) (names []string) {
	for _, term := range ref[1:] {
		name, ok := term.Value.(ast.String)
		if !ok {
			break
		}
		names = append(names, string(name))
	}
	return names
}
