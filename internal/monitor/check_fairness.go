package monitor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// fairnessCheck says which groups are compared, and by how much they may differ.
type fairnessCheck struct {
	groups     []string // features
	references map[string]string
	favourable string // positive or negative: the decision that is good for a person
	metrics    []string
	limits     fairness.Limits
}

func newFairnessCheck() *fairnessCheck {
	return &fairnessCheck{favourable: "positive", limits: fairness.DefaultLimits(), references: map[string]string{}}
}

// ofSelection are the metrics that need no label.
func ofSelection() []string { return []string{"demographic_parity", "four_fifths"} }

// fairnessMetrics are those that groups are compared in.
func fairnessMetrics() []string {
	return append(ofSelection(), "equal_opportunity", falsePositives, falseNegatives, "predictive_parity", "false_omission_rate", "accuracy")
}

func (c *fairnessCheck) about() About {
	return About{
		Key: "fairness", Default: false,
		Method: "rates of groups and their two-way intersections, Newcombe and log intervals, Holm over all pairs of a metric",
		Fails:  "the whole interval of a difference lies beyond `max_gap` (10 points); the ratio of favourable rates below `min_ratio` (0.8) is `warn`",
		Why:    "off: nobody else knows which groups matter. Cells of fewer than 100 are not judged, of fewer than 30 not shown",
	}
}

func (c *fairnessCheck) begin(ctx context.Context, s *subject) (*look, error) {
	return s.labelled(ctx, c.rows)
}

func (c *fairnessCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		f := c
		var gap, ratio *float64
		err := d.Mapping(node, path,
			yamldoc.Key("groups", d.names(&f.groups)),
			yamldoc.Key("favourable", d.Choice(func(s string) { f.favourable = s }, "positive", "negative")),
			yamldoc.Key("metrics", d.chosen(&f.metrics, fairnessMetrics())),
			yamldoc.Key("max_gap", d.Share(&gap)),
			yamldoc.Key("min_ratio", d.Share(&ratio)),
			yamldoc.Key("compare_with", func(node *yaml.Node, path string) error {
				return d.Entries(node, path, func(key, value *yaml.Node) error {
					var name string
					if err := d.Text(&name)(value, d.Join(path, key.Value)); err != nil {
						return err
					}
					f.references[key.Value] = name
					return nil
				})
			}),
		)
		if err != nil {
			return err
		}
		if len(f.groups) == 0 || len(f.groups) > outcome.MaxGroups {
			return d.Errorf(node, "%s names %d attributes of groups; one to %d can be compared", path, len(f.groups), outcome.MaxGroups).WithHint("write 'groups: [sex]'")
		}
		for name := range f.references {
			if !slices.Contains(f.groups, name) {
				return d.Errorf(node, "%s.compare_with names %.80q, which is none of the groups", path, name)
			}
		}
		if gap != nil {
			f.limits.Gap, f.limits.Origin = *gap, ofMonitor
		}
		if ratio != nil && *ratio > 0 {
			f.limits.Ratio, f.limits.Origin = *ratio, ofMonitor
		}
		return nil
	}
}

// fair are the rows of the comparisons of groups. Groups that are too small are named and not judged; of cells below
// thirty rows not even the rates are told.
func (c *fairnessCheck) rows(t *Turned) (rows []Row) {
	const method = "fairness/1"
	none := func(words string) []Row {
		return []Row{{Check: "fairness", Method: method, N: t.Window.Rows, Measure: "groups", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: words}}
	}
	if t.Window.Reading.Task != performance.Binary {
		return none("Groups are compared in binary decisions: state checks.labels.task, decided or threshold in the monitor.")
	}
	counter, err := t.Window.Counter(c.references)
	if err != nil {
		words, hint := tallystick.Words(err)
		return none(words + ": " + hint + ".")
	}
	result := counter.Result(fairness.Config{
		FavourablePositive: c.favourable == "positive", Limits: c.limits,
		Terms: fairness.Terms{PositiveLabel: "a positive label", NegativeLabel: "a negative label", Positive: "decided positively", Negative: "decided negatively"},
	})
	unready := t.unready("fairness", method)
	if unready != nil {
		unready.Subject = "labels"
		rows = append(rows, *unready)
	}
	for i := range result.Summaries {
		rows = append(rows, c.groupsOf(result, &result.Summaries[i], unready == nil)...)
	}
	return rows
}

func (c *fairnessCheck) groupsOf(f *fairness.Fairness, s *fairness.Summary, labelled bool) (rows []Row) {
	var small []string
	for _, g := range f.Groups {
		if g.Attribute == s.Attribute && g.Predicted < c.limits.Judged {
			small = append(small, g.Value)
		}
	}
	r := Row{
		Check: "fairness", Subject: s.Attribute, Method: "fairness/1: groups of at least 100 rows", N: int64(s.GroupsJudged), Measure: "groups", Value: stat.Number(s.GroupsJudged),
		Verdict: tallystick.Pass, Words: fmt.Sprintf("%d groups of %s are large enough to judge, and compared with %s.", s.GroupsJudged, s.Attribute, s.Reference), Origin: c.limits.Origin,
	}
	if s.GroupsJudged < 2 {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("Of %s no two groups are large enough to be compared.", s.Attribute)
	}
	if len(small) > 0 {
		r.Words += fmt.Sprintf(" Too small to judge: %s.", listed(small))
	}
	rows = append(rows, r)
	for i := range f.Comparisons {
		is := &f.Comparisons[i]
		selection := slices.Contains(ofSelection(), is.Metric)
		if is.Attribute == s.Attribute && (selection || labelled) && (len(c.metrics) == 0 || slices.Contains(c.metrics, is.Metric)) && is.P.Valid() {
			rows = append(rows, comparison(is, c.limits.Origin))
		}
	}
	return rows
}

// maxListedGroups bounds the groups that a sentence names.
const maxListedGroups = 5

func listed(names []string) string {
	if more := len(names) - maxListedGroups; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListedGroups], ", "), more)
	}
	return strings.Join(names, ", ")
}

// comparison is the row of two groups that are large enough.
func comparison(c *fairness.Comparison, origin string) Row {
	r := Row{
		Check: "fairness", Subject: c.Metric + " " + c.Attribute + " = " + c.Value, Method: "fairness/1: " + c.Method + ", 95 % interval", N: c.N, Against: c.NRef, P: valid(c.P), Adjusted: valid(c.PAdjusted),
		Measure: "difference of the rate from " + c.Reference, Value: c.Difference, Low: valid(stat.Number(c.DiffCI.Low)), High: valid(stat.Number(c.DiffCI.High)),
		Threshold: number(c.Threshold), Origin: origin, Verdict: c.Verdict, Words: c.Words,
	}
	if c.Metric == "four_fifths" {
		r.Measure, r.Value, r.Low, r.High = "ratio of the favourable rate to "+c.Reference, c.Ratio, valid(stat.Number(c.RatioCI.Low)), valid(stat.Number(c.RatioCI.High))
		r.Warn, r.Threshold = r.Threshold, nil
	}
	return r
}
