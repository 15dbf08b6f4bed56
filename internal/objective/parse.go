package objective

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// Bounds of what an objective may say.
const (
	MaxBytes      = 64 << 10
	maxRules      = 16
	maxConditions = 16
	maxMature     = 366 * day
	minWindow     = 5 * time.Minute
)

// Parse reads one objective; name is what messages call the file. Every error is Invalid, one line, and says which line and
// key are wrong.
func Parse(data []byte, name string) (*Document, error) {
	d := decoder{yamldoc.Decoder{File: name, Noun: "objective", Start: "docs/objectives.md has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(data), MaxBytes)
	if err != nil {
		return nil, err
	}
	doc := &Document{source: data, Delay: defaultDelay, Promise: Promise{Period: 30 * day}}
	if err := d.objective(node, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// decoder reads an objective.
type decoder struct{ yamldoc.Decoder }

func (d decoder) objective(node *yaml.Node, doc *Document) error {
	var version, kind, zone string
	var target *float64
	var least *int64
	var rules *yaml.Node
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("name", d.Name("objective", &doc.Name)),
		yamldoc.Key("description", d.Text(&doc.Description)),
		yamldoc.Key("model", d.Name("model", &doc.Model)),
		yamldoc.Key("version", d.Name("version", &doc.Version)),
		yamldoc.Key("environment", d.Name("environment", &doc.Environment)),
		yamldoc.Key("where", d.conditions(&doc.Where)),
		yamldoc.Key("indicator", d.indicator(doc)),
		yamldoc.Key("target", d.Share(&target)),
		yamldoc.Key("period", d.period(doc)),
		yamldoc.Key("zone", d.Text(&zone)),
		yamldoc.Key("min_events", d.Count(&least, 1)),
		yamldoc.Key("delay", d.delay(&doc.Delay)),
		yamldoc.Key("rules", func(node *yaml.Node, _ string) error { rules = node; return nil }),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, Kind}, {"name", doc.Name, "credit-latency"}, {"model", doc.Model, "credit"},
		{"indicator", doc.Indicator, "{in_time: {limit: 200ms}}"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the objective has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if target == nil {
		return d.Errorf(node, "the objective has no target").WithHint("write 'target: 99.5%%'")
	}
	doc.Target = *target
	if least != nil {
		doc.MinEvents = *least
	}
	if zone != "" {
		if doc.Months == nil {
			return d.Errorf(node, "zone is of periods of months, and this one is of %s", Span(doc.Period)).WithHint("leave zone out, or write 'period: 1mo'")
		}
		if doc.Months, err = monitor.Zone(zone); err != nil {
			message, hint := tallystick.Words(err)
			return d.Errorf(node, "%s", message).WithHint("%s", hint)
		}
	}
	if doc.Version == champion && doc.Environment == "" {
		return d.Errorf(node, "the champion is one of an environment, and none is named").WithHint("write 'environment: production'")
	}
	if err := doc.Validate(); err != nil {
		return d.Wrap(node, err)
	}
	if err := d.pairs(node, doc); err != nil {
		return err
	}
	if s := doc.indicator().Source; len(doc.Where) > 0 && s != ofRecords && s != ofReference && s != ofLabels && s != ofPairs {
		return d.Errorf(node, "where is about predictions, and %s is counted from %s", doc.Indicator, s).WithHint("leave where out")
	}
	if doc.Rules = doc.defaults(); rules != nil {
		doc.Rules = nil
		return d.rules(doc)(rules, "rules")
	}
	return nil
}

func (d decoder) conditions(dst *[]query.Condition) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 || len(node.Content) > maxConditions {
			return d.Errorf(node, "%s must be a list of 1 to %d conditions, not %s", path, maxConditions, yamldoc.KindOf(node)).WithHint("write [f_income >= 30000]")
		}
		for i, item := range node.Content {
			var c *query.Condition
			if err := d.condition(&c)(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
			*dst = append(*dst, *c)
		}
		return nil
	}
}

// period reads how long a period is; that of a month of the calendar stays 30 days.
func (d decoder) period(doc *Document) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind == yaml.ScalarNode && node.Value == monitor.OneMonth {
			doc.Months = time.UTC
			return nil
		}
		return d.Duration(&doc.Period)(node, path)
	}
}

func (d decoder) condition(dst **query.Condition) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "a condition"); err != nil {
			return err
		}
		c, err := query.ParseCondition(node.Value)
		if err != nil {
			return d.Wrap(node, err)
		}
		*dst = &c
		return nil
	}
}

// pause reads a time as clocks of programs have it, which can be less than a second.
func (d decoder) pause(dst *time.Duration, least, most time.Duration, example string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		limit, err := time.ParseDuration(node.Value)
		if err != nil || limit < least || limit > most {
			return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).WithHint("write %s", example)
		}
		*dst = limit
		return nil
	}
}

// age reads whole hours.
func (d decoder) age(dst *time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Duration(dst)(node, path); err != nil {
			return err
		}
		if *dst%time.Hour != 0 || *dst > maxMature {
			return d.Errorf(node, "%s is %s: at most 366d, in whole hours", path, node.Value).WithHint("write 30d or 36h")
		}
		return nil
	}
}

func (d decoder) delay(dst *time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Duration(dst)(node, path); err != nil {
			return err
		}
		if *dst > day {
			return d.Errorf(node, "%s is %s: at most 1d is waited for", path, node.Value)
		}
		return nil
	}
}

func (d decoder) rules(doc *Document) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) > maxRules {
			return d.Errorf(node, "%s must be a list of at most %d rules, not %s", path, maxRules, yamldoc.KindOf(node)).
				WithHint("write [{action: page, share: 2%%, window: 1h}]")
		}
		for i, item := range node.Content {
			r, at := BurnRule{}, fmt.Sprintf("%s[%d]", path, i)
			var share *float64
			err := d.Mapping(item, at,
				yamldoc.Key("action", d.Choice(func(s string) { r.Action = Action(s) }, string(Page), string(Ticket), string(Pause))),
				yamldoc.Key("share", d.Share(&share)),
				yamldoc.Key("window", d.Duration(&r.Window)),
				yamldoc.Key("short", d.Duration(&r.Short)),
			)
			if err != nil {
				return err
			}
			if share != nil {
				r.Share = *share
			}
			if r.Short == 0 {
				r.Short = (r.Window / 12).Truncate(time.Minute)
			}
			if r.Short < minWindow || r.Window%time.Minute != 0 || r.Short%time.Minute != 0 {
				return d.Errorf(item, "%s has windows of %s and %s: they are whole minutes, and at least %s", at, r.Window, r.Short, Span(minWindow)).WithHint("write 'window: 1h' and 'short: 5m'")
			}
			if err := r.Validate(doc.Promise); err != nil {
				message, hint := tallystick.Words(err)
				return d.Errorf(item, "%s: %s", at, message).WithHint("%s", hint)
			}
			if slices.ContainsFunc(doc.Rules, func(other BurnRule) bool { return other.Name() == r.Name() }) {
				return d.Errorf(item, "%s is the second rule %s", at, r.Name()).WithHint("keep one of them")
			}
			doc.Rules = append(doc.Rules, r)
		}
		return nil
	}
}
