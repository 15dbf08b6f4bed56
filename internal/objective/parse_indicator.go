package objective

import (
	"cmp"
	"time"

	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// indicator reads the one key of a mapping, which names the indicator, and what stands below it.
func (d decoder) indicator(doc *Document) yamldoc.Decode {
	p := &doc.Parameters
	limit := yamldoc.Key("limit", d.pause(&p.Limit, time.Microsecond, day, "200ms or 1.5s"))
	mature := yamldoc.Key("mature", d.age(&p.Mature))
	every := yamldoc.Key("every", d.age(&p.Every))
	monitor := yamldoc.Key("monitor", d.Name("monitor", &p.Monitor))
	threshold := yamldoc.Key("threshold", d.Number(&p.Threshold, -1e300, 1e300))
	positive := yamldoc.Key("positive", d.Text(&p.Positive))
	var tolerance *float64
	kinds := []struct {
		name     string
		fields   []yamldoc.Field
		complete func() (bool, string)
	}{
		{"in_time", []yamldoc.Field{limit}, func() (bool, string) { return p.Limit > 0, "limit: 200ms" }},
		{"answered", nil, nil},
		{"share", []yamldoc.Field{yamldoc.Key("good", d.conditions(&p.Good))}, func() (bool, string) { return len(p.Good) > 0, "good: [f_income >= 0]" }},
		{"valid_input", nil, nil},
		{"in_domain", nil, nil},
		{"correct", []yamldoc.Field{mature, threshold, positive}, func() (bool, string) {
			if p.Threshold != nil && p.Positive == "" {
				return false, `positive: "1"`
			}
			return p.Mature > 0, "mature: 30d"
		}},
		{"no_false_alarm", []yamldoc.Field{mature, threshold, positive}, func() (bool, string) {
			if p.Positive == "" {
				return false, `positive: "1"`
			}
			return p.Mature > 0, "mature: 30d"
		}},
		{"no_miss", []yamldoc.Field{mature, threshold, positive}, func() (bool, string) {
			if p.Positive == "" {
				return false, `positive: "1"`
			}
			return p.Mature > 0, "mature: 30d"
		}},
		{"stable", []yamldoc.Field{monitor}, func() (bool, string) { return p.Monitor != "", "monitor: credit-hourly" }},
		{"drift_explained", []yamldoc.Field{monitor}, func() (bool, string) { return p.Monitor != "", "monitor: credit-hourly" }},
		{"not_overridden", nil, nil},
		{"audited", []yamldoc.Field{every}, func() (bool, string) { return p.Every > 0, "every: 90d" }},
		{"retrained", []yamldoc.Field{every}, func() (bool, string) { return p.Every > 0, "every: 90d" }},
		{"canary_agrees", []yamldoc.Field{
			yamldoc.Key("pair_by", d.Choice(func(s string) { p.Agreement.PairBy = s }, comparison.PairColumns()...)),
			yamldoc.Key("within", d.pause(&p.Agreement.Within, time.Millisecond, time.Hour, "5m")),
			yamldoc.Key("tolerance", d.Number(&tolerance, 0, 1e18)),
			yamldoc.Key("when", d.condition(&p.Agreement.When)),
			yamldoc.Key("against", d.Name("version", &p.Against)),
		}, func() (bool, string) {
			if tolerance != nil {
				p.Agreement.Tolerance = *tolerance
			}
			return p.Agreement.PairBy != "", "pair_by: trace_id"
		}},
	}
	return func(node *yaml.Node, path string) error {
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			if doc.Indicator != "" {
				return d.Errorf(key, "%s has %s and %s", path, doc.Indicator, key.Value).WithHint("write an objective for each")
			}
			names := make([]string, 0, len(kinds))
			for _, k := range kinds {
				if names = append(names, k.name); k.name != key.Value {
					continue
				}
				doc.Indicator = k.name
				if value.Kind == yaml.ScalarNode && value.Tag == "!!null" && k.complete == nil {
					return nil
				}
				if err := d.Mapping(value, d.Join(path, k.name), k.fields...); err != nil {
					return err
				}
				if k.complete != nil {
					if whole, example := k.complete(); !whole {
						return d.Errorf(value, "%s lacks what it needs", d.Join(path, k.name)).WithHint("write '%s' below it", example)
					}
				}
				return nil
			}
			return d.Unknown(key, path+" has no key", names)
		})
		if err == nil && doc.Indicator == "" {
			return d.Errorf(node, "%s names none", path).WithHint("write 'indicator: {answered: {}}'")
		}
		return err
	}
}

// defaultWithin is how long after the first the second of two answers to one input may come, if the objective says nothing.
const defaultWithin = 5 * time.Minute

// pairs settles whose answers canary_agrees compares.
func (d decoder) pairs(node *yaml.Node, doc *Document) error {
	if doc.Indicator != "canary_agrees" {
		return nil
	}
	p := &doc.Parameters
	p.Against = cmp.Or(p.Against, champion)
	p.Agreement.Within = cmp.Or(p.Agreement.Within, defaultWithin)
	switch {
	case p.Against == champion && doc.Environment == "":
		return d.Errorf(node, "answers are compared with the champion's, which is one of an environment, and none is named").WithHint("write 'environment: production', or 'against: VERSION' below canary_agrees")
	case doc.Version == p.Against:
		return d.Errorf(node, "answers of %s are compared with those of %s", doc.Version, p.Against).WithHint("name the new version, or leave version out for all others")
	case p.Agreement.When != nil && p.Agreement.Tolerance > 0:
		return d.Errorf(node, "answers are alike by a condition and by a tolerance").WithHint("keep when or tolerance")
	}
	return nil
}
