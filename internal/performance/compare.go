package performance

import (
	"fmt"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// Margin is the relative loss that a comparison accepts: a metric fails when its whole interval
// of difference is worse than that share of the baseline.
const Margin = 0.05

// MinRows is the number of labelled rows below which a comparison is insufficient.
const MinRows = 200

// MinClass is the number of labels of the rarer class below which a comparison of ROC AUC is
// insufficient: the tails of DeLong's interval are too short there.
const MinClass = 10

// incomparable names the metrics of which less is neither better nor worse, and those that are
// counted over a whole catalogue, where nothing is sampled.
var incomparable = []string{"bias", "coverage", "popularity_gini"}

// Headline names the metrics that windows are judged by, for each task: few, so that many windows
// do not alarm by chance.
func Headline(task Task) []string {
	switch task {
	case Regression:
		return []string{"mae", "rmse"}
	case Ranking:
		return []string{"ndcg", "recall_at_k"}
	case Multiclass:
		return []string{"accuracy", "f1"}
	default:
		return []string{"roc_auc", "accuracy"}
	}
}

// Baseline is what a performance is compared with.
type Baseline struct {
	*Performance
	Name    string   // as sentences say it: "the reference"
	Metrics []string // to compare; nil for all that both sides have
	// Looks is the number of comparisons of this kind that one report makes. An alarm (fail or warn)
	// needs an interval of the confidence 1-0.05/Looks (Bonferroni), so that many looks do not raise
	// one by chance. A pass needs no more than the interval of 95 %: that all hold is claimed only
	// where each holds, which many looks make harder and not easier (an intersection-union test,
	// Berger, Technometrics 24 (1982) 295-300).
	Looks int
}

// Compare sets the metrics of p against the baseline, by the difference of independent samples.
// Standard errors are read back from the intervals, so that every metric is treated alike. A metric
// that the baseline has and p lacks is insufficient, not left out.
func (b Baseline) Compare(p *Performance) []Comparison {
	var comparisons []Comparison
	for _, base := range b.Performance.Metrics() {
		if slices.Contains(incomparable, base.Name) || b.Metrics != nil && !slices.Contains(b.Metrics, base.Name) {
			continue
		}
		m, ok := p.Metric(base.Name)
		if !ok {
			comparisons = append(comparisons, b.unknown(base, p.WhyAbsent(base.Name)))
			continue
		}
		c := b.compare(m, base)
		if m.Name == "roc_auc" && min(p.Rarer(), b.Rarer()) < MinClass {
			c.Verdict = tallystick.Insufficient
		}
		switch c.Verdict {
		case tallystick.Inconclusive:
			c.Words += fmt.Sprintf(" The interval does not settle whether that is a loss of more than %g %%.", 100*Margin)
		case tallystick.Insufficient:
			c.Words += " Too few labels to judge."
		}
		comparisons = append(comparisons, c)
	}
	return comparisons
}

func (b Baseline) unknown(base Metric, reason string) Comparison {
	none := stat.Estimate{Value: math.NaN(), Interval: stat.Interval{Low: math.NaN(), High: math.NaN()}, Method: "not known"}
	return Comparison{
		Metric: base.Name, Value: none, Baseline: base.Estimate, Difference: none, Verdict: tallystick.Insufficient,
		Words: fmt.Sprintf("%s is not known here (%s); in %s it is %s.", base.Title, reason, b.Name, figure.Estimate(base.Name, base.Estimate).Value),
	}
}

func (b Baseline) compare(m, base Metric) Comparison {
	confidence := 1 - (1-stat.Confidence)/float64(max(1, b.Looks))
	deviation := math.Hypot(standardError(m.Estimate), standardError(base.Estimate))
	half, own := math.Sqrt2*math.Erfinv(confidence)*deviation, math.Sqrt2*math.Erfinv(stat.Confidence)*deviation
	d := m.Value - base.Value
	method := fmt.Sprintf("normal, independent samples, %.4g %% interval", 100*confidence)
	if confidence != stat.Confidence {
		method += fmt.Sprintf(" for an alarm, %g %% for a pass", 100*stat.Confidence)
	}
	c := Comparison{
		Metric: m.Name, Value: m.Estimate, Baseline: base.Estimate,
		Difference: stat.Estimate{
			Value: d, Interval: stat.Interval{Low: d - half, High: d + half}, N: min(m.N, base.N),
			Method: method,
		},
	}
	c.Verdict = judge(m, base, c.Difference, own)
	value, difference := figure.Estimate(m.Name, m.Estimate), figure.Difference(m.Name, c.Difference)
	c.Words = fmt.Sprintf("%s is %s (95 %% interval %s) and %s in %s: a difference of %s (%.4g %% interval %s).",
		m.Title, value.Value, value.Spelt(), figure.Estimate(m.Name, base.Estimate).Value, b.Name,
		difference.Value, 100*confidence, difference.Spelt())
	return c
}

// judge fails a difference that is wholly worse than the margin, warns of one that is wholly
// worse than nothing, and passes one that, by its own interval of that half width, is not worse
// than the margin.
func judge(m, b Metric, difference stat.Estimate, half float64) tallystick.Verdict {
	if min(m.N, b.N) < MinRows || math.IsNaN(difference.Interval.Low) {
		return tallystick.Insufficient
	}
	best, worst := difference.Interval.High, difference.Value-half
	if !m.HigherBetter {
		best, worst = -difference.Interval.Low, -difference.Value-half
	}
	margin := Margin * math.Abs(b.Value)
	switch {
	case best < -margin:
		return tallystick.Fail
	case worst >= -margin:
		return tallystick.Pass
	case best < 0:
		return tallystick.Warn
	}
	return tallystick.Inconclusive
}

func standardError(e stat.Estimate) float64 {
	return (e.Interval.High - e.Interval.Low) / (2 * math.Sqrt2 * math.Erfinv(stat.Confidence))
}
