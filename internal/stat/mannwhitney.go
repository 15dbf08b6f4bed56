package stat

import "math"

// exactOrders bounds n x m of the samples without ties whose Mann-Whitney p-value is exact.
const exactOrders = 1000

// MannWhitney compares two samples by U: the pairs in which the value of a is larger, ties
// counting one half. P is exact while n x m is at most 1,000 and no values are tied, else that of
// a normal with correction for ties and continuity. Constant samples have p 1.
func MannWhitney(a, b []float64) Test {
	x, y := sortedFinite(a), sortedFinite(b)
	if len(x) == 0 || len(y) == 0 {
		return Test{math.NaN(), math.NaN(), "none"}
	}
	n, m := float64(len(x)), float64(len(y))
	var u, ties float64
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		v := math.Inf(1)
		if i < len(x) {
			v = x[i]
		}
		if j < len(y) {
			v = min(v, y[j])
		}
		i0, j0 := i, j
		for i < len(x) && x[i] == v {
			i++
		}
		for j < len(y) && y[j] == v {
			j++
		}
		tx, ty := float64(i-i0), float64(j-j0)
		u += tx * (float64(j0) + ty/2)
		t := tx + ty
		ties += t*t*t - t
	}
	if ties == 0 && len(x)*len(y) <= exactOrders {
		return Test{u, mannWhitneyExact(int(u), len(x), len(y)), "exact"}
	}
	total := n + m
	sd := math.Sqrt(n * m / 12 * (total + 1 - ties/(total*(total-1))))
	if !(sd > 0) {
		return Test{u, 1, "asymptotic"}
	}
	z := max(0, math.Abs(u-n*m/2)-0.5) / sd
	return Test{u, normalTwoSided(z), "asymptotic"}
}

// mannWhitneyExact returns the two-sided p-value of U over all orders of n + m distinct values.
func mannWhitneyExact(u, n, m int) float64 {
	tail := 0.0
	for _, share := range mannWhitneyShares(n, m)[max(u, n*m-u):] {
		tail += share
	}
	return min(1, 2*tail)
}

// mannWhitneyShares returns the probability of each U over all orders of n + m distinct values
// (Mann and Whitney 1947): the last value is of the first sample, and adds j, or of the second.
func mannWhitneyShares(n, m int) []float64 {
	// share[j][w] is the probability of U = w for i and j values.
	share := make([][]float64, m+1)
	for j := range share {
		share[j] = make([]float64, n*m+1)
		share[j][0] = 1
	}
	for i := 1; i <= n; i++ {
		for j := 1; j <= m; j++ {
			first := float64(i) / float64(i+j)
			for w := i * j; w >= 0; w-- {
				p := (1 - first) * share[j-1][w]
				if w >= j {
					p += first * share[j][w-j]
				}
				share[j][w] = p
			}
		}
	}
	return share[m]
}
