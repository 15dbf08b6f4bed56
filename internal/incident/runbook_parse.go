package incident

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// MaxRunbook bounds a runbook.
const MaxRunbook = 256 << 10

const (
	apiVersion  = "tallystick/v1"
	runbookKind = "Runbook"
	maxTodos    = 100
)

// ParseRunbook reads one runbook: Markdown that begins with YAML between two lines of three dashes. name is what messages
// call the file. Every error is Invalid, one line, and says which line and key are wrong.
func ParseRunbook(data []byte, name string) (*Runbook, error) {
	if len(data) > MaxRunbook {
		return nil, tallystick.Errorf(tallystick.Invalid, "runbook %s is larger than %d bytes", name, MaxRunbook).WithHint("it is for people to read in a hurry")
	}
	front, text, err := frontMatter(data, name)
	if err != nil {
		return nil, err
	}
	d := runbookDecoder{yamldoc.Decoder{File: name, Noun: "runbook", Start: "`tallystick runbook show drift` has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(front), MaxRunbook)
	if err != nil {
		return nil, err
	}
	r := &Runbook{Text: strings.TrimSpace(text)}
	return r, d.runbook(node, r)
}

// frontMatter splits the YAML from the Markdown. An empty line stands in the place of the first dashes, so that lines keep
// their numbers.
func frontMatter(data []byte, name string) (front []byte, text string, err error) {
	whole := strings.ReplaceAll(string(data), "\r\n", "\n")
	rest, ok := strings.CutPrefix(whole, "---\n")
	if !ok {
		return nil, "", tallystick.Errorf(tallystick.Invalid, "%s:1: a runbook begins with a line of three dashes, and YAML after it", name).WithHint("`tallystick runbook show drift` has one to begin with")
	}
	yes, text, ok := strings.Cut("\n"+rest, "\n---\n")
	if !ok {
		if yes, ok = strings.CutSuffix("\n"+rest, "\n---"); !ok {
			return nil, "", tallystick.Errorf(tallystick.Invalid, "%s: the YAML at the beginning does not end with a line of three dashes", name)
		}
	}
	return []byte(yes + "\n"), text, nil
}

type runbookDecoder struct{ yamldoc.Decoder }

func (d runbookDecoder) runbook(node *yaml.Node, r *Runbook) error {
	var version, kind string
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, apiVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, runbookKind)),
		yamldoc.Key("name", d.Name("runbook", &r.Name)),
		yamldoc.Key("title", d.Text(&r.Title)),
		yamldoc.Key("applies_to", func(node *yaml.Node, path string) error {
			return d.Mapping(node, path, yamldoc.Key("checks", d.texts(&r.Checks)), yamldoc.Key("models", d.texts(&r.Models)), yamldoc.Key("tiers", d.texts(&r.Tiers)))
		}),
		yamldoc.Key("authorities", each(d, func(node *yaml.Node, path string) error {
			var a Authority
			err := d.whole(node, path, []string{"decision", "who"}, yamldoc.Key("decision", d.Text(&a.Decision)), yamldoc.Key("who", d.Text(&a.Who)), yamldoc.Key("else", d.Text(&a.Else)))
			r.Authorities = append(r.Authorities, a)
			return err
		})),
		yamldoc.Key("notify", each(d, func(node *yaml.Node, path string) error {
			var n Notice
			err := d.whole(node, path, []string{"after", "who"}, yamldoc.Key("after", d.after(&n.After)), yamldoc.Key("who", d.Text(&n.Who)), yamldoc.Key("by", d.Text(&n.By)))
			r.Notify = append(r.Notify, n)
			return err
		})),
		yamldoc.Key("steps", each(d, func(node *yaml.Node, path string) error {
			var t Todo
			err := d.whole(node, path, []string{"name"}, yamldoc.Key("name", d.Text(&t.Name)), yamldoc.Key("do", d.Text(&t.Do)), yamldoc.Key("command", d.Text(&t.Command)), yamldoc.Key("decision", d.decision(&t, r)))
			r.Steps = append(r.Steps, t)
			return err
		})),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, apiVersion}, {"kind", kind, runbookKind}, {"name", r.Name, "drift"}, {"title", r.Title, "Features have drifted"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the runbook has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if len(r.Authorities) == 0 {
		return d.Errorf(node, "the runbook does not say who decides").WithHint("write 'authorities:' with at least one 'decision' and 'who'")
	}
	if len(r.Steps) == 0 {
		return d.Errorf(node, "the runbook has no steps").WithHint("write 'steps:' with at least one 'name'")
	}
	return nil
}

// whole reads a mapping in which the required keys are there.
func (d runbookDecoder) whole(node *yaml.Node, path string, required []string, fields ...yamldoc.Field) error {
	if err := d.Mapping(node, path, fields...); err != nil {
		return err
	}
	for _, key := range required {
		if !has(node, key) {
			return d.Errorf(node, "%s has no %s", path, key)
		}
	}
	return nil
}

// has reports whether a mapping gives a key a value that is not empty.
func has(node *yaml.Node, key string) bool {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1].Value != ""
		}
	}
	return false
}

// each reads a list.
func each(d runbookDecoder, one yamldoc.Decode) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode {
			return d.Errorf(node, "%s must be a list, not %s", path, yamldoc.KindOf(node))
		}
		if len(node.Content) > maxTodos {
			return d.Errorf(node, "%s has %d entries, the limit is %d", path, len(node.Content), maxTodos)
		}
		for _, item := range node.Content {
			if item.Kind == yaml.AliasNode {
				return d.Errorf(item, "%s holds an alias", path).WithHint("write the value out")
			}
			if err := one(item, path); err != nil {
				return err
			}
		}
		return nil
	}
}

func (d runbookDecoder) texts(dst *[]string) yamldoc.Decode {
	return each(d, func(node *yaml.Node, path string) error {
		var text string
		if err := d.Text(&text)(node, path); err != nil {
			return err
		}
		*dst = append(*dst, text)
		return nil
	})
}

// after reads a duration of which nothing is one too.
func (d runbookDecoder) after(dst *string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if _, ok := yamldoc.ParseDuration(node.Value); node.Kind != yaml.ScalarNode || !ok && node.Value != "0m" && node.Value != "0" {
			return d.Errorf(node, "%s must be a duration, not %s", path, yamldoc.KindOf(node)).WithHint("write 0m, 30m or 2h")
		}
		*dst = node.Value
		return nil
	}
}

// decision reads what is to be decided before a step: somebody must be named who decides it.
func (d runbookDecoder) decision(t *Todo, r *Runbook) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Text(&t.Decision)(node, path); err != nil {
			return err
		}
		var known []string
		for _, a := range r.Authorities {
			known = append(known, a.Decision)
		}
		if !slices.Contains(known, t.Decision) {
			return d.Unknown(node, path+": nobody is named above who decides", known)
		}
		return nil
	}
}
