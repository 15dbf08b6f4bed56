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

// ascending calls visit for each distinct score from the smallest, with the positives and
// negatives that have it.
func (s *Scored) ascending(visit func(score float64, p, n int)) {
	i, j := 0, 0
	for i < len(s.positive) || j < len(s.negative) {
		score := math.Inf(1)
		if i < len(s.positive) {
			score = s.positive[i]
		}
		if j < len(s.negative) {
			score = min(score, s.negative[j])
		}
		i0, j0 := i, j
		for i < len(s.positive) && s.positive[i] == score {
			i++
		}
		for j < len(s.negative) && s.negative[j] == score {
			j++
		}
		visit(score, i-i0, j-j0)
	}
}

// descending is ascending from the largest score.
func (s *Scored) descending(visit func(score float64, p, n int)) {
	i, j := len(s.positive), len(s.negative)
	for i > 0 || j > 0 {
		score := math.Inf(-1)
		if i > 0 {
			score = s.positive[i-1]
		}
		if j > 0 {
			score = max(score, s.negative[j-1])
		}
		i0, j0 := i, j
		for i > 0 && s.positive[i-1] == score {
			i--
		}
		for j > 0 && s.negative[j-1] == score {
			j--
		}
		visit(score, i0-i, j0-j)
	}
}
