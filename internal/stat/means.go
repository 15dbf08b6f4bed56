package stat

import "math"

// Estimate returns the mean with the normal interval of its standard error.
func (m Moments) Estimate() Estimate { return meanEstimate(m, "normal") }

// Without returns the moments of the values of m that are not among those of part, which m has
// taken in: the inverse of Merge. Min and Max stay those of m.
func (m Moments) Without(part Moments) Moments {
	rest := Moments{N: m.N - part.N, Min: m.Min, Max: m.Max}
	if rest.N <= 0 {
		return Moments{}
	}
	n, k := float64(rest.N), float64(part.N)
	rest.Mean = (m.Mean*float64(m.N) - part.Mean*k) / n
	d := part.Mean - rest.Mean
	rest.M2 = max(0, m.M2-part.M2-d*d*n*k/(n+k))
	return rest
}

// MeanDifference returns the difference of the means of two independent samples, with Welch's
// standard error and the normal interval. N is the smaller sample's.
func MeanDifference(a, b Moments) Estimate {
	e := Estimate{a.Mean - b.Mean, noInterval(), min(a.N, b.N), "normal, welch"}
	if e.N < 2 {
		return e
	}
	e.Interval = around(e.Value, welchError(a, b))
	return e
}

// MeanDifferenceP returns the two-sided p-value of "the means are equal", by the normal
// approximation; NaN below two values.
func MeanDifferenceP(a, b Moments) float64 {
	if min(a.N, b.N) < 2 {
		return math.NaN()
	}
	se := welchError(a, b)
	if se == 0 {
		if a.Mean == b.Mean {
			return 1
		}
		return 0
	}
	return normalTwoSided((a.Mean - b.Mean) / se)
}

func welchError(a, b Moments) float64 {
	return math.Sqrt(a.SampleVariance()/float64(a.N) + b.SampleVariance()/float64(b.N))
}
