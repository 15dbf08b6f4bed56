package stat

import "math"

// Wasserstein returns the Wasserstein-1 distance of two samples, in their unit: the area between
// their distribution functions, the least mean move that turns one into the other. NaN if one is
// empty.
func Wasserstein(a, b []float64) float64 {
	x, y := sortedFinite(a), sortedFinite(b)
	if len(x) == 0 || len(y) == 0 {
		return math.NaN()
	}
	n, m := float64(len(x)), float64(len(y))
	area, i, j := 0.0, 0, 0
	previous := min(x[0], y[0])
	for i < len(x) || j < len(y) {
		v := math.Inf(1)
		if i < len(x) {
			v = x[i]
		}
		if j < len(y) {
			v = min(v, y[j])
		}
		area += math.Abs(float64(i)/n-float64(j)/m) * (v - previous)
		previous = v
		for i < len(x) && x[i] == v {
			i++
		}
		for j < len(y) && y[j] == v {
			j++
		}
	}
	return area
}
