package stat

import (
	"cmp"
	"math"
	"slices"
)

// Spearman returns the rank correlation of pairs, with ties at their mean rank, and its 95 % interval by Fisher's
// transformation with the variance of Bonett and Wright (Psychometrika 65 (2000) 23-28). It is NaN with fewer than four pairs, or
// where one side does not vary. NaN and infinite values must have been left out.
func Spearman(x, y []float64) Estimate {
	n := int64(len(x))
	if n < 4 {
		return noEstimate(n, "spearman")
	}
	a, b := ranks(x), ranks(y)
	mean := float64(n+1) / 2
	var ab, aa, bb float64
	for i := range a {
		da, db := a[i]-mean, b[i]-mean
		ab, aa, bb = ab+da*db, aa+da*da, bb+db*db
	}
	if aa == 0 || bb == 0 {
		return noEstimate(n, "spearman")
	}
	rho := max(-1, min(1, ab/math.Sqrt(aa*bb)))
	half := normalQuantile(Confidence) * math.Sqrt((1+rho*rho/2)/float64(n-3))
	return Estimate{rho, Interval{math.Tanh(math.Atanh(rho) - half), math.Tanh(math.Atanh(rho) + half)}, n, "spearman"}
}

// ranks returns the rank of each value from 1 on, the mean rank of equal ones.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	of := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			of[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return of
}
