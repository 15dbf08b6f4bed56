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

// quickWindow is the length of window up to which few knots cost less in all.
const quickWindow = 8 * quickKnots

// Compare compares the finite values of window with the reference; every statistic is exact. It
// takes O(m) for m values: they are counted between knots, and only the few that lie where counts
// leave something open are sorted. Distances of values beyond about 1e290 may overflow to +Inf;
// values after the first 2^32-1 count as dropped.
func (r *Reference) Compare(window []float64) TwoSample {
	t, overflow := r.TallyToSettle(make([]uint16, 0, len(window))), max(0, len(window)-maxWindow)
	window = window[:len(window)-overflow]
	t.add(window)
	t.dropped += int64(overflow)
	c, _ := t.Settle(window)
	return c
}

// finish fills in what follows from the counts: gap is D times both sizes.
func (r *Reference) finish(c TwoSample, gap int64) TwoSample {
	c.NReference, c.ReferenceBins = r.N(), slices.Clone(r.counts)
	c.Deciles = Diverge(c.ReferenceBins, c.Bins)
	if c.N == 0 {
		nan := math.NaN()
		c.KS, c.P, c.W1, c.W1SD, c.KSBound, c.W1Bound = nan, nan, nan, nan, 0, 0
		return c
	}
	test := ksTest(gap, c.NReference, c.N)
	c.KS, c.P = test.Statistic, test.P
	c.W1SD = c.W1 / r.SD()
	if c.W1 == 0 {
		c.W1SD = 0 // of a constant reference too
	}
	return c
}
