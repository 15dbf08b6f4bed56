package monitor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// Labels say when the outcomes of predictions are known, and what they mean.
type Labels struct {
	Mature   time.Duration // age from which a prediction should have a label
	Coverage float64       // least share of a mature window's predictions that have one
	Reading  outcome.Reading
	Baseline Window // predictions that others are compared with; zero: those that the reference was made of
}

// needLabels are the checks that cannot be made unless the monitor says when labels are there.
func needLabels() []string {
	return []string{"labels", "performance", "estimate", "calibration", "fairness", "concept", "agreement"}
}

// Of the share of predictions that have labels. Below it nobody knows whether those that do are like the others.
const defaultCoverage = 0.8

// maxMature bounds how long labels are waited for.
const maxMature = 5 * 365 * day

// labelsCheck judges whether labels are there. What it states holds for every check that needs them.
type labelsCheck struct{ to **Labels }

func (labelsCheck) about() About {
	return About{
		Key:    "labels",
		Method: "share of predictions that have a label, once they should have",
		Fails:  "never; below `min_coverage` it is `insufficient`, and so is what needs labels",
		Why:    "`min_coverage` 80 %: where more labels are missing, nobody knows whether those that are there are like the others",
	}
}

func (c labelsCheck) begin(ctx context.Context, s *subject) (*look, error) {
	return s.labelled(ctx, (*Turned).labelled)
}

func (c labelsCheck) decode(d decoder) yamldoc.Decode {
	dst := c.to
	return func(node *yaml.Node, path string) error {
		l := &Labels{Mature: -1, Coverage: defaultCoverage}
		var coverage *float64
		err := d.Mapping(node, path,
			yamldoc.Key("mature", d.mature(&l.Mature)),
			yamldoc.Key("min_coverage", d.Share(&coverage)),
			yamldoc.Key("task", d.Choice(func(s string) { l.Reading.Task = performance.Task(s) }, string(performance.Binary), string(performance.Multiclass), string(performance.Regression))),
			yamldoc.Key("positive", d.values(&l.Reading.Positive)),
			yamldoc.Key("decided", d.values(&l.Reading.Decided)),
			yamldoc.Key("threshold", d.Number(&l.Reading.Threshold, -1e300, 1e300)),
			yamldoc.Key("baseline", func(node *yaml.Node, path string) error {
				if err := d.Mapping(node, path, yamldoc.Key("from", d.moment(&l.Baseline.From)), yamldoc.Key("to", d.moment(&l.Baseline.To))); err != nil {
					return err
				}
				if l.Baseline.From.IsZero() || !l.Baseline.From.Before(l.Baseline.To) {
					return d.Errorf(node, "%s is no time from when until when", path).WithHint("write {from: 2026-01-01, to: 2026-02-01}")
				}
				return nil
			}),
		)
		if err != nil {
			return err
		}
		if l.Mature < 0 {
			return d.Errorf(node, "%s does not say when a prediction should have its label", path).WithHint("write 'mature: 30d', or 'mature: 0' where labels come with predictions")
		}
		if len(l.Reading.Decided) > 0 && l.Reading.Threshold != nil {
			return d.Errorf(node, "%s says twice what a decision is made of", path).WithHint("keep decided or threshold")
		}
		if coverage != nil {
			l.Coverage = *coverage
		}
		*dst = l
		return nil
	}
}

func (d decoder) mature(dst *time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if slices.Contains([]string{"0", "0s", "0m", "0d"}, node.Value) {
			*dst = 0
			return nil
		}
		if err := d.Duration(dst)(node, path); err != nil {
			return err
		}
		if *dst > maxMature {
			return d.Errorf(node, "%s is %s: labels are waited for five years at most", path, node.Value)
		}
		return nil
	}
}

// values reads one value or a list of values, as predictions have them.
func (d decoder) values(dst *[]string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind == yaml.SequenceNode {
			return d.names(dst)(node, path)
		}
		if err := d.Scalar(node, path, "a value, or a list of values"); err != nil {
			return err
		}
		*dst = []string{node.Value}
		return nil
	}
}

// Turned is what is known of how the predictions of a window turned out.
type Turned struct {
	Labels   *Labels
	Window   *outcome.Set
	Baseline *outcome.Set // that it is compared with; nil: there is none
	Of       string       // what the baseline is, as sentences say it; without one, why there is none
	Mature   bool         // whether labels of the window should be there
	Again    time.Time    // when the window is judged again, because labels may be there then; zero: no more
	Earlier  []counted    // labelled windows before it, the oldest first

	baselineNewest uint64 // event that recorded the last label of the baseline
	judged         uint64 // newest event of the judgements of Earlier
}

// coverage is the share of the window's predictions that have a label.
func (t *Turned) coverage() stat.Proportion {
	return stat.Proportion{K: t.Window.Labelled, N: t.Window.Rows}
}

// lagging says how long labels take, empty if nobody knows.
func (t *Turned) lagging() string {
	lags := t.Window.Lags(0.5, 0.9)
	if lags == nil {
		return ""
	}
	return fmt.Sprintf(" Half of the labels came within %s, nine in ten within %s.", span(lags[0]), span(lags[1]))
}

// span writes a time as people say it.
func span(d time.Duration) string {
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%.3g days", d.Hours()/24)
	case d >= time.Hour:
		return fmt.Sprintf("%.3g hours", d.Hours())
	}
	return d.String()
}

// labelled is the row of the labels themselves.
func (t *Turned) labelled() []Row {
	c := t.coverage()
	l := t.Labels.Coverage
	r := Row{
		Check: "labels", Method: "labels/1: share of predictions that have a label", N: c.N, Measure: "share", Value: stat.Number(c.Rate()), Threshold: number(l), Origin: ofMonitor, Verdict: tallystick.Pass,
		Words: fmt.Sprintf("%d of %d predictions have a label.", c.K, c.N) + t.lagging(),
	}
	switch {
	case !t.Mature:
		r.Verdict, r.Awaits = tallystick.Insufficient, t.Again
		r.Words += fmt.Sprintf(" Labels are waited for until %s.", t.Again.Format(time.RFC3339))
	case c.Rate() < l:
		r.Verdict, r.Awaits = tallystick.Insufficient, t.Again
		r.Words += fmt.Sprintf(" At least %s are wanted%s.", figure.Percent(l), anew(t.Again))
	}
	return []Row{r}
}

func anew(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf("; the window is judged again on %s", at.Format(time.RFC3339))
}

// unready returns the row of a check that labels do not allow to be judged, nil if they do.
func (t *Turned) unready(check, method string) *Row {
	c := t.coverage()
	r := &Row{Check: check, Method: method, N: c.K, Measure: "labels", Value: stat.Number(c.K), Verdict: tallystick.Insufficient, Awaits: t.Again}
	switch {
	case t.Window.Reading.Task == "":
		r.Awaits = time.Time{}
		r.Words = "Nothing says whether outputs are classes or quantities: state checks.labels.task in the monitor."
	case t.Window.Unread > 0:
		r.Words = fmt.Sprintf("%d outputs or labels, such as %.80q, do not say what they mean: state checks.labels.positive or checks.labels.task in the monitor.", t.Window.Unread, t.Window.Example)
	case !t.Mature:
		r.Words = fmt.Sprintf("It is judged on %s, when labels are there; now %d of %d predictions have one.", t.Again.Format(time.RFC3339), c.K, c.N)
	case c.Rate() < t.Labels.Coverage:
		r.Words = fmt.Sprintf("Only %d of %d predictions have a label, less than %s%s.", c.K, c.N, figure.Percent(t.Labels.Coverage), anew(t.Again))
	default:
		return nil
	}
	return r
}
