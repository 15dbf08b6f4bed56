package comparison

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds a comparison.
const MaxBytes = 1 << 20

// Parse reads one comparison; name is what messages call the file. Every error is Invalid, one line, and says which
// line and key are wrong.
func Parse(data []byte, name string) (*Document, error) {
	d := decoder{yamldoc.Decoder{File: name, Noun: "comparison", Start: "docs/comparison.md has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(data), MaxBytes)
	if err != nil {
		return nil, err
	}
	doc := defaults()
	doc.source = data
	if err := d.comparison(node, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// decoder reads a comparison.
type decoder struct{ yamldoc.Decoder }

func (d decoder) comparison(node *yaml.Node, doc *Document) error {
	var version, kind string
	var alpha, split *float64
	var rows *int64
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("name", d.Name("comparison", &doc.Name)),
		yamldoc.Key("description", d.Text(&doc.Description)),
		yamldoc.Key("model", d.Name("model", &doc.Model)),
		yamldoc.Key("environment", d.Name("environment", &doc.Environment)),
		yamldoc.Key("window", d.span(&doc.Width, time.Minute, day)),
		yamldoc.Key("delay", d.span(&doc.Delay, time.Second, day)),
		yamldoc.Key("longest", d.span(&doc.Longest, time.Minute, 366*day)),
		yamldoc.Key("max_stale", d.span(&doc.Stale, time.Minute, 366*day)),
		yamldoc.Key("alpha", d.Number(&alpha, 1e-6, 0.2)),
		yamldoc.Key("min_rows", d.Count(&rows, 30)),
		yamldoc.Key("split", d.Share(&split)),
		yamldoc.Key("pair_by", d.Choice(func(s string) { doc.PairBy = s }, PairColumns()...)),
		yamldoc.Key("metrics", d.metrics(&doc.Metrics)),
		yamldoc.Key("slices", d.features(&doc.Slices)),
		yamldoc.Key("budget", d.budget(&doc.Budget)),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, Kind}, {"name", doc.Name, "credit-canary"}, {"model", doc.Model, "credit"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the comparison has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if alpha != nil {
		doc.Alpha = *alpha
	}
	if rows != nil {
		doc.MinRows = *rows
	}
	if split != nil {
		if doc.Split = *split; doc.Split <= 0 || doc.Split >= 1 {
			return d.Errorf(node, "split is %g: both versions must get predictions", doc.Split).WithHint("write the share of the new version, such as 10%%")
		}
	}
	return d.whole(node, doc)
}

// whole refuses what does not fit together.
func (d decoder) whole(node *yaml.Node, doc *Document) error {
	if len(doc.Metrics) == 0 {
		return d.Errorf(node, "the comparison has no metrics").WithHint("write 'metrics: [{metric: errors, margin: 0.5%%}]'")
	}
	if doc.Width > doc.Longest {
		return d.Errorf(node, "a window of %s is longer than the whole comparison, %s", doc.Width, doc.Longest).WithHint("window is how often it is looked at")
	}
	if doc.Longest/doc.Width > maxWindows {
		return d.Errorf(node, "%s has more than %d windows of %s", doc.Longest, maxWindows, doc.Width).WithHint("use wider windows")
	}
	primary := false
	for i := range doc.Metrics {
		m := &doc.Metrics[i]
		primary = primary || m.Role == Primary
		if m.Measure == Disagreement && doc.PairBy == "" {
			return d.Errorf(node, "disagreement is of pairs, and nothing says how they are known").WithHint("write 'pair_by: trace_id'")
		}
		if m.Measure == Outcomes && doc.PairBy != "" {
			return d.Errorf(node, "%s: an outcome is that of an input, and the same for both answers to it", m.Name).WithHint("leave out pair_by, or compare what is wrong")
		}
		if m.Measure == Fairness && m.Of == string(Decisions) && doc.decisions() == nil {
			return d.Errorf(node, "fairness of decisions needs a metric of decisions").WithHint("write {metric: decisions, when: output = approve, margin: 3%%}")
		}
	}
	if doc.Budget != nil && !slices.ContainsFunc(doc.Metrics, func(m Metric) bool { return m.Measure == Errors }) {
		return d.Errorf(node, "the budget is one of errors, and no metric is").WithHint("write {metric: errors, margin: 0.5%%}")
	}
	if !primary {
		return d.Errorf(node, "every metric is a guard: nothing could be a reason to promote").WithHint("leave out the role of one of them")
	}
	return nil
}

// decisions returns the first metric of decisions, nil if there is none.
func (d *Document) decisions() *Metric {
	for i := range d.Metrics {
		if d.Metrics[i].Measure == Decisions {
			return &d.Metrics[i]
		}
	}
	return nil
}

func (d decoder) span(dst *time.Duration, least, most time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Duration(dst)(node, path); err != nil {
			return err
		}
		if *dst < least || *dst > most {
			return d.Errorf(node, "%s is %s, which is not between %s and %s", path, node.Value, least, most)
		}
		return nil
	}
}

// features reads a list of features, without the f_ that their columns begin with.
func (d decoder) features(dst *[]string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 || len(node.Content) > maxSlices {
			return d.Errorf(node, "%s must be a list of 1 to %d features, not %s", path, maxSlices, yamldoc.KindOf(node)).WithHint("write [region, channel]")
		}
		for i, item := range node.Content {
			if err := d.Scalar(item, fmt.Sprintf("%s[%d]", path, i), "a feature"); err != nil {
				return err
			}
			name := strings.TrimPrefix(item.Value, "f_")
			if slices.Contains(*dst, name) {
				return d.Errorf(item, "%s has %q twice", path, name).WithHint("keep one of them")
			}
			*dst = append(*dst, name)
		}
		return nil
	}
}

func (d decoder) budget(dst **Budget) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		b := Budget{Period: 30 * day}
		var target, spend *float64
		err := d.Mapping(node, path, yamldoc.Key("target", d.Share(&target)), yamldoc.Key("period", d.span(&b.Period, day, 366*day)), yamldoc.Key("spend", d.Share(&spend)))
		if err != nil {
			return err
		}
		if target == nil || spend == nil || *target <= 0 || *target >= 1 || *spend <= 0 {
			return d.Errorf(node, "%s needs a target below 100 %% and what may be spent", path).WithHint("write {target: 99.9%%, period: 30d, spend: 10%%}")
		}
		b.Target, b.Spend = *target, *spend
		*dst = &b
		return nil
	}
}
