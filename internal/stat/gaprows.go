package stat

import "math"

// GapRows returns how many rows of both streams together a [GapProcess] needs, as a rule, to show at alpha that
// first-second is above margin, if the rates stay as given and the share of rows goes to the first: the logarithm of what
// its capital has to reach, spread over its bets, over the growth of the best bet (Grünwald, de Heide and Koolen, JRSS B 86
// (2024) 1091-1128). It is infinite where the difference is not above the margin.
func GapRows(first, second, share, margin, alpha float64) float64 {
	if !(first-second > margin) || !(share > 0 && share < 1) {
		return math.Inf(1)
	}
	// The nearest pair of rates that the claim allows.
	nearest := leastRate(mixture{n: share, sum: share * first}, mixture{n: 1 - share, sum: (1 - share) * second}, margin)
	growth := share*divergence(first, nearest) + (1-share)*divergence(second, nearest-margin)
	return (math.Log(gapBets) - math.Log(alpha)) / growth
}

// divergence is that of Kullback and Leibler of two chances of success, in nats.
func divergence(p, q float64) float64 {
	q = max(1e-12, min(1-1e-12, q))
	return xlogy(p, p/q) + xlogy(1-p, (1-p)/(1-q))
}

// Rows returns how many pairs [Pairs.E] needs, as a rule, to show at alpha that the first's rate minus the second's is
// above margin, if the four shares stay as they are. It is infinite where no bet gains.
func (p Pairs) Rows(margin, alpha float64) float64 {
	bound, n := (margin+1)/2, float64(p.N())
	if bound <= 0 || n == 0 {
		return math.Inf(1)
	}
	best, share := 0.0, 0.9
	for range pairBets {
		best = max(best, p.bet(share, bound)/n)
		share /= 2
	}
	if best == 0 {
		return math.Inf(1)
	}
	return (math.Log(pairBets) - math.Log(alpha)) / best
}
