package policy

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The rules about an audit read its report, and not who asks when: while a version waits for its approvals the gate is asked
// about the same report again and again. What they answered is kept by the bytes of what they can read.

const maxAnswered = 64 // reports

// answered are answers by the digest of what they follow from. It forgets everything when it is full.
type answered struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte][]answer
}

// remembered asks all rules about the same, or remembers what they said of the same.
func (p *Pack) remembered(ctx context.Context, about string, f *facts) ([]answer, bool) {
	members := p.reads[about]
	if members == nil || f.parts == nil {
		return p.questions.together(ctx, about, f.value)
	}
	h := sha256.New()
	for _, name := range members {
		h.Write(f.parts[name])
		h.Write([]byte{'\n'}) // which canonical JSON has nowhere
	}
	key := [sha256.Size]byte(h.Sum(nil))
	p.answered.mu.Lock()
	all, there := p.answered.kept[key]
	p.answered.mu.Unlock()
	if there {
		return all, true
	}
	all, ok := p.questions.together(ctx, about, f.value)
	if ok && ctx.Err() == nil {
		p.answered.mu.Lock()
		defer p.answered.mu.Unlock()
		if p.answered.kept == nil || len(p.answered.kept) >= maxAnswered {
			p.answered.kept = map[[sha256.Size]byte][]answer{}
		}
		p.answered.kept[key] = all
	}
	return all, ok
}

// readBy returns the members of the document that the rules about one thing, and all that they use, can read; nil if that
// cannot be said, or if the time is among them, which is never the same again.
func (p *Pack) readBy(about string) []string {
	r := reading{modules: map[string]*ast.Module{}, seen: map[string]bool{}, members: map[string]bool{}}
	for _, module := range p.compiler.Modules {
		r.modules[slashed(module.Package.Path)] = module
	}
	for _, rule := range p.rules {
		if rule.About == about {
			r.visit(slashed(rule.pkg))
		}
	}
	if r.any || r.members["now"] {
		return nil
	}
	return slices.Sorted(maps.Keys(r.members))
}

// reading finds out what rules can read.
type reading struct {
	modules map[string]*ast.Module // by package
	seen    map[string]bool
	members map[string]bool
	any     bool // a reference could lead anywhere
}

func (r *reading) visit(pkg string) {
	module := r.modules[pkg]
	if r.seen[pkg] || module == nil {
		return
	}
	r.seen[pkg] = true
	var references, mentions int
	ast.WalkRefs(module, func(ref ast.Ref) bool {
		switch {
		case ref[0].Equal(ast.InputRootDocument):
			references++
			if len(ref) < 2 {
				r.any = true
			} else if name, constant := ref[1].Value.(ast.String); constant {
				r.members[string(name)] = true
			} else {
				r.any = true
			}
		case ref[0].Equal(ast.DefaultRootDocument):
			r.follow(slashed(ref))
		}
		return false
	})
	ast.WalkVars(module, func(v ast.Var) bool {
		if v.Equal(ast.InputRootDocument.Value) {
			mentions++
		}
		return false
	})
	r.any = r.any || mentions > references // the document as a whole
}

// follow visits the package that a path below data leads to. One that ends above packages could lead to any of them.
func (r *reading) follow(path string) {
	for pkg := range r.modules {
		r.any = r.any || path == "" || strings.HasPrefix(pkg, path+"/") && r.modules[path] == nil
	}
	for path != "" && r.modules[path] == nil {
		path, _, _ = cutLastSlash(path)
	}
	r.visit(path)
}
