package stat

import "math"

// Moments accumulates the count, mean and spread of values in one pass (Welford 1962), and
// merges (Chan, Golub and LeVeque 1979). The zero value is empty.
type Moments struct {
	N        int64
	Mean     float64
	M2       float64 // sum of squared deviations from the mean
	Min, Max float64 // of the values; 0 when empty
}

// MomentsOf returns the moments of the finite values.
func MomentsOf(values []float64) Moments {
	var m Moments
	for _, v := range values {
		m.Add(v)
	}
	return m
}

// Add takes in one value. NaN and infinite values are left out.
func (m *Moments) Add(v float64) {
	if !isFinite(v) {
		return
	}
	if m.N == 0 {
		m.Min, m.Max = v, v
	}
	m.N++
	d := v - m.Mean
	m.Mean += d / float64(m.N)
	m.M2 += d * (v - m.Mean)
	m.Min, m.Max = min(m.Min, v), max(m.Max, v)
}

// Merge takes in the values of other.
func (m *Moments) Merge(other Moments) {
	switch {
	case other.N == 0:
		return
	case m.N == 0:
		*m = other
		return
	}
	n, k := float64(m.N), float64(other.N)
	d := other.Mean - m.Mean
	m.Mean += d * k / (n + k)
	m.M2 += other.M2 + d*d*n*k/(n+k)
	m.N += other.N
	m.Min, m.Max = min(m.Min, other.Min), max(m.Max, other.Max)
}

// Variance returns the population variance (divisor N), NaN when empty.
func (m Moments) Variance() float64 { return m.M2 / float64(m.N) }

// SampleVariance returns the sample variance (divisor N-1), NaN below two values.
func (m Moments) SampleVariance() float64 {
	if m.N < 2 {
		return math.NaN()
	}
	return m.M2 / float64(m.N-1)
}

// SD returns the population standard deviation (divisor N), NaN when empty.
func (m Moments) SD() float64 { return math.Sqrt(m.Variance()) }

func isFinite(v float64) bool { return v-v == 0 }
