package stat

import "math"

// normalQuantile returns z such that a standard normal lies within +-z with probability conf.
func normalQuantile(conf float64) float64 { return math.Sqrt2 * math.Erfinv(conf) }

// normalTwoSided returns the two-sided p-value of z. It keeps its relative precision in the far
// tail, where 1-cdf would be zero.
func normalTwoSided(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }
