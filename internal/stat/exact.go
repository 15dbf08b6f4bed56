package stat

import "gonum.org/v1/gonum/mathext"

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
