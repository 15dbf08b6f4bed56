package stat

import (
	"fmt"
	"math"
	"slices"
)

// Bins cuts [0, 1] into bins that are open on the left and closed on the right; the first has both
// ends. The value of a calibration error depends on its bins, so they carry a name.
type Bins struct {
	Name  string
	edges []float64 // ascending and distinct, without 0 and 1
}

// find returns the bin of a score: the first whose edge is not below it. Edges are few.
func (b *Bins) find(score float64) int {
	i := 0
	for _, edge := range b.edges {
		if edge < score {
			i++
		}
	}
	return i
}

// EqualWidthBins returns k bins of width 1/k.
func EqualWidthBins(k int) Bins {
	b := Bins{Name: fmt.Sprintf("%d bins of equal width", k)}
	for i := 1; i < k; i++ {
		b.edges = append(b.edges, float64(i)/float64(k))
	}
	return b
}

// EqualMassBins returns bins between the k-quantiles of the scores. Scores that are equal stay
// together, so there may be fewer than k bins.
func (s *Scored) EqualMassBins(k int) Bins {
	b := Bins{Name: fmt.Sprintf("%d bins of equal mass", k)}
	for i := 1; i < k; i++ {
		if q := quantile(int(s.N()), float64(i)/float64(k), s.orderStatistic); !math.IsNaN(q) {
			b.edges = append(b.edges, q)
		}
	}
	b.edges = slices.Compact(b.edges)
	return b
}

// orderStatistic returns the i-th smallest score, from 0.
func (s *Scored) orderStatistic(i int) float64 {
	p, n := s.positive, s.negative
	// Find how many positives come before it: the least a with negative[i-a-1] <= positive[a].
	low, high := max(0, i-len(n)), min(i, len(p))
	for low < high {
		a := (low + high) / 2
		if n[i-a-1] <= p[a] {
			high = a
		} else {
			low = a + 1
		}
	}
	score := math.Inf(1)
	if low < len(p) {
		score = p[low]
	}
	if i-low < len(n) {
		score = min(score, n[i-low])
	}
	return score
}

// Reliability accumulates predicted probabilities and labels in bins.
type Reliability struct {
	bins Bins
	cell []reliabilityCell
	n    int64
}

type reliabilityCell struct {
	positives int64
	score     Moments
	gap       Moments // score minus label
}

// NewReliability returns an empty table.
func NewReliability(bins Bins) *Reliability {
	return &Reliability{bins: bins, cell: make([]reliabilityCell, len(bins.edges)+1)}
}

// Reliability returns the table of the scores, which must be probabilities.
func (s *Scored) Reliability(bins Bins) *Reliability {
	r := NewReliability(bins)
	r.addSorted(s.positive, true)
	r.addSorted(s.negative, false)
	return r
}

// addSorted takes in ascending scores of one label, whose bins lie one after the other.
func (r *Reliability) addSorted(scores []float64, positive bool) {
	r.n += int64(len(scores))
	for i := range r.cell {
		in := len(scores)
		if i < len(r.bins.edges) {
			edge := r.bins.edges[i]
			in, _ = slices.BinarySearchFunc(scores, edge, func(score, edge float64) int {
				if score <= edge {
					return -1
				}
				return 1
			})
		}
		c, m := &r.cell[i], MomentsOf(scores[:in])
		scores = scores[in:]
		c.score.Merge(m)
		if positive {
			c.positives += m.N
			m = m.Shift(-1)
		}
		c.gap.Merge(m)
	}
}

// Add takes in one prediction. A score outside [0, 1] counts in the outermost bin.
func (r *Reliability) Add(score float64, positive bool) {
	i := r.bins.find(score)
	c, label := &r.cell[i], 0.0
	if positive {
		c.positives++
		label = 1
	}
	c.score.Add(score)
	c.gap.Add(score - label)
	r.n++
}

// Merge takes in the predictions of other, which must have the same bins.
func (r *Reliability) Merge(other *Reliability) error {
	if !slices.Equal(r.bins.edges, other.bins.edges) {
		return fmt.Errorf("merge reliability: %s and %s differ", r.bins.Name, other.bins.Name)
	}
	for i := range r.cell {
		c, o := &r.cell[i], &other.cell[i]
		c.positives += o.positives
		c.score.Merge(o.score)
		c.gap.Merge(o.gap)
	}
	r.n += other.n
	return nil
}

// ReliabilityRow is one bin: scores in (Low, High].
type ReliabilityRow struct {
	Low, High float64
	N         int64
	MeanScore float64 // NaN when empty
	Observed  Estimate
}

// Rows returns one row for each bin, empty ones too.
func (r *Reliability) Rows() []ReliabilityRow {
	rows := make([]ReliabilityRow, len(r.cell))
	for i, c := range r.cell {
		row := ReliabilityRow{0, 1, c.score.N, c.score.Mean, Proportion{c.positives, c.score.N}.Estimate()}
		if i > 0 {
			row.Low = r.bins.edges[i-1]
		}
		if i < len(r.bins.edges) {
			row.High = r.bins.edges[i]
		}
		if row.N == 0 {
			row.MeanScore = math.NaN()
		}
		rows[i] = row
	}
	return rows
}

// ECE returns the expected calibration error: the mean over rows of the gap |mean score - observed
// rate| of their bin (Naeini, Cooper and Hauskrecht, AAAI 2015). Method names bins and interval.
//
// A mean of absolute gaps lies above the truth, which a percentile bootstrap would double. But by the
// triangle inequality it is never further from the truth than the ECE of the bins' errors alone, so
// the interval is the estimate plus and minus the quantile of that, over 2,000 normal draws of the
// errors from [Seed]. Its coverage is at least nominal.
func (r *Reliability) ECE() Estimate {
	return r.error(func(gaps, weights []float64) float64 {
		sum := 0.0
		for i, gap := range gaps {
			sum += weights[i] * math.Abs(gap)
		}
		return sum
	})
}

// MCE returns the largest gap of a bin, with an interval made as that of ECE.
func (r *Reliability) MCE() Estimate {
	return r.error(func(gaps, _ []float64) float64 {
		largest := 0.0
		for _, gap := range gaps {
			largest = max(largest, math.Abs(gap))
		}
		return largest
	})
}

func (r *Reliability) error(statistic func(gaps, weights []float64) float64) Estimate {
	method := r.bins.Name + ", noise of bins"
	if r.n == 0 {
		return noEstimate(0, method)
	}
	var gaps, weights, errors []float64
	for _, c := range r.cell {
		if c.gap.N == 0 {
			continue
		}
		gaps = append(gaps, c.gap.Mean)
		weights = append(weights, float64(c.gap.N)/float64(r.n))
		errors = append(errors, c.gapError())
	}
	value := statistic(gaps, weights)
	rng, drawn, draws := newRand(Seed), make([]float64, len(gaps)), make([]float64, 2000)
	for d := range draws {
		for i, se := range errors {
			drawn[i] = se * rng.NormFloat64()
		}
		draws[d] = statistic(drawn, weights)
	}
	slices.Sort(draws)
	noise := Quantile(draws, Confidence)
	return Estimate{value, Interval{value - noise, value + noise}.clip(0, 1), r.n, method}
}

// gapError returns the standard error of the cell's mean gap. A cell whose labels are all alike
// shows no variance; it gets that of a rate with one success and one failure more.
func (c *reliabilityCell) gapError() float64 {
	n := float64(c.gap.N)
	if c.positives == 0 || c.positives == c.gap.N {
		rate := (float64(c.positives) + 1) / (n + 2)
		return math.Sqrt(rate * (1 - rate) / n)
	}
	return math.Sqrt(c.gap.SampleVariance() / n)
}
