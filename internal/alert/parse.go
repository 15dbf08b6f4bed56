package alert

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// APIVersion and Kind are the first two lines of every policy.
const (
	APIVersion = "tallystick/v1"
	Kind       = "AlertPolicy"
)

// MaxPolicy bounds a policy, in bytes.
const MaxPolicy = 256 << 10

// ParsePolicy reads one policy; name is what messages call the file. Every error is Invalid, one line, and says which
// line and key are wrong.
func ParsePolicy(data []byte, name string) (*Document, error) {
	d := decoder{yamldoc.Decoder{File: name, Noun: "alert policy", Start: "docs/alerts.md has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(data), MaxPolicy)
	if err != nil {
		return nil, err
	}
	doc := &Document{source: data}
	if err := d.policy(node, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

type decoder struct{ yamldoc.Decoder }

func (d decoder) policy(node *yaml.Node, doc *Document) error {
	var version, kind string
	var most *int64
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("name", d.Name("policy", &doc.Name)),
		yamldoc.Key("model", d.Name("model", &doc.Model)),
		yamldoc.Key("most", d.Count(&most, 1)),
		yamldoc.Key("rules", d.rules(&doc.Rules)),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, Kind}, {"name", doc.Name, "credit"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the alert policy has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if most != nil {
		if *most > maxMost {
			return d.Errorf(node, "most is %d: more than %d alerts of a model at once tell nobody anything", *most, maxMost)
		}
		doc.Most = int(*most)
	}
	if len(doc.Rules) == 0 && doc.Most == 0 {
		return d.Errorf(node, "the alert policy has no rules").WithHint("docs/alerts.md has some to begin with")
	}
	return nil
}

func (d decoder) rules(dst *[]Rule) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) > maxRules {
			return d.Errorf(node, "%s must be a list of at most %d rules, not %s", at, maxRules, yamldoc.KindOf(node))
		}
		for i, item := range node.Content {
			var r Rule
			if err := d.rule(item, fmt.Sprintf("%s[%d]", at, i), &r); err != nil {
				return err
			}
			*dst = append(*dst, r)
		}
		return nil
	}
}

func (d decoder) rule(node *yaml.Node, at string, r *Rule) error {
	return d.Mapping(node, at,
		yamldoc.Key("match", func(node *yaml.Node, at string) error {
			return d.Mapping(node, at, r.Match.Fields(d.Decoder)...)
		}),
		yamldoc.Key("severity", d.Choice(func(s string) { r.Severity = Severity(s) }, string(Page), string(Ticket))),
		yamldoc.Key("on", d.Choice(func(s string) { r.On = tallystick.Verdict(s) }, string(tallystick.Fail), string(tallystick.Warn))),
		yamldoc.Key("fires", d.fires(r)),
		yamldoc.Key("clears", d.clears(r)),
		yamldoc.Key("labels", d.labels(&r.Labels)),
		yamldoc.Key("runbook", func(node *yaml.Node, at string) error {
			if err := d.Text(&r.Runbook)(node, at); err != nil {
				return err
			}
			if len(r.Runbook) > 1024 || strings.ContainsAny(r.Runbook, "\n\x00") {
				return d.Errorf(node, "%s must be one line of at most 1,024 bytes", at).WithHint("name a runbook, or give its address")
			}
			return nil
		}),
	)
}

var firesPattern = regexp.MustCompile(`^ *([0-9]{1,3})(?: +of +([0-9]{1,3}))? *$`)

// fires reads "2 of 3", or "1" for at once.
func (d decoder) fires(r *Rule) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		if err := d.Scalar(node, at, "such as 2 of 3"); err != nil {
			return err
		}
		found := firesPattern.FindStringSubmatch(node.Value)
		if found == nil {
			return d.Errorf(node, "%s must be such as 2 of 3, not %q", at, node.Value).WithHint("so many bad windows, of so many that were judged last")
		}
		bad, _ := strconv.Atoi(found[1]) // three digits at most
		of, _ := strconv.Atoi(cmp.Or(found[2], found[1]))
		if bad < 1 || of < bad || of > maxWindows {
			return d.Errorf(node, "%s: %d of %d windows cannot be", at, bad, of).WithHint("1 to %d windows", maxWindows)
		}
		r.Bad, r.Of = bad, of
		return nil
	}
}

func (d decoder) clears(r *Rule) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		var good *int64
		if err := d.Count(&good, 1)(node, at); err != nil {
			return err
		}
		if *good > maxWindows {
			return d.Errorf(node, "%s is %d: at most %d windows", at, *good, maxWindows)
		}
		r.Good = int(*good)
		return nil
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

// reserved are labels that alerts have of themselves.
var reserved = []string{"alertname", "rule", "model", "version", "environment", "subject", "segment", "severity", "owner", "sre", "tier"}

// IncidentSeverity is the label that says how severe an incident is that the alert opens.
const IncidentSeverity = "incident_severity"

func (d decoder) labels(dst *[]string) yamldoc.Decode {
	return func(node *yaml.Node, at string) error {
		err := d.Entries(node, at, func(key, value *yaml.Node) error {
			if !labelName.MatchString(key.Value) {
				return d.Errorf(key, "%s: %q cannot name a label", at, key.Value).WithHint("letters, digits and _")
			}
			if slices.Contains(reserved, key.Value) {
				return d.Errorf(key, "%s: every alert has its own %s", at, key.Value)
			}
			if err := d.Scalar(value, d.Join(at, key.Value), "text"); err != nil {
				return err
			}
			if len(value.Value) > 256 || value.Value == "" {
				return d.Errorf(value, "%s must be a text of 1 to 256 bytes", d.Join(at, key.Value))
			}
			if key.Value == IncidentSeverity && !slices.Contains(catalog.Severities(), catalog.Severity(value.Value)) {
				return d.Errorf(value, "%s must be critical, high, medium or low, not %.40q", d.Join(at, key.Value), value.Value)
			}
			*dst = append(*dst, key.Value+"="+value.Value)
			return nil
		})
		slices.Sort(*dst)
		if len(*dst) > 20 {
			return d.Errorf(node, "%s has more than 20 labels", at)
		}
		return err
	}
}
