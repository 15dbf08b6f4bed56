package stat

import (
	"math"
	"slices"
)

// TwoSample is the comparison of a window with a reference. A field that an empty window leaves
// open is NaN.
type TwoSample struct {
	N          int64 // finite values of the window
	NReference int64
	Dropped    int64 // NaN and infinite values of the window, which were left out

	KS      float64 // Kolmogorov-Smirnov D
	KSBound float64 // the exact D is at most this much larger; 0 if KS is exact
	P       float64 // of KS, as KolmogorovSmirnov gives it; with a bound, the exact p is not larger
	W1      float64 // Wasserstein-1 distance, in the values' unit
	W1Bound float64 // the exact distance is at most this far off; 0 if W1 is exact
	W1SD    float64 // W1 over the reference's population standard deviation

	// Counts by decile bin of the reference (see Reference.Edges) and how far they are apart. A
	// caller that counts missing values appends a bin to both and calls Diverge again.
	Bins, ReferenceBins []int64
	Deciles             Divergence
}

// Compare compares the finite values of window with the reference; every statistic is exact. A
// window of m values that is small against n distinct ones is sorted, O(m log n). A larger one is
// tallied, and only the values where a tally leaves something open are sorted, O(m + n). Distances
// of values beyond about 1e290 may overflow to +Inf; values after the first 2^32-1 count as dropped.
func (r *Reference) Compare(window []float64) TwoSample {
	if len(window) < len(r.knots.x)/4 {
		return r.compareSorted(sortedFinite(window), int64(len(window)))
	}
	t, overflow := r.Tally(), max(0, len(window)-maxWindow)
	window = window[:len(window)-overflow]
	t.add(window)
	t.dropped += int64(overflow)
	return t.result(window)
}

// finish fills in what follows from the counts: gap is KS times both sizes.
func (r *Reference) finish(c TwoSample, gap int64, bins []int64) TwoSample {
	c.NReference = r.N()
	test := ksTest(gap, c.NReference, c.N)
	c.KS, c.P = test.Statistic, test.P
	c.W1SD = c.W1 / r.SD()
	if c.W1 == 0 {
		c.W1SD = 0 // of a constant reference too
	}
	c.Bins, c.ReferenceBins = bins, slices.Clone(r.counts)
	c.Deciles = Diverge(c.ReferenceBins, c.Bins)
	return c
}

func (r *Reference) nothing(dropped int64) TwoSample {
	nan := math.NaN()
	bins := make([]int64, len(r.counts))
	return TwoSample{NReference: r.N(), Dropped: dropped, KS: nan, P: nan, W1: nan, W1SD: nan,
		Bins: bins, ReferenceBins: slices.Clone(r.counts), Deciles: Diverge(r.counts, bins)}
}

// compareSorted compares a window by walking its own values. Between two of them the window's
// distribution function is constant and F only grows, so the largest difference lies at an end,
// and the sign of the difference changes at most once.
func (r *Reference) compareSorted(window []float64, length int64) TwoSample {
	n, m := r.N(), int64(len(window))
	if m == 0 {
		return r.nothing(length)
	}
	var gap int64
	w1, x := 0.0, r.knots.x
	previous, atPrevious := math.Inf(-1), -1 // the window value before, and the last knot at or below it
	for j := int64(0); j < m; {
		v, below := window[j], j
		for j < m && window[j] == v {
			j++
		}
		k := r.knots.find(x, v)
		lt, le := r.countBefore(k), r.countBefore(k)
		at := k - 1
		if k < len(x) && x[k] == v {
			le, at = int64(r.knots.le[k]), k
		}
		gap = max(gap, abs(lt*m-below*n), abs(le*m-j*n))
		if below == 0 {
			w1 = r.areaUnder(v, at)
		} else {
			w1 += r.distance(span{previous, v, atPrevious, at}, float64(below)/float64(m))
		}
		previous, atPrevious = v, at
	}
	w1 += r.areaOver(previous, atPrevious)
	bins := r.binCounts(m, func(edge float64) int64 {
		i, _ := slices.BinarySearchFunc(window, edge, func(v, edge float64) int {
			if v <= edge {
				return -1
			}
			return 1
		})
		return int64(i)
	})
	return r.finish(TwoSample{N: m, Dropped: length - m, W1: w1}, gap, bins)
}

// countBefore returns the reference values below knot k, or all beyond the last.
func (r *Reference) countBefore(k int) int64 {
	if k == 0 {
		return 0
	}
	return int64(r.knots.le[k-1])
}

// span is the interval [a, b] with the last knots at or below its ends, -1 before the first.
type span struct {
	a, b     float64
	atA, atB int
}

// distance returns the area between F and the constant c over s.
func (r *Reference) distance(s span, c float64) float64 {
	le, level := r.knots.le, c*float64(r.N())
	switch {
	case float64(r.countBefore(s.atA+1)) >= level:
		return r.excess(s, c)
	case float64(r.countBefore(s.atB+1)) <= level:
		return -r.excess(s, c)
	}
	// The first knot after a where F reaches c is where F-c turns from negative to positive.
	turn, _ := slices.BinarySearchFunc(le[s.atA+1:s.atB+1], level, func(le uint32, level float64) int {
		if float64(le) < level {
			return -1
		}
		return 1
	})
	k := s.atA + 1 + turn
	x := r.knots.x[k]
	return r.excess(span{x, s.b, k, s.atB}, c) - r.excess(span{s.a, x, s.atA, k}, c)
}

// excess returns the integral of F-c over s.
func (r *Reference) excess(s span, c float64) float64 {
	switch {
	case s.atB <= r.middle:
		return r.areaUnder(s.b, s.atB) - r.areaUnder(s.a, s.atA) - c*(s.b-s.a)
	case s.atA >= r.middle:
		return (1-c)*(s.b-s.a) - (r.areaOver(s.a, s.atA) - r.areaOver(s.b, s.atB))
	}
	middle := r.knots.x[r.middle]
	return r.excess(span{s.a, middle, s.atA, r.middle}, c) + r.excess(span{middle, s.b, r.middle, s.atB}, c)
}

// areaUnder returns the integral of F up to v, at being the last knot at or below v, -1 before all.
func (r *Reference) areaUnder(v float64, at int) float64 {
	switch x := r.knots.x; {
	case at < 0:
		return 0
	case at <= r.middle:
		return r.area[at] + float64(r.knots.le[at])/float64(r.N())*(v-x[at])
	default:
		middle := x[r.middle]
		return r.area[r.middle] + (v - middle) - (r.areaOver(middle, r.middle) - r.areaOver(v, at))
	}
}

// areaOver returns the integral of 1-F from v on.
func (r *Reference) areaOver(v float64, at int) float64 {
	switch x := r.knots.x; {
	case at == len(x)-1:
		return 0
	case at >= r.middle:
		return r.area[at+1] + float64(r.N()-int64(r.knots.le[at]))/float64(r.N())*(x[at+1]-v)
	default:
		middle := x[r.middle]
		return r.areaOver(middle, r.middle) + (middle - v) - (r.area[r.middle] - r.areaUnder(v, at))
	}
}
