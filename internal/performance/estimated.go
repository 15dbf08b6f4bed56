package performance

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Estimator estimates how well a binary classifier does before labels are there: the reference's
// labels turn scores into probabilities, and the metrics are what labels drawn with those would give
// on average (confidence-based performance estimation: Bialek and others, arXiv 2401.08348). It sees
// what a change of the rows does. It cannot see that the same row now has another label, which is
// why [Estimated.Check] holds it against labels once they come.
type Estimator struct {
	N         int64         `json:"n"` // labelled rows of the reference
	Positives int64         `json:"positives"`
	Curve     stat.Isotonic `json:"curve"`
	// Parts are the curves without each tenth of the reference, from which follows how uncertain
	// the curve itself is.
	Parts []stat.Isotonic `json:"parts"`
}

const (
	estimatorParts = 10
	minEstimator   = 1000 // rows of the reference
	// EstimateErrors is the half width of a band of estimated performance, in standard errors.
	EstimateErrors = 3
)

// NewEstimator learns from the scores and labels of a reference. It is an Invalid error where they
// are too few.
func NewEstimator(scores []float64, positive []bool) (*Estimator, error) {
	whole, err := stat.NewScored(scores, positive)
	if err != nil {
		return nil, fmt.Errorf("estimate performance: %w", err)
	}
	rarer := min(whole.Positives(), whole.N()-whole.Positives())
	if whole.N() < minEstimator || rarer < estimatorParts*MinClass {
		return nil, tallystick.Errorf(tallystick.Invalid, "a reference of %d labelled rows, %d of the rarer label, is too small to estimate performance from",
			whole.N(), rarer).WithHint("take %d rows at least, with %d of either label", minEstimator, estimatorParts*MinClass)
	}
	e := &Estimator{N: whole.N(), Positives: whole.Positives(), Curve: whole.Isotonic()}
	for part := range estimatorParts {
		var restScores []float64
		var rest []bool
		for i, score := range scores {
			if i%estimatorParts != part {
				restScores, rest = append(restScores, score), append(rest, positive[i])
			}
		}
		without, err := stat.NewScored(restScores, rest)
		if err != nil {
			return nil, fmt.Errorf("estimate performance: %w", err)
		}
		e.Parts = append(e.Parts, without.Isotonic())
	}
	return e, nil
}

// Estimated is what an [Estimator] says of one window.
type Estimated struct {
	N       int64             `json:"n"`
	Outside int64             `json:"outside"` // rows whose score lies beyond those of the reference
	Metrics []EstimatedMetric `json:"metrics"`
}

// EstimatedMetric is one metric, named as in [Performance].
type EstimatedMetric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Standard errors: of labels that are drawn, and of the curve because the reference is finite.
	Drawing float64 `json:"drawing"`
	Curve   float64 `json:"curve"`
	// Band is Value plus and minus EstimateErrors times both: where the realised metric should lie.
	Band stat.Interval `json:"band"`
}

// Estimate estimates the metrics of a window from its scores and decisions, or ROC AUC alone where
// decisions are nil. Metrics that the window does not define are left out. It is an error where a
// score is NaN or lengths differ.
func (e *Estimator) Estimate(scores []float64, predicted []bool) (*Estimated, error) {
	if predicted != nil && len(predicted) != len(scores) {
		return nil, fmt.Errorf("estimate performance: %d scores with %d decisions", len(scores), len(predicted))
	}
	if len(e.Curve.Scores) == 0 || len(e.Parts) < 2 {
		return nil, fmt.Errorf("estimate performance: the estimator has no curve")
	}
	w := estimatedWindow{scores: slices.Clone(scores)}
	order := make([]int, len(scores))
	for i, score := range scores {
		if math.IsNaN(score) {
			return nil, fmt.Errorf("estimate performance: score %d is no number", i)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(scores[i], scores[j]), cmp.Compare(i, j)) })
	lowest, highest := e.Curve.Scores[0], e.Curve.Scores[len(e.Curve.Scores)-1]
	estimated := &Estimated{N: int64(len(scores))}
	for rank, i := range order {
		w.scores[rank] = scores[i]
		if predicted != nil {
			w.predicted = append(w.predicted, predicted[i])
		}
		if scores[i] < lowest || scores[i] > highest {
			estimated.Outside++
		}
	}
	metrics := w.metrics(e.Curve)
	parts := make([][]namedExpected, len(e.Parts))
	for p, curve := range e.Parts {
		parts[p] = w.metrics(curve)
	}
	for i, m := range metrics {
		values := make([]float64, len(parts))
		for p := range parts {
			values[p] = parts[p][i].Value
		}
		// The jackknife: (k-1)/k times the sum of squared deviations.
		spread := stat.MomentsOf(values)
		curve := math.Sqrt(float64(len(values)-1) * spread.Variance())
		half := EstimateErrors * math.Hypot(m.SD, curve)
		if math.IsNaN(m.Value) || math.IsNaN(half) || spread.N < int64(len(values)) {
			continue
		}
		estimated.Metrics = append(estimated.Metrics, EstimatedMetric{
			Name: m.name, Value: m.Value, Drawing: m.SD, Curve: curve,
			Band: stat.Interval{Low: max(0, m.Value-half), High: min(1, m.Value+half)},
		})
	}
	return estimated, nil
}

// estimatedWindow is the rows of a window by ascending score.
type estimatedWindow struct {
	scores    []float64
	predicted []bool // nil without decisions
}

type namedExpected struct {
	name string
	stat.Expected
}

func (w estimatedWindow) metrics(curve stat.Isotonic) []namedExpected {
	probabilities := make([]float64, len(w.scores))
	var c stat.ExpectedConfusion
	for i, score := range w.scores {
		probabilities[i] = curve.At(score)
		if w.predicted != nil {
			c.Count(w.predicted[i], probabilities[i])
		}
	}
	area := namedExpected{"roc_auc", stat.ExpectedROCAUC(w.scores, probabilities)}
	if w.predicted == nil {
		return []namedExpected{area}
	}
	return []namedExpected{
		{"accuracy", c.Accuracy()}, {"precision", c.Precision()}, {"recall", c.Recall()},
		{"f1", c.F1()}, {"fpr", c.FPR()}, area,
	}
}

// Realised holds one estimated metric against the labels of the same window.
type Realised struct {
	EstimatedMetric
	Realised float64 `json:"realised"`
	// Verdict is Pass within the band, else Fail: rows have other labels than their scores had in
	// the reference, and estimates are not to be believed until that is explained.
	Verdict tallystick.Verdict `json:"verdict"`
}

// Check holds the estimate of a window against what its labels showed. Metrics that either lacks
// are left out. It is an error where p is of other rows.
func (e *Estimated) Check(p *Performance) ([]Realised, error) {
	if p.N != e.N {
		return nil, fmt.Errorf("check estimated performance: estimated of %d rows, realised of %d", e.N, p.N)
	}
	var checked []Realised
	for _, m := range e.Metrics {
		realised, ok := p.Metric(m.Name)
		if !ok || !realised.Valid() {
			continue
		}
		r := Realised{EstimatedMetric: m, Realised: realised.Value, Verdict: tallystick.Fail}
		if m.Band.Contains(realised.Value) {
			r.Verdict = tallystick.Pass
		}
		checked = append(checked, r)
	}
	return checked, nil
}
