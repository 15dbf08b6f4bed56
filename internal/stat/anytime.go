package stat

import "math"

// Anytime returns an interval of the proportion that holds at every look at once: the chance that
// it ever fails to cover, over an endless stream with one rate, is at most 1-conf, while an
// ordinary interval fails sooner or later. It holds what a mixture of all rates by
// Jeffreys' prior does not exceed by 1/(1-conf) in likelihood (Ville 1939; Robbins, Annals of
// Mathematical Statistics 41 (1970) 1397-1409). It is [0, 1] without trials.
func (p Proportion) Anytime(conf float64) Interval {
	return AnytimeMean(p.N, float64(p.K), conf)
}

// AnytimeMean is [Proportion.Anytime] of the mean of n values in [0, 1] with the given sum. It
// holds for them too, because among all such values with one mean those of 0 and 1 vary most.
func AnytimeMean(n int64, sum, conf float64) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	m := newMixture(float64(n), sum)
	limit := -math.Log1p(-conf)
	return bracket(m.mean(), Interval{0, 1}, func(rate float64) bool { return m.logE(rate) < limit })
}

// AnytimeDifference returns an interval of the difference p-q of two independent streams that
// holds at every look at once, whatever decides which stream a row goes to. It holds the
// differences for which some pair of rates is not exceeded by the mixture of both.
func AnytimeDifference(p, q Proportion, conf float64) Interval {
	a, b := newMixture(float64(p.N), float64(p.K)), newMixture(float64(q.N), float64(q.K))
	limit := -math.Log1p(-conf)
	return bracket(a.mean()-b.mean(), Interval{-1, 1}, func(d float64) bool { return leastLogE(a, b, d) < limit })
}

// DifferenceE returns the e-value against "p-q is at most margin" of two independent streams. Its
// mean is at most 1 while that holds, at every look: reject at alpha where it reaches 1/alpha.
func DifferenceE(p, q Proportion, margin float64) float64 {
	a, b := newMixture(float64(p.N), float64(p.K)), newMixture(float64(q.N), float64(q.K))
	return math.Exp(leastLogE(a, b, min(margin, a.mean()-b.mean())))
}

// mixture is a stream of n values in [0, 1] with their sum.
type mixture struct {
	n, sum   float64
	evidence float64 // log of the likelihood averaged over Beta(1/2, 1/2)
}

func newMixture(n, sum float64) mixture {
	return mixture{n, sum, logBeta(sum+0.5, n-sum+0.5) - math.Log(math.Pi)}
}

// mean is one half without values: the difference of two empty streams is then 0.
func (m mixture) mean() float64 {
	if m.n == 0 {
		return 0.5
	}
	return m.sum / m.n
}

// logE returns the log of the e-value against the given rate.
func (m mixture) logE(rate float64) float64 {
	return m.evidence - xlogy(m.sum, rate) - xlogy(m.n-m.sum, 1-rate)
}

// slope is the derivative of logE, which increases with the rate.
func (m mixture) slope(rate float64) float64 {
	slope := 0.0
	if m.sum < m.n {
		slope += (m.n - m.sum) / (1 - rate)
	}
	if m.sum > 0 {
		slope -= m.sum / rate
	}
	return slope
}

// leastLogE returns the least log e-value against rates r and r-d, both within [0, 1].
func leastLogE(a, b mixture, d float64) float64 {
	r := leastRate(a, b, d)
	// Rounding may carry r-d past the end that r was not bounded by.
	return a.logE(r) + b.logE(max(0, min(1, r-d)))
}

// leastRate returns the rate r at which r and r-d are likeliest: the log likelihoods together are
// convex, so their slope is bisected.
func leastRate(a, b mixture, d float64) float64 {
	low, high := max(0, d), min(1, 1+d)
	for range 60 {
		r := low + (high-low)/2
		if a.slope(r)+b.slope(r-d) < 0 {
			low = r
		} else {
			high = r
		}
	}
	return low + (high-low)/2
}

// bracket returns the interval around start in which inside holds, within outer, by bisection on
// either side.
func bracket(start float64, outer Interval, inside func(x float64) bool) Interval {
	edge := func(far float64) float64 {
		if inside(far) {
			return far
		}
		near := start
		for range 60 {
			middle := near + (far-near)/2
			if inside(middle) {
				near = middle
			} else {
				far = middle
			}
		}
		return far
	}
	return Interval{edge(outer.Low), edge(outer.High)}
}

func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
