package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/tallystick/tallystick"
)

// Pack is a compiled set of rules for one tier. It is safe for concurrent use.
type Pack struct {
	name     string
	tier     tallystick.Tier
	rules    []Definition // in the order of a decision
	dropped  []Definition // built-in rules that a custom pack leaves out
	files    []File
	digest   tallystick.Digest
	settings map[string]any      // of the tier
	changed  []string            // settings that a custom pack changed, in words
	exempt   map[string][]string // rules that are left out, by occasion
	custom   bool

	data      map[string]any // the data document
	compiler  *ast.Compiler
	questions *questions
	reads     []reads // of each rule
	answered  answered
}

// manifest is what Tallystick reads of an OPA bundle's .manifest.
type manifest struct {
	Metadata struct {
		Tallystick struct {
			Name    string `json:"name"`
			Extends string `json:"extends"` // builtin (default) or none
		} `json:"tallystick"`
	} `json:"metadata"`
}

const (
	extendsBuiltin = "builtin"
	extendsNone    = "none"
)

// Load compiles the rules that this binary carries for tier and, unless dir is empty, those of
// dir, a directory in the layout of an OPA bundle. Rules of dir add to the built-in ones. A
// .manifest whose metadata says {"tallystick": {"extends": "none"}} replaces them instead; each
// built-in rule that is then missing keeps a row in every decision, with the status skip.
func Load(dir string, tier tallystick.Tier) (*Pack, error) {
	if _, err := tallystick.ParseTier(string(tier)); err != nil {
		return nil, err
	}
	builtin, err := builtinSource()
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return assemble(tier, builtin)
	}
	custom, err := customSource(dir)
	if err != nil {
		return nil, err
	}
	return assemble(tier, builtin, custom)
}

// Restore compiles a pack from the files that Files once returned, for a decision that is replayed by
// the rules of its time. The name is that of the pack in the decision.
func Restore(files []File, name string) (*Pack, error) {
	sources := []source{{prefix: "builtin", origin: "builtin"}, {prefix: "custom", origin: "custom"}}
	var tier struct {
		Tallystick struct{ Tier tallystick.Tier }
	}
	for _, file := range files {
		prefix, rest, _ := strings.Cut(file.Name, "/")
		switch prefix {
		case "builtin":
			sources[0].files = append(sources[0].files, File{rest, file.Data})
		case "custom":
			sources[1].files = append(sources[1].files, File{rest, file.Data})
		case "tier":
			if err := json.Unmarshal(file.Data, &tier); err != nil {
				return nil, tallystick.Errorf(tallystick.Invalid, "recorded policy: %s: %w", file.Name, err)
			}
		default:
			return nil, tallystick.Errorf(tallystick.Invalid, "recorded policy: file %q belongs to no part of it", file.Name)
		}
	}
	if _, err := tallystick.ParseTier(string(tier.Tallystick.Tier)); err != nil {
		return nil, fmt.Errorf("recorded policy: %w", err)
	}
	for _, s := range sources {
		slices.SortFunc(s.files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	}
	if len(sources[1].files) == 0 {
		sources = sources[:1]
	}
	p, err := assemble(tier.Tallystick.Tier, sources...)
	if err != nil {
		return nil, fmt.Errorf("recorded policy: %w", err)
	}
	p.name = name
	return p, nil
}

// assemble compiles the built-in source and perhaps a custom one.
func assemble(tier tallystick.Tier, sources ...source) (*Pack, error) {
	data, err := sources[0].data()
	if err != nil {
		return nil, err
	}
	p := &Pack{name: "tallystick-" + string(tier), tier: tier}
	for _, custom := range sources[1:] {
		if err := p.extend(custom, data); err != nil {
			return nil, err
		}
	}
	ours, ok := data[namespace].(map[string]any)
	if !ok {
		return nil, tallystick.Errorf(tallystick.Invalid, "policy %s has no data.%s", p.name, namespace)
	}
	tiers, _ := ours["tiers"].(map[string]any)
	if p.settings, ok = tiers[string(tier)].(map[string]any); !ok {
		return nil, tallystick.Errorf(tallystick.Invalid, "policy %s has no settings for tier %s", p.name, tier)
	}
	ours["tier"] = string(tier)
	p.exempt = exemptions(ours)
	p.files = packFiles(sources, tier)
	p.digest = tallystick.DigestOf(listing(p.files))
	if err := p.compile(sources, data); err != nil {
		return nil, err
	}
	return p, nil
}

// extend takes the name and the settings of a custom source.
func (p *Pack) extend(custom source, data map[string]any) error {
	p.custom = true
	name := path.Base(filepath.ToSlash(filepath.Clean(custom.origin)))
	m, err := custom.manifest()
	if err != nil {
		return err
	}
	if m.Metadata.Tallystick.Name != "" {
		name = m.Metadata.Tallystick.Name
	}
	p.name += "+" + name
	document, err := custom.data()
	if err != nil {
		return err
	}
	p.changed, err = override(data, document, custom.origin)
	return err
}

func (s source) manifest() (manifest, error) {
	var m manifest
	for _, file := range s.files {
		if file.Name != manifestName {
			continue
		}
		if err := json.Unmarshal(file.Data, &m); err != nil {
			return m, tallystick.Errorf(tallystick.Invalid, "%s: %w", s.display(file.Name), err).
				WithHint("a .manifest is a JSON object as in an OPA bundle")
		}
	}
	if extends := m.Metadata.Tallystick.Extends; extends != "" && extends != extendsBuiltin && extends != extendsNone {
		return m, tallystick.Errorf(tallystick.Invalid, "%s: extends is %q", s.display(manifestName), extends).
			WithHint("write builtin to add rules, or none to replace them all")
	}
	return m, nil
}

func (s source) replaces() bool {
	m, err := s.manifest()
	return err == nil && m.Metadata.Tallystick.Extends == extendsNone
}

// packFiles returns the files that decide, under the names that they have in an evidence bundle.
// With them `opa eval -d builtin -d custom -d tier` gives the same results.
func packFiles(sources []source, tier tallystick.Tier) []File {
	files := []File{{"tier/data.json", fmt.Appendf(nil, `{"tallystick":{"tier":%q}}`+"\n", tier)}}
	for _, s := range sources {
		for _, file := range s.files {
			files = append(files, File{s.prefix + "/" + file.Name, file.Data})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// compile parses the modules, finds the rules among them and prepares the questions to the engine.
func (p *Pack) compile(sources []source, data map[string]any) error {
	modules := map[string]*ast.Module{}
	for _, s := range sources {
		definitions, err := s.parse(modules)
		if err != nil {
			return err
		}
		if s.replaces() {
			p.dropped, p.rules = p.rules, nil
		}
		p.rules = append(p.rules, definitions...)
	}
	where := map[string]string{}
	for _, rule := range p.rules {
		if before, taken := where[rule.ID]; taken {
			return tallystick.Errorf(tallystick.Invalid, "%s: there is a rule %s already, in %s", rule.Source, rule.ID, before).
				WithHint("give it an id of its own; a built-in rule cannot be replaced, only waived")
		}
		where[rule.ID] = rule.Source
	}
	slices.SortFunc(p.rules, compareDefinitions)
	p.dropped = slices.DeleteFunc(p.dropped, func(d Definition) bool { return where[d.ID] != "" })
	if len(p.rules) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "policy %s has no rule", p.name).
			WithHint("a rule is a package whose METADATA has custom.id; docs/policy.md shows one")
	}
	compiler := newCompiler()
	if compiler.Compile(modules); compiler.Failed() {
		return regoError(compiler.Errors)
	}
	store := inmem.NewFromObject(data)
	p.data, p.compiler = data, compiler
	var err error
	p.questions, err = prepare(compiler, store, p.rules)
	for _, rule := range p.rules {
		p.reads = append(p.reads, p.readBy(rule))
	}
	return err
}

func newCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1).WithStrict(true)
}

// parse adds the modules of s and returns the rules among them, sorted by id.
func (s source) parse(modules map[string]*ast.Module) ([]Definition, error) {
	var definitions []Definition
	for _, file := range s.files {
		if path.Ext(file.Name) != ".rego" {
			continue
		}
		name := s.display(file.Name)
		module, err := parseModule(name, file.Data)
		if err != nil {
			return nil, err
		}
		builtin := s.prefix == "builtin"
		if !builtin && !s.replaces() && reserved(module) {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s:%d: package %s is reserved", name, module.Package.Location.Row, packageName(module)).
				WithHint("choose a name of your own, for example package house.rules.owner")
		}
		definition, isRule, err := define(module, builtin)
		if err != nil {
			return nil, err
		}
		if isRule {
			definitions = append(definitions, definition)
		}
		modules[name] = module
	}
	slices.SortFunc(definitions, compareDefinitions)
	return definitions, nil
}

func parseModule(name string, data []byte) (*ast.Module, error) {
	module, err := ast.ParseModuleWithOpts(name, string(data), ast.ParserOptions{
		ProcessAnnotation: true,
		RegoVersion:       ast.RegoV1,
		Capabilities:      capabilities(),
	})
	if err != nil {
		return nil, regoError(err)
	}
	if module == nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: there is no Rego in it", name).WithHint("begin with a package")
	}
	return module, nil
}

func packageName(module *ast.Module) string {
	return strings.TrimPrefix(module.Package.Path.String(), "data.")
}

func reserved(module *ast.Module) bool {
	name := packageName(module)
	return name == namespace || strings.HasPrefix(name, namespace+".") || strings.HasPrefix(name, namespace+"[")
}

// regoError makes one line of the engine's errors: the first, with its file and line, and how
// many more there are.
func regoError(err error) error {
	var list ast.Errors
	if !errors.As(err, &list) || len(list) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "%s", oneLine(err))
	}
	slices.SortFunc(list, func(a, b *ast.Error) int { return strings.Compare(located(a), located(b)) })
	message := located(list[0]) + ": " + strings.ReplaceAll(list[0].Message, "\n", " ")
	if len(list) > 1 {
		message += fmt.Sprintf(" (and %d more)", len(list)-1)
	}
	hinted := tallystick.Errorf(tallystick.Invalid, "%s", message)
	if strings.Contains(message, "undefined function") {
		return hinted.WithHint("policies have no network, clock, chance or output: docs/policy.md lists the builtins; the time is input.now")
	}
	return hinted.WithHint("policies are Rego v1, compiled strictly")
}

func located(err *ast.Error) string {
	if err.Location == nil {
		return "policy"
	}
	return fmt.Sprintf("%s:%d", err.Location.File, err.Location.Row)
}

// Name returns the name of the pack: tallystick-TIER, and what extends it.
func (p *Pack) Name() string { return p.name }

// Tier returns the tier that the pack was loaded for.
func (p *Pack) Tier() tallystick.Tier { return p.tier }

// Digest identifies every byte that can change a decision: the rules, the settings and the tier,
// but not the tests. It is the SHA-256 of what `sha256sum` prints for the files of Files, sorted.
func (p *Pack) Digest() tallystick.Digest { return p.digest }

// Files returns the files of the pack, sorted by name, for an evidence bundle.
func (p *Pack) Files() []File { return slices.Clone(p.files) }

// Rules returns the rules in the order of a decision.
func (p *Pack) Rules() []Definition { return slices.Clone(p.rules) }

// Settings returns what the tier asks for when something is missing.
func (p *Pack) Settings() map[string]any { return maps.Clone(p.settings) }
