package monitor

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// performanceCheck says which metrics are judged, and those that are held against a limit instead of the reference.
type performanceCheck struct {
	metrics []string // empty: the task's own
	limits  []metricLimit
}

// metricLimit bounds a metric; what is nil bounds nothing.
type metricLimit struct {
	Metric   string
	Min, Max *float64
}

// judgedMetrics are those that can be judged, as monitors call them.
func judgedMetrics() []string {
	return []string{
		"accuracy", "balanced_accuracy", "precision", "recall", "f1", falsePositives, falseNegatives, "mcc", "kappa", "roc_auc", "average_precision", "log_loss", "brier",
		"mae", "rmse", "bias", "r2", "mape",
	}
}

// What monitors call the two rates of errors, and package performance does.
const (
	falsePositives = "false_positive_rate"
	falseNegatives = "false_negative_rate"
)

func short(metric string) string {
	switch metric {
	case falsePositives:
		return "fpr"
	case falseNegatives:
		return "fnr"
	}
	return metric
}

func (c *performanceCheck) about() About {
	return About{
		Key: "performance", Default: true,
		Method: "metrics of matured labels, 95 % intervals, against a limit or the same metric of the baseline",
		Fails:  "the whole interval lies beyond the limit or, of the difference, is worse than the baseline by more than 5 % of it",
		Why:    "on where `labels` are stated: ROC AUC and accuracy, or MAE and RMSE, since few metrics alarm seldom by chance",
	}
}

func (c *performanceCheck) begin(ctx context.Context, s *subject) (*look, error) {
	return s.labelled(ctx, c.rows)
}

func (c *performanceCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		p := c
		err := d.Mapping(node, path, yamldoc.Key("metrics", d.chosen(&p.metrics, judgedMetrics())), yamldoc.Key("limits", func(node *yaml.Node, path string) error {
			var fields []yamldoc.Field
			for _, name := range judgedMetrics() {
				fields = append(fields, yamldoc.Key(name, func(node *yaml.Node, path string) error {
					l := metricLimit{Metric: name}
					const far = 1e300
					err := d.Mapping(node, path, yamldoc.Key("min", d.limit(&l.Min, name, far)), yamldoc.Key("max", d.limit(&l.Max, name, far)))
					if err == nil && l.Min == nil && l.Max == nil {
						return d.Errorf(node, "%s bounds nothing", path).WithHint("write {min: 0.8} or {max: 10%%}")
					}
					if err == nil && l.Min != nil && l.Max != nil && *l.Min > *l.Max {
						return d.Errorf(node, "%s: min %g is above max %g", path, *l.Min, *l.Max)
					}
					p.limits = append(p.limits, l)
					return err
				}))
			}
			return d.Mapping(node, path, fields...)
		}))
		return err
	}
}

// limit reads a bound of a metric, which for those that are shares may be in percent.
func (d decoder) limit(dst **float64, metric string, far float64) yamldoc.Decode {
	if figure.IsRate(short(metric)) || metric == "roc_auc" {
		return d.Share(dst)
	}
	return d.Number(dst, -far, far)
}

// chosen reads a list of words, each of which is one of those that are known.
func (d decoder) chosen(dst *[]string, known []string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.names(dst)(node, path); err != nil {
			return err
		}
		for _, item := range node.Content {
			if !slices.Contains(known, item.Value) {
				return d.Unknown(item, path+" has no", known)
			}
		}
		return nil
	}
}

// performed are the rows of how well outputs matched labels.
func (c *performanceCheck) rows(t *Turned) (rows []Row) {
	if r := t.unready("performance", "performance/1"); r != nil {
		return []Row{*r}
	}
	p, err := t.Window.Performance()
	if err != nil || p == nil {
		r := Row{Check: "performance", Method: "performance/1", Measure: "labels", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: "No prediction has both an output and a label."}
		if err != nil {
			r.Words, _ = tallystick.Words(err)
		}
		return []Row{r}
	}
	var base *performance.Performance
	if t.Baseline != nil {
		if base, err = t.Baseline.Performance(); err != nil {
			base = nil
		}
	}
	for _, metric := range c.wanted(p.Task) {
		limit := c.limit(metric)
		m, ok := p.Metric(short(metric))
		switch {
		case !ok:
			rows = append(rows, Row{
				Check: "performance", Subject: metric, Method: "performance/1", N: p.N, Measure: metric, Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient,
				Words: fmt.Sprintf("%s is not known: %s.", metric, p.WhyAbsent(short(metric))),
			})
		case limit >= 0:
			rows = append(rows, within(metric, m, p, c.limits[limit]))
		default:
			rows = append(rows, against(metric, m, p, base, t.Of, 1))
		}
	}
	return rows
}

// wanted are the metrics that are judged.
func (c *performanceCheck) wanted(task performance.Task) []string {
	wanted := slices.Clone(c.metrics)
	if len(wanted) == 0 {
		wanted = performance.Headline(task)
	}
	for _, l := range c.limits {
		if !slices.Contains(wanted, l.Metric) {
			wanted = append(wanted, l.Metric)
		}
	}
	return wanted
}

// limit returns the place of the limit of a metric, -1 if it has none.
func (c *performanceCheck) limit(metric string) int {
	return slices.IndexFunc(c.limits, func(l metricLimit) bool { return l.Metric == metric })
}

func measured(metric string, m performance.Metric, p *performance.Performance) Row {
	return Row{
		Check: "performance", Subject: metric, Method: "performance/1: 95 % interval by " + m.Method, N: p.N, Measure: metric,
		Value: stat.Number(m.Value), Low: valid(stat.Number(m.Interval.Low)), High: valid(stat.Number(m.Interval.High)), Verdict: tallystick.Insufficient,
	}
}

// within holds a metric against a limit: its whole interval decides.
func within(metric string, m performance.Metric, p *performance.Performance, l metricLimit) Row {
	r := measured(metric, m, p)
	r.Origin = ofMonitor
	least, most := math.Inf(-1), math.Inf(1)
	if l.Max != nil {
		most, r.Threshold = *l.Max, l.Max
	}
	if l.Min != nil {
		least, r.Threshold = *l.Min, l.Min
	}
	shown := figure.Estimate(m.Name, m.Estimate)
	r.Words = fmt.Sprintf("%s is %s (95 %% interval %s), ", m.Title, shown.Value, shown.Spelt())
	switch i := m.Interval; {
	case p.N < performance.MinRows || math.IsNaN(i.Low) || m.Name == "roc_auc" && p.Rarer() < performance.MinClass:
		r.Words += fmt.Sprintf("of %d labels: too few to judge.", p.N)
		return r
	case i.High < least:
		r.Verdict, r.Words = tallystick.Fail, r.Words+fmt.Sprintf("surely below %s.", bounded(m.Name, least))
	case i.Low > most:
		r.Verdict, r.Threshold, r.Words = tallystick.Fail, l.Max, r.Words+fmt.Sprintf("surely above %s.", bounded(m.Name, most))
	case i.Low >= least && i.High <= most:
		r.Verdict, r.Words = tallystick.Pass, r.Words+"within the limits."
	default:
		r.Verdict, r.Words = tallystick.Inconclusive, r.Words+"which does not settle on which side of the limit it lies."
	}
	return r
}

// bounded writes a limit as the values of its metric are written.
func bounded(metric string, limit float64) string {
	if figure.IsRate(metric) {
		return figure.Percent(limit)
	}
	return figure.Plain(limit)
}

// against holds a metric against that of the baseline, which is called of; looks are how many such comparisons are made.
func against(metric string, m performance.Metric, p, base *performance.Performance, of string, looks int) Row {
	r := measured(metric, m, p)
	shown := figure.Estimate(m.Name, m.Estimate)
	if base == nil {
		r.Words = fmt.Sprintf("%s is %s (95 %% interval %s). There is nothing to hold it against: %s. State a limit, or checks.labels.baseline, in the monitor.", m.Title, shown.Value, shown.Spelt(), of)
		return r
	}
	compared := performance.Baseline{Performance: base, Name: of, Metrics: []string{m.Name}, Looks: looks}.Compare(p)
	if len(compared) == 0 {
		r.Words = fmt.Sprintf("%s is %s (95 %% interval %s); it is not known, or not comparable, in %s.", m.Title, shown.Value, shown.Spelt(), of)
		return r
	}
	c := compared[0]
	margin := performance.Margin * math.Abs(c.Baseline.Value)
	if m.HigherBetter {
		margin = -margin
	}
	r.Method = "performance/1: 95 % interval by " + m.Method + "; difference " + c.Difference.Method
	r.Verdict, r.Words, r.Against, r.Threshold, r.Origin = c.Verdict, c.Words, base.N, number(c.Baseline.Value+margin), ofReference
	return r
}
