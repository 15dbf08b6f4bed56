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

// estimateCheck says which metrics are estimated before labels are there.
type estimateCheck struct {
	metrics []string // empty: ROC AUC and accuracy
}

// estimable are the metrics that scores allow to be estimated.
func estimable() []string {
	return []string{"accuracy", "precision", "recall", "f1", falsePositives, "roc_auc"}
}

func (c *estimateCheck) about() About {
	return About{
		Key: "estimate", Default: false,
		Method: "performance estimated from scores (CBPE) and, once labels are there, held against them",
		Fails:  "never; `warn` if the whole band of three standard errors is worse than the baseline by 5 %, and if labels show a metric outside of its band",
		Why:    "off: it takes labels of the baseline, and cannot see that the same row has another label now",
	}
}

func (c *estimateCheck) begin(ctx context.Context, s *subject) (*look, error) {
	return s.labelled(ctx, c.rows)
}

func (c *estimateCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path, yamldoc.Key("metrics", d.chosen(&c.metrics, estimable())))
	}
}

const estimateMethod = "estimate/1: confidence-based performance estimation, isotonic curve of the labelled baseline, band of 3 standard errors"

// estimated are the rows of how well the model does as far as its scores tell and, once labels are there, of whether that
// was true. An estimate cannot see that the same row has another label now, so it warns and never fails.
func (c *estimateCheck) rows(t *Turned) (rows []Row) {
	none := func(words string) []Row {
		return []Row{{Check: "estimate", Method: estimateMethod, N: t.Window.Rows, Measure: "rows", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: words}}
	}
	if t.Window.Reading.Task != performance.Binary {
		return none("Performance is estimated of binary decisions alone.")
	}
	if t.Baseline == nil {
		return none(fmt.Sprintf("There is nothing to learn from: %s. State checks.labels.baseline in the monitor.", t.Of))
	}
	scores, positive, _ := t.Baseline.Scored()
	learned, err := performance.NewEstimator(scores, positive)
	if err != nil {
		words, _ := tallystick.Words(err)
		return none("There is too little to learn from: " + words + ".")
	}
	scores, predicted := t.Window.AllScores()
	if len(scores) < performance.MinRows {
		return none(fmt.Sprintf("%d scores are too few to estimate from.", len(scores)))
	}
	estimated, err := learned.Estimate(scores, predicted)
	if err != nil {
		return none("Performance cannot be estimated: " + err.Error() + ".")
	}
	base, err := t.Baseline.Performance()
	if err != nil || base == nil {
		return none("The baseline has no performance to hold an estimate against.")
	}
	wanted := c.metrics
	if len(wanted) == 0 {
		wanted = []string{"roc_auc", "accuracy"}
	}
	realised := realised(t, learned)
	for _, metric := range wanted {
		k := slices.IndexFunc(estimated.Metrics, func(m performance.EstimatedMetric) bool { return m.Name == short(metric) })
		of, known := base.Metric(short(metric))
		if k < 0 || !known {
			rows = append(rows, Row{
				Check: "estimate", Subject: metric, Method: estimateMethod, N: estimated.N, Measure: metric, Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient,
				Words: fmt.Sprintf("%s cannot be estimated of these predictions.", metric),
			})
			continue
		}
		rows = append(rows, estimateRow(metric, &estimated.Metrics[k], of, estimated, t.Of))
		if r, ok := realised[short(metric)]; ok {
			rows = append(rows, r)
		}
	}
	return rows
}

func estimateRow(metric string, m *performance.EstimatedMetric, base performance.Metric, e *performance.Estimated, of string) Row {
	margin := performance.Margin * math.Abs(base.Value)
	r := Row{
		Check: "estimate", Subject: metric, Method: estimateMethod, N: e.N, Against: base.N, Measure: "estimated " + metric, Value: stat.Number(m.Value),
		Low: number(m.Band.Low), High: number(m.Band.High), Origin: ofReference, Verdict: tallystick.Pass,
	}
	shown := figure.Estimate(m.Name, stat.Estimate{Value: m.Value, Interval: m.Band, N: e.N})
	r.Words = fmt.Sprintf("As far as scores tell, %s is %s (%s), in %s %s.", base.Title, shown.Value, shown.Spelt(), of, figure.Estimate(base.Name, base.Estimate).Value)
	if base.HigherBetter {
		r.Warn = number(base.Value - margin)
		if m.Band.High < *r.Warn {
			r.Verdict = tallystick.Warn
		}
	} else {
		r.Warn = number(base.Value + margin)
		if m.Band.Low > *r.Warn {
			r.Verdict = tallystick.Warn
		}
	}
	if e.Outside > 0 {
		r.Words += fmt.Sprintf(" %d of %d scores lie beyond those of the baseline.", e.Outside, e.N)
	}
	return r
}

// realised are the rows that hold estimates of the labelled rows against their labels, by metric.
func realised(t *Turned, learned *performance.Estimator) map[string]Row {
	if t.unready("", "") != nil {
		return nil
	}
	scores, positive, predicted := t.Window.Scored()
	if len(scores) < performance.MinRows || predicted == nil {
		return nil
	}
	estimated, err := learned.Estimate(scores, predicted)
	if err != nil {
		return nil
	}
	var counts stat.Confusion
	gathered := performance.NewScores(false, 0, 0)
	for i, x := range scores {
		gathered.Add(x, positive[i])
		counts.Count(predicted[i], positive[i])
	}
	checked, err := estimated.Check(performance.OfBinary(counts, gathered))
	if err != nil {
		return nil
	}
	rows := map[string]Row{}
	for _, m := range checked {
		name := m.Name
		if name == "fpr" {
			name = falsePositives
		}
		r := Row{
			Check: "estimate", Subject: name + " realised", Method: "estimate/1: whether the metric that labels show lies within the band that was estimated of the same rows", N: estimated.N,
			Measure: name, Value: stat.Number(m.Realised), Low: number(m.Band.Low), High: number(m.Band.High), Origin: ofDefault, Verdict: tallystick.Pass,
		}
		r.Words = fmt.Sprintf("Labels show %s of %s, the estimate was %s to %s.", name, figure.Fixed(m.Realised, 3), figure.Fixed(m.Band.Low, 3), figure.Fixed(m.Band.High, 3))
		if m.Verdict != tallystick.Pass {
			r.Verdict = tallystick.Warn
			r.Words += " The same scores have other labels than before: estimates are not to be believed until that is explained."
		}
		rows[m.Name] = r
	}
	return rows
}
