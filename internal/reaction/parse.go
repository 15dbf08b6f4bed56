package reaction

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// The first two lines of every reaction.
const (
	APIVersion   = "tallystick/v1"
	DocumentKind = "Reaction"
)

// MaxDocument bounds a reaction, in bytes.
const MaxDocument = 64 << 10

// Parse reads one reaction; name is what messages call the file. Every error is Invalid, one line, and says which line and
// key are wrong.
func Parse(data []byte, name string) (*Document, error) {
	d := decoder{yamldoc.Decoder{File: name, Noun: "reaction", Start: "docs/reactions.md has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(data), MaxDocument)
	if err != nil {
		return nil, err
	}
	doc := &Document{Mode: Propose, Cooldown: usualCooldown, Most: 1}
	if err := d.reaction(node, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

type decoder struct{ yamldoc.Decoder }

func (d decoder) reaction(node *yaml.Node, doc *Document) error {
	var version, kind string
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, DocumentKind)),
		yamldoc.Key("name", d.Name("reaction", &doc.Name)),
		yamldoc.Key("model", d.Name("model", &doc.Model)),
		yamldoc.Key("when", d.when(&doc.When)),
		yamldoc.Key("do", d.deeds(&doc.Do)),
		yamldoc.Key("cooldown", d.within(&doc.Cooldown, minCooldown, maxCooldown)),
		yamldoc.Key("most", d.most(&doc.Most)),
		yamldoc.Key("mode", d.Choice(func(s string) { doc.Mode = Mode(s) }, string(Propose), string(Act))),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, DocumentKind}, {"name", doc.Name, "credit-retrain"}, {"model", doc.Model, "credit"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the reaction has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if doc.When.Alert == nil && doc.When.Comparison == nil {
		return d.Errorf(node, "the reaction has no condition").WithHint("write 'when: {alert: {rule: monitor/*/drift, severity: page}}'")
	}
	if len(doc.Do) == 0 {
		return d.Errorf(node, "the reaction does nothing").WithHint("write 'do: [retrain: {}]', or rollback or pause")
	}
	return nil
}

func (d decoder) when(dst *When) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		var a, budget *AlertCondition
		err := d.Mapping(node, at,
			yamldoc.Key("alert", d.alert(&a)),
			yamldoc.Key("budget", d.budget(&budget)),
			yamldoc.Key("comparison", d.comparison(&dst.Comparison)),
		)
		if err != nil {
			return err
		}
		if len(node.Content) != 2 {
			return d.Errorf(node, "%s must have one condition: alert, budget or comparison", at).WithHint("write a reaction for each condition")
		}
		dst.Alert = cmp.Or(a, budget)
		return nil
	}
}

func (d decoder) alert(dst **AlertCondition) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		c := &AlertCondition{}
		*dst = c
		err := d.Mapping(node, at, append(c.Fields(d.Decoder),
			yamldoc.Key("severity", d.Choice(func(s string) { c.Severity = alert.Severity(s) }, string(alert.Page), string(alert.Ticket))),
			yamldoc.Key("for", d.within(&c.For, 0, maxFor)),
		)...)
		if err != nil {
			return err
		}
		if c.Rule == "" {
			return d.Errorf(node, "%s says no rule", at).WithHint("write 'rule: monitor/*/drift'; a * stands for any part between slashes")
		}
		return nil
	}
}

// budget reads a condition on the alert of an objective whose budget is used up.
func (d decoder) budget(dst **AlertCondition) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		c := &AlertCondition{}
		*dst = c
		err := d.Mapping(node, at,
			yamldoc.Key("objective", d.Pattern(&c.Rule)),
			yamldoc.Key("environment", d.Pattern(&c.Environment)),
			yamldoc.Key("version", d.Pattern(&c.Version)),
			yamldoc.Key("for", d.within(&c.For, 0, maxFor)),
		)
		c.Rule = "objective/" + cmp.Or(c.Rule, "*") + "/budget"
		return err
	}
}

func (d decoder) comparison(dst **ComparisonCondition) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		c := &ComparisonCondition{}
		*dst = c
		return d.Mapping(node, at,
			yamldoc.Key("name", d.Pattern(&c.Name)),
			yamldoc.Key("environment", d.Pattern(&c.Environment)),
			yamldoc.Key("verdict", d.Choice(func(string) {}, "rollback")),
		)
	}
}

func (d decoder) deeds(dst *[]Deed) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		if node.Kind != yaml.SequenceNode {
			return d.Errorf(node, "%s must be a list, not %s", at, yamldoc.KindOf(node)).WithHint("write 'do: [retrain: {}]'")
		}
		for i, item := range node.Content {
			deed := Deed{To: previous, Lasts: usualPause, Window: usualWindow}
			at := fmt.Sprintf("%s[%d]", at, i)
			kind := func(k Kind, fields ...yamldoc.Field) yamldoc.Field {
				return yamldoc.Key(string(k), func(node *yaml.Node, at string) error {
					deed.Kind = k
					return d.Mapping(node, at, fields...)
				})
			}
			err := d.Mapping(item, at,
				kind(Retrain, yamldoc.Key("window", d.within(&deed.Window, time.Hour, maxTraining))),
				kind(Rollback, yamldoc.Key("to", d.Text(&deed.To))),
				kind(Pause, yamldoc.Key("for", d.within(&deed.Lasts, time.Minute, maxPause))),
			)
			switch {
			case err != nil:
				return err
			case len(item.Content) != 2:
				return d.Errorf(item, "%s must be one deed: retrain, rollback or pause", at).WithHint("write '- retrain: {}'")
			case slices.ContainsFunc(*dst, func(is Deed) bool { return is.Kind == deed.Kind }):
				return d.Errorf(item, "%s: %s is there twice", at, deed.Kind)
			case deed.Kind == Rollback && slices.ContainsFunc(*dst, func(is Deed) bool { return is.Kind == Pause }):
				return d.Errorf(item, "%s: a rollback after a pause is refused by the gate, which that freezes", at).WithHint("put the pause last")
			case deed.To == "":
				return d.Errorf(item, "%s: the rollback goes nowhere", at).WithHint("write 'to: previous', or a version")
			}
			*dst = append(*dst, deed)
		}
		return nil
	}
}

// most reads "1 per incident".
func (d decoder) most(dst *int64) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		if err := d.Scalar(node, at, "such as 1 per incident"); err != nil {
			return err
		}
		count, ok := strings.CutSuffix(node.Value, " per incident")
		n, err := strconv.ParseInt(count, 10, 64)
		if !ok || err != nil || n < 1 || n > maxMost {
			return d.Errorf(node, "%s must be 1 to %d per incident, not %q", at, maxMost, node.Value).WithHint("write '1 per incident'")
		}
		*dst = n
		return nil
	}
}

func (d decoder) within(dst *time.Duration, low, high time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		if err := d.Duration(dst)(node, at); err != nil {
			return err
		}
		if *dst < low || *dst > high {
			return d.Errorf(node, "%s is %s, which is not from %s to %s", at, node.Value, low, high)
		}
		return nil
	}
}
