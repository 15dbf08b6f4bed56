package stat

import (
	"math"
	"sort"
)

// AveragePrecision returns the mean over positives of the precision at their score: the stepwise
// sum of (recall increase) x precision, tied scores being one step, as scikit-learn has it. The
// interval is the logit one with tau = (P AP (1-AP))^-1/2 for P positives (Boyd, Eng and Page,
// ECML PKDD 2013). N is the number of positives. It is NaN without a positive.
func (s *Scored) AveragePrecision() Estimate { return areaOf(s).averagePrecision() }

// logitInterval returns the interval of a probability on the logit scale with n effective trials;
// none at 0 and 1, where the logit is infinite.
func logitInterval(value, n float64) Interval {
	if !(value > 0 && value < 1) {
		return noInterval()
	}
	centre := math.Log(value / (1 - value))
	i := around(centre, 1/math.Sqrt(n*value*(1-value)))
	expit := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	return Interval{expit(i.Low), expit(i.High)}
}

// Point is one point of a curve, reached by predicting "positive" from Threshold upwards.
type Point struct {
	X         float64 `json:"x"`
	Y         float64 `json:"y"`
	Threshold Number  `json:"threshold"` // null at the first point, which predicts no positive
}

// curvePoints bounds the points of a curve.
const curvePoints = 200

// ROC returns at most 200 points of the ROC curve (X false positive rate, Y true positive rate)
// from (0, 0) to (1, 1); none where one label is absent. A point is left out only if it is less
// than 1/99 from the last in X+Y.
func (s *Scored) ROC() []Point { return rocOf(s) }

func rocOf(s thresholds) []Point {
	positive, negative := s.labels()
	p, n := float64(positive), float64(negative)
	if p == 0 || n == 0 {
		return nil
	}
	return curveOf(s, Point{0, 0, Number(math.NaN())}, travel{1 / (2 * p), 1 / (2 * n)}, func(tp, fp float64) (x, y float64) {
		return fp / n, tp / p
	})
}

// PrecisionRecall returns at most 200 points of the precision-recall curve (X recall, Y
// precision); none without a positive. It starts at recall 0 with the precision of the first step.
func (s *Scored) PrecisionRecall() []Point { return precisionRecallOf(s) }

func precisionRecallOf(s thresholds) []Point {
	positive, _ := s.labels()
	p := float64(positive)
	if p == 0 {
		return nil
	}
	points := curveOf(s, Point{0, 1, Number(math.NaN())}, travel{1 / p, 0}, func(tp, fp float64) (x, y float64) {
		return tp / p, tp / (tp + fp)
	})
	points[0].Y = points[1].Y
	return points
}

// travel is the share of a curve that each positive, and each negative, moves along it.
type travel struct{ positive, negative float64 }

// thresholds are scores from which upwards "positive" can be predicted.
type thresholds interface {
	labels() (positive, negative int)
	// thresholds returns how many there are, at least one where there is a label, and that of each
	// rank from the highest down. Ranks may share a threshold.
	thresholds() (n int, at func(rank int) threshold)
}

// threshold is a score with the labels of each kind at or above it.
type threshold struct {
	score  float64
	tp, fp float64
}

// curveOf keeps the first point, from the highest threshold down, of each of curvePoints-2 equal
// stretches of the length travelled, and the last point. It looks at few thresholds, because the
// length never falls.
func curveOf(s thresholds, first Point, by travel, at func(tp, fp float64) (x, y float64)) []Point {
	n, of := s.thresholds()
	stretch := func(t threshold) int { return int((t.tp*by.positive + t.fp*by.negative) * (curvePoints - 2)) }
	point := func(t threshold) Point {
		x, y := at(t.tp, t.fp)
		return Point{x, y, Number(t.score)}
	}
	points := []Point{first}
	rank := 0
	for next := 0; next < curvePoints-2; { // the stretch whose first point comes next
		rank += sort.Search(n-rank, func(i int) bool { return stretch(of(rank+i)) >= next })
		if rank == n {
			break
		}
		t := of(rank)
		points = append(points, point(t))
		next = stretch(t) + 1
	}
	if last := point(of(n - 1)); points[len(points)-1] != last {
		points = append(points, last)
	}
	return points
}
