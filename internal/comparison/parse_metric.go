package comparison

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

func (d decoder) metrics(dst *[]Metric) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 || len(node.Content) > maxMetrics {
			return d.Errorf(node, "%s must be a list of 1 to %d metrics, not %s", path, maxMetrics, yamldoc.KindOf(node))
		}
		for i, item := range node.Content {
			m, err := d.metric(item, fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return err
			}
			if slices.ContainsFunc(*dst, func(other Metric) bool { return other.Name == m.Name }) {
				return d.Errorf(item, "%s is there twice", m.Name).WithHint("give one of them another name")
			}
			*dst = append(*dst, m)
		}
		return nil
	}
}

func (d decoder) metric(node *yaml.Node, path string) (m Metric, err error) {
	var margin, tolerance *float64
	m.Role = Primary
	err = d.Mapping(node, path,
		yamldoc.Key("metric", d.Choice(func(s string) { m.Measure = Measure(s) }, measures()...)),
		yamldoc.Key("name", d.Name("metric", &m.Name)),
		yamldoc.Key("role", d.Choice(func(s string) { m.Role = Role(s) }, string(Primary), string(Guard))),
		yamldoc.Key("better", d.Choice(func(s string) { m.Better = Better(s) }, string(Less), string(More), string(Either))),
		yamldoc.Key("margin", d.margin(&margin)),
		yamldoc.Key("limit", d.limit(&m.Limit)),
		yamldoc.Key("when", d.when(&m.When)),
		yamldoc.Key("tolerance", d.Number(&tolerance, 0, 1e18)),
		yamldoc.Key("mature", d.span(&m.Mature, time.Second, 5*366*day)),
		yamldoc.Key("by", d.Text(&m.By)),
		yamldoc.Key("of", d.Choice(func(s string) { m.Of = s }, string(Decisions), string(Wrong))),
	)
	if err != nil {
		return m, err
	}
	if m.Measure == "" {
		return m, d.Errorf(node, "%s names no metric", path).WithHint("write 'metric: errors'")
	}
	if m.Name == "" {
		m.Name = string(m.Measure)
	}
	if margin == nil {
		return m, d.Errorf(node, "%s does not say how much worse the new version may be", m.Name).WithHint("write 'margin: 1%%'")
	}
	if m.Margin = *margin; tolerance != nil {
		m.Tolerance = *tolerance
	}
	m.By = strings.TrimPrefix(m.By, "f_")
	return m, d.fits(node, &m, tolerance != nil)
}

// fits refuses keys that the metric has no use for, and asks for those that it needs.
func (d decoder) fits(node *yaml.Node, m *Metric, tolerant bool) error {
	for _, key := range []struct {
		name         string
		there        bool
		needed, used bool
		example      string
	}{
		{"limit", m.Limit > 0, m.Measure == Slow, m.Measure == Slow, "limit: 200ms"},
		{"when", m.When != nil, m.Measure == Decisions, m.Measure == Decisions || m.Measure == Outcomes, "when: output = approve"},
		{"when", m.When != nil, m.Measure == Outcomes, m.Measure == Decisions || m.Measure == Outcomes, "when: label = bought"},
		{"tolerance", tolerant, false, m.Measure == Wrong || m.Measure == Disagreement, ""},
		{"mature", m.Mature > 0, m.labelled(), m.labelled(), "mature: 30d"},
		{"by", m.By != "", m.Measure == Fairness, m.Measure == Fairness, "by: sex"},
		{"of", m.Of != "", m.Measure == Fairness, m.Measure == Fairness, "of: decisions"},
		{"better", m.Better != "", false, m.Measure == Decisions || m.Measure == Outcomes, ""},
	} {
		switch {
		case key.needed && !key.there:
			return d.Errorf(node, "%s has no %s", m.Name, key.name).WithHint("write '%s'", key.example)
		case key.there && !key.used:
			return d.Errorf(node, "%s has no use for %s", m.Measure, key.name).WithHint("leave it out")
		}
	}
	if of := "label"; m.When != nil && (m.When.Column == of) != (m.Measure == Outcomes) {
		return d.Errorf(node, "%s cannot be of the column %s", m.Measure, m.When.Column).WithHint("decisions are of what was answered, as in output = approve; outcomes of what came of it, as in label = bought")
	}
	if m.Better == "" {
		switch m.Measure {
		case Decisions, Score:
			m.Better = Either
		case Outcomes:
			m.Better = More
		default:
			m.Better = Less
		}
	}
	if m.Margin <= 0 && (m.Better == Either || m.Measure == Disagreement) {
		return d.Errorf(node, "%s may change by a margin, which must be above 0", m.Name)
	}
	return nil
}

// margin reads a share that may be negative.
func (d decoder) margin(dst **float64) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		rest, negative := strings.CutPrefix(node.Value, "-")
		positive := *node
		if positive.Value = rest; negative && strings.HasPrefix(rest, "-") {
			return d.Errorf(node, "%s must be a share, not %q", path, node.Value)
		}
		v, err := d.Fraction(&positive, path)
		if err != nil {
			return err
		}
		if v > 0.5 {
			return d.Errorf(node, "%s is %s: a margin is at most half", path, node.Value)
		}
		if negative {
			v = -v
		}
		*dst = &v
		return nil
	}
}

func (d decoder) limit(dst *time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		limit, err := time.ParseDuration(node.Value)
		if err != nil || limit < time.Microsecond || limit > day {
			return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).WithHint("write 200ms or 1.5s")
		}
		*dst = limit
		return nil
	}
}

func (d decoder) when(dst **query.Condition) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "a condition"); err != nil {
			return err
		}
		c, err := query.ParseCondition(node.Value)
		if err == nil && (c.Column == "hour" || c.Column == "day" || c.Column == "month") {
			err = tallystick.Errorf(tallystick.Invalid, "%s is no column of a decision", c.Column)
		}
		if err != nil {
			message, hint := tallystick.Words(err)
			return d.Errorf(node, "%s: %s", path, message).WithHint("%s", hint)
		}
		*dst = &c
		return nil
	}
}
