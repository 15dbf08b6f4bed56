package stat

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"gonum.org/v1/gonum/mathext"
)

// ScoreHistogram counts scores by label in even cells over a range: ranking metrics of a stream in
// fixed memory, in parts that merge in any order to the same bits.
type ScoreHistogram struct {
	low, high float64
	positive  []int64
	negative  []int64
}

// Bounded is a value that is at most Bound away from the exact one.
type Bounded struct{ Value, Bound float64 }

// NewScoreHistogram returns an empty histogram of the cells over [low, high]. It returns an Invalid
// error unless low < high, both finite, and there are 1 to 2^24 cells.
func NewScoreHistogram(low, high float64, cells int) (*ScoreHistogram, error) {
	if !(low < high) || !isFinite(high-low) || cells < 1 || cells > 1<<24 {
		return nil, tallystick.Errorf(tallystick.Invalid, "score histogram of %d cells over [%v, %v]", cells, low, high).
			WithHint("give a finite range and 1 to %d cells", 1<<24)
	}
	return &ScoreHistogram{low, high, make([]int64, cells), make([]int64, cells)}, nil
}

// CountedScores returns the histogram of scores that were counted elsewhere, by even cells over
// [low, high] from the lowest. It keeps the slices. It returns an Invalid error if the cells are out of
// range, differ in number or hold a negative count.
func CountedScores(low, high float64, positive, negative []int64) (*ScoreHistogram, error) {
	h, err := NewScoreHistogram(low, high, len(positive))
	if err != nil {
		return nil, err
	}
	if len(positive) != len(negative) || slices.ContainsFunc(positive, isNegative) || slices.ContainsFunc(negative, isNegative) {
		return nil, tallystick.Errorf(tallystick.Invalid, "score histogram of %d and %d cells, or negative counts", len(positive), len(negative))
	}
	h.positive, h.negative = positive, negative
	return h, nil
}

func isNegative(n int64) bool { return n < 0 }

// Add takes in one score; one outside the range counts in the cell at that end, where the bounds
// still hold. It returns an Invalid error if the score is NaN.
func (h *ScoreHistogram) Add(score float64, positive bool) error {
	if math.IsNaN(score) {
		return tallystick.Errorf(tallystick.Invalid, "score is NaN").WithHint("leave out rows without a score")
	}
	last := len(h.positive) - 1
	cell := int(max(0, min(float64(last), (score-h.low)/(h.high-h.low)*float64(last+1))))
	if positive {
		h.positive[cell]++
	} else {
		h.negative[cell]++
	}
	return nil
}

// Merge takes in the scores of other, which must have the same cells.
func (h *ScoreHistogram) Merge(other *ScoreHistogram) error {
	if h.low != other.low || h.high != other.high || len(h.positive) != len(other.positive) {
		return tallystick.Errorf(tallystick.Invalid, "merge score histograms: cells differ")
	}
	for i := range h.positive {
		h.positive[i] += other.positive[i]
		h.negative[i] += other.negative[i]
	}
	return nil
}

// Positives returns the number of positive labels.
func (h *ScoreHistogram) Positives() int64 { return total(h.positive) }

// Negatives returns the number of negative labels.
func (h *ScoreHistogram) Negatives() int64 { return total(h.negative) }

// ROCAUC returns the area under the ROC curve with the pairs inside a cell counting one half. Each
// of them may count 0 or 1 in truth, so the bound is half their share of all pairs. NaN where one
// label is absent.
func (h *ScoreHistogram) ROCAUC() Bounded {
	p, n := float64(h.Positives()), float64(h.Negatives())
	var won, tied, below float64
	for i := range h.positive {
		pb, nb := float64(h.positive[i]), float64(h.negative[i])
		won += pb * (below + nb/2)
		tied += pb * nb
		below += nb
	}
	return Bounded{won / (p * n), tied / 2 / (p * n)}
}

// AveragePrecision returns the middle of the values that average precision can have over all orders
// and ties inside the cells, and half their range. NaN without a positive.
//
// After tp positives and fp negatives above a cell of pb and nb, the sum over its positives is least
// if they come one by one after its negatives, sum of (tp+i)/(tp+i+fp+nb), and greatest if they come
// as one tie before them, pb (tp+pb)/(tp+pb+fp).
func (h *ScoreHistogram) AveragePrecision() Bounded {
	var tp, fp, least, greatest float64
	for i := len(h.positive) - 1; i >= 0; i-- {
		pb, nb := float64(h.positive[i]), float64(h.negative[i])
		if pb > 0 {
			before := fp + nb
			least += pb - before*harmonic(tp+before, tp+before+pb)
			greatest += pb * (tp + pb) / (tp + pb + fp)
		}
		tp += pb
		fp += nb
	}
	return Bounded{(least + greatest) / 2 / tp, (greatest - least) / 2 / tp}
}

// harmonic returns 1/(a+1) + ... + 1/b for integers a <= b.
func harmonic(a, b float64) float64 {
	if b-a < 16 {
		sum := 0.0
		for i := a + 1; i <= b; i++ {
			sum += 1 / i
		}
		return sum
	}
	return mathext.Digamma(b+1) - mathext.Digamma(a+1)
}
