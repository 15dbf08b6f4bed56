package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
)

// settingsRules are the names by which the rules read the settings of the tier.
var settingsRules = []string{"tallystick/lib/facts/settings", "tallystick/lib/release/settings"}

// fingerprints returns, by rule, a digest of everything in the pack that can change what the rule
// says: its module, the modules that it uses, and what these read of the data document. Two packs in
// which a rule has the same one give it the same row for every input.
func (p *Pack) fingerprints() map[string]tallystick.Digest {
	modules := map[string]*ast.Module{} // by package
	for _, module := range p.compiler.Modules {
		modules[slashed(module.Package.Path)] = module
	}
	prints := map[string]tallystick.Digest{}
	for _, rule := range p.rules {
		parts := map[string]string{"tier": string(p.tier), "left out": strings.Join(p.occasions(rule.ID), " ")}
		p.gather(parts, modules, slashed(rule.pkg))
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			fmt.Fprintf(&text, "%s=%s\n", name, parts[name])
		}
		prints[rule.ID] = tallystick.DigestOf([]byte(text.String()))
	}
	return prints
}

// gather adds the module of the package, and what it reads, to parts.
func (p *Pack) gather(parts map[string]string, modules map[string]*ast.Module, pkg string) {
	key := "module " + pkg
	module := modules[pkg]
	if _, seen := parts[key]; seen || module == nil {
		return
	}
	parts[key] = p.text(module)
	ast.WalkRefs(module, func(ref ast.Ref) bool {
		path := slashed(ref)
		switch setting, is := settingOf(path); {
		case !strings.HasPrefix(ref.String(), "data."):
		case is && setting == "" && pkg == "tallystick/lib/release": // the second name for the first
		case is:
			parts["setting "+setting] = jsonAt(p.settings, setting)
		case path == "tallystick/tiers" || path == "tallystick/tier": // read through the names above
		default:
			used := path
			for used != "" && modules[used] == nil {
				used, _, _ = cutLastSlash(used)
			}
			if used != "" {
				p.gather(parts, modules, used)
			} else {
				parts["data "+path] = jsonAt(p.data, path)
			}
		}
		return false
	})
}

// text returns the digest of a module's file; for one that is not among the files, its compiled form.
func (p *Pack) text(module *ast.Module) string {
	at := filepath.ToSlash(module.Package.Location.File)
	for _, file := range p.files {
		prefix, name, _ := strings.Cut(file.Name, "/")
		if at == file.Name || prefix == "custom" && strings.HasSuffix(at, "/"+name) {
			return string(tallystick.DigestOf(file.Data))
		}
	}
	return module.String()
}

// occasions lists when the rule is left out.
func (p *Pack) occasions(id string) (occasions []string) {
	for _, occasion := range slices.Sorted(maps.Keys(p.exempt)) {
		if p.leavesOut(occasion, id) {
			occasions = append(occasions, occasion)
		}
	}
	return occasions
}

// slashed returns the constant beginning of a reference below data, as in tallystick/lib/facts.
func slashed(ref ast.Ref) string {
	return strings.Join(constants(ref), "/")
}

func settingOf(path string) (string, bool) {
	for _, name := range settingsRules {
		if rest, ok := strings.CutPrefix(path, name); ok && (rest == "" || rest[0] == '/') {
			return strings.TrimPrefix(rest, "/"), true
		}
	}
	return "", false
}

func cutLastSlash(path string) (before, after string, found bool) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:], true
	}
	return "", path, false
}

// jsonAt returns what lies at a slashed path, as far as that leads.
func jsonAt(document any, path string) string {
	for name := range strings.SplitSeq(path, "/") {
		object, ok := document.(map[string]any)
		if !ok || name == "" {
			break
		}
		document = object[name]
	}
	data, err := json.Marshal(document)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
