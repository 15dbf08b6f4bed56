package stat

import "math"

// Quantile returns the q-quantile of sorted finite values by linear interpolation between order
// statistics: Hyndman and Fan's type 7, the default of NumPy and R. It is the one quantile rule of
// this package. NaN when empty or when q is outside [0, 1].
func Quantile(sorted []float64, q float64) float64 {
	return quantile(len(sorted), q, func(i int) float64 { return sorted[i] })
}

// quantile applies the rule to n order statistics, at(i) being the i-th from 0.
func quantile(n int, q float64, at func(i int) float64) float64 {
	if n == 0 || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	position := q * float64(n-1)
	i := min(int(position), n-1)
	low := at(i)
	if i == n-1 {
		return low
	}
	t, high := position-float64(i), at(i+1)
	if low == high {
		return low
	}
	// From the nearer end, as NumPy does, so that the result never leaves [low, high].
	if t >= 0.5 {
		return high - (high-low)*(1-t)
	}
	return low + (high-low)*t
}
