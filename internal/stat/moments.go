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
	m.AddAll(values)
	return m
}

// momentsBatch is how many values are taken in together, while they are in the nearest cache.
const momentsBatch = 1024

// AddAll takes in many values, as [Moments.Add] does one, a few times as fast.
func (m *Moments) AddAll(values []float64) {
	for len(values) > 0 {
		part := values[:min(momentsBatch, len(values))]
		values = values[len(part):]
		m.Merge(momentsOfBatch(part))
	}
}

// momentsOfBatch adds up the values of a batch, of which there is one at least, and then their
// deviations from the mean. Four sums run side by side, because each addition waits for the one before.
func momentsOfBatch(values []float64) Moments {
	var a, b, c, d float64
	rest := values
	for ; len(rest) >= 4; rest = rest[4:] {
		a += rest[0]
		b += rest[1]
		c += rest[2]
		d += rest[3]
	}
	for _, v := range rest {
		a += v
	}
	sum := (a + b) + (c + d)
	if !isFinite(sum) { // not all values are, or their sum overflows where the mean does not
		return momentsOfFinite(values)
	}
	m := Moments{N: int64(len(values)), Min: values[0], Max: values[0]}
	for _, v := range values {
		if v < m.Min {
			m.Min = v
		}
		if v > m.Max {
			m.Max = v
		}
	}
	if m.Min == m.Max {
		m.Mean = m.Min
		return m
	}
	m.Mean = sum / float64(len(values))
	a, b, c, d = 0, 0, 0, 0
	for rest = values; len(rest) >= 4; rest = rest[4:] {
		a += (rest[0] - m.Mean) * (rest[0] - m.Mean)
		b += (rest[1] - m.Mean) * (rest[1] - m.Mean)
		c += (rest[2] - m.Mean) * (rest[2] - m.Mean)
		d += (rest[3] - m.Mean) * (rest[3] - m.Mean)
	}
	for _, v := range rest {
		a += (v - m.Mean) * (v - m.Mean)
	}
	m.M2 = (a + b) + (c + d)
	return m
}

// momentsOfFinite takes the finite ones of a batch.
func momentsOfFinite(values []float64) Moments {
	var finite [momentsBatch]float64
	n := 0
	for _, v := range values {
		finite[n] = v
		if isFinite(v) {
			n++
		}
	}
	if 0 < n && n < len(values) {
		return momentsOfBatch(finite[:n])
	}
	var m Moments
	for _, v := range finite[:n] {
		m.Add(v)
	}
	return m
}

// Shift returns the moments of the values with d added to each.
func (m Moments) Shift(d float64) Moments {
	if m.N == 0 {
		return m
	}
	return Moments{N: m.N, Mean: m.Mean + d, M2: m.M2, Min: m.Min + d, Max: m.Max + d}
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
