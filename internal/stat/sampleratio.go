package stat

import "math"

// SampleRatioE returns the e-value against "rows are routed to the versions by these shares", at
// every look: its mean is at most 1 while they are, so reject at alpha where it reaches 1/alpha
// (Lindon and Malek, NeurIPS 2022, arXiv 2011.03567, with a Dirichlet(1/2, ...) mixture). The test
// for one look is [GoodnessOfFit]. Shares are scaled to the sum 1; NaN if one is not positive, a
// count is negative, or lengths differ.
func SampleRatioE(counts []int64, shares []float64) float64 {
	sum := 0.0
	for _, s := range shares {
		if !(s > 0) {
			return math.NaN()
		}
		sum += s
	}
	if len(counts) != len(shares) || len(counts) < 2 {
		return math.NaN()
	}
	log, n := 0.0, 0.0
	for i, count := range counts {
		if count < 0 {
			return math.NaN()
		}
		k := float64(count)
		gamma, _ := math.Lgamma(k + 0.5)
		log += gamma - math.Log(math.Pi)/2 - xlogy(k, shares[i]/sum) // Gamma(1/2) is the root of pi
		n += k
	}
	versions := float64(len(counts)) / 2
	all, _ := math.Lgamma(versions)
	seen, _ := math.Lgamma(versions + n)
	return math.Exp(log + all - seen)
}
