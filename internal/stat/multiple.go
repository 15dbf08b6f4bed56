package stat

import (
	"cmp"
	"math"
	"slices"
)

// BenjaminiHochberg returns p-values adjusted for the false discovery rate (JRSS B 57 (1995)
// 289-300), in the order of p. NaN stays NaN and does not count as a test.
func BenjaminiHochberg(p []float64) []float64 {
	return adjust(p, func(order []int, adjusted []float64) {
		m, least := float64(len(order)), 1.0
		for rank, i := range slices.Backward(order) {
			least = min(least, p[i]*m/float64(rank+1))
			adjusted[i] = least
		}
	})
}

// Holm returns p-values adjusted for the family-wise error, step down (Scandinavian Journal of
// Statistics 6 (1979) 65-70), in the order of p. NaN stays NaN and does not count as a test.
func Holm(p []float64) []float64 {
	return adjust(p, func(order []int, adjusted []float64) {
		largest := 0.0
		for rank, i := range order {
			largest = max(largest, min(1, p[i]*float64(len(order)-rank)))
			adjusted[i] = largest
		}
	})
}

// Bonferroni returns p-values times their number, at most 1. NaN stays NaN and does not count as
// a test.
func Bonferroni(p []float64) []float64 {
	return adjust(p, func(order []int, adjusted []float64) {
		for _, i := range order {
			adjusted[i] = min(1, p[i]*float64(len(order)))
		}
	})
}

// adjust calls fill with the places of the p-values that are not NaN, smallest first.
func adjust(p []float64, fill func(order []int, adjusted []float64)) []float64 {
	adjusted := slices.Repeat([]float64{math.NaN()}, len(p))
	order := make([]int, 0, len(p))
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	fill(order, adjusted)
	return adjusted
}
