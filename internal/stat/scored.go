package stat

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
)

// Scored holds the scores of positive and of negative labels, each sorted once for every metric
// that needs ranks. Higher scores mean "more likely positive". It takes 8 bytes a row, and as much
// again while it is built.
type Scored struct {
	positive, negative []float64 // ascending
}

// NewScored sorts a copy of scores by label. It returns an Invalid error if the lengths differ or
// a score is NaN or infinite.
func NewScored(scores []float64, positive []bool) (*Scored, error) {
	if len(scores) != len(positive) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%d scores have %d labels", len(scores), len(positive))
	}
	p := 0
	for i, s := range scores {
		if !isFinite(s) {
			return nil, tallystick.Errorf(tallystick.Invalid, "score %d is %v", i, s).
				WithHint("leave out rows without a score before ranking")
		}
		if positive[i] {
			p++
		}
	}
	both := make([]float64, len(scores))
	of, other := both[:0:p], both[p:p:len(scores)]
	for i, score := range scores {
		if positive[i] {
			of = append(of, score)
		} else {
			other = append(other, score)
		}
	}
	return SortScored(of, other), nil
}

// SortScored takes over finite scores that are apart by label already, and sorts them in place.
func SortScored(positive, negative []float64) *Scored {
	scratch := make([]float64, max(len(positive), len(negative)))
	sortFloats(positive, scratch)
	sortFloats(negative, scratch)
	return &Scored{positive, negative}
}

// N returns the number of rows.
func (s *Scored) N() int64 { return int64(len(s.positive) + len(s.negative)) }

// Positives returns the number of positive labels.
func (s *Scored) Positives() int64 { return int64(len(s.positive)) }

// Range returns the smallest and the largest score, NaN when empty.
func (s *Scored) Range() Interval {
	r := noInterval()
	for _, scores := range [][]float64{s.positive, s.negative} {
		if len(scores) == 0 {
			continue
		}
		if math.IsNaN(r.Low) {
			r = Interval{scores[0], scores[len(scores)-1]}
			continue
		}
		r = Interval{min(r.Low, scores[0]), max(r.High, scores[len(scores)-1])}
	}
	return r
}

// labels returns how many labels of each kind there are.
func (s *Scored) labels() (positive, negative int) { return len(s.positive), len(s.negative) }

// Probabilities reports whether every score lies in [0, 1], so that losses and calibration mean
// something.
func (s *Scored) Probabilities() bool {
	r := s.Range()
	return r.Low >= 0 && r.High <= 1
}

// At returns the confusion of "positive if the score is at least threshold".
func (s *Scored) At(threshold float64) Confusion {
	below := func(sorted []float64) int64 {
		i, _ := slices.BinarySearch(sorted, threshold)
		return int64(i)
	}
	fn, tn := below(s.positive), below(s.negative)
	return Confusion{TP: int64(len(s.positive)) - fn, FP: int64(len(s.negative)) - tn, TN: tn, FN: fn}
}

// thresholds returns one for each row.
func (s *Scored) thresholds() (n int, at func(rank int) threshold) {
	n = int(s.N())
	return n, func(rank int) threshold {
		score := s.orderStatistic(n - 1 - rank)
		c := s.At(score)
		return threshold{score, float64(c.TP), float64(c.FP)}
	}
}

// separate reports whether one threshold tells the labels apart, or one of them is absent.
func (s *Scored) separate() bool {
	p, n := s.positive, s.negative
	return len(p) == 0 || len(n) == 0 || p[0] > n[len(n)-1] || n[0] > p[len(p)-1]
}

// ascending calls visit for each distinct score from the smallest, with the positives and
// negatives that have it.
func (s *Scored) ascending(visit func(score float64, p, n int)) {
	p, n := s.positive, s.negative
	i, j := 0, 0
	for i < len(p) && j < len(n) {
		score := min(p[i], n[j])
		i0, j0 := i, j
		// Which label comes next is hard to foretell, so the first step does not branch on it.
		stepP, stepN := 0, 0
		if p[i] <= n[j] {
			stepP = 1
		}
		if n[j] <= p[i] {
			stepN = 1
		}
		i, j = i+stepP, j+stepN
		for i < len(p) && p[i] == score {
			i++
		}
		for j < len(n) && n[j] == score {
			j++
		}
		visit(score, i-i0, j-j0)
	}
	for i0 := i; i < len(p); i0 = i {
		for i++; i < len(p) && p[i] == p[i0]; {
			i++
		}
		visit(p[i0], i-i0, 0)
	}
	for j0 := j; j < len(n); j0 = j {
		for j++; j < len(n) && n[j] == n[j0]; {
			j++
		}
		visit(n[j0], 0, j-j0)
	}
}
