package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Exact returns the interval of Clopper and Pearson (Biometrika 26 (1934) 404-413), each of whose ends is beyond the rate with at
// most half of 1-conf, whatever the rate and however few the trials: Wilson's is shorter, and far from that in its tails. NaN
// bounds without trials.
func (p Proportion) Exact(conf float64) Interval {
	if p.N <= 0 {
		return noInterval()
	}
	tail, k, n := (1-conf)/2, float64(p.K), float64(p.N)
	interval := Interval{0, 1}
	if p.K > 0 {
		interval.Low = mathext.InvRegIncBeta(k, n-k+1, tail)
	}
	if p.K < p.N {
		interval.High = 1 - mathext.InvRegIncBeta(n-k, k+1, tail)
	}
	return interval
}

// AtLeast returns the chance of k or more successes in n independent trials of chance p each, 1 for k of 0 and fewer.
func AtLeast(k, n int64, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

// UsuallyBelow returns the least of the values that the next of the same kind exceeds with a chance of at most share, whatever their
// distribution, as long as any order of all of them is as likely as any other (Wilks, Annals of Mathematical Statistics 12 (1941)
// 91-96). False: there are too few values, fewer than 1/share - 1. The values are sorted in place.
func UsuallyBelow(values []float64, share float64) (float64, bool) {
	rank := int(math.Ceil((1-share)*float64(len(values)+1) - 1e-9)) // of 0.99 * 100 too
	if rank > len(values) || rank < 1 {
		return 0, false
	}
	slices.Sort(values)
	return values[rank-1], true
}
