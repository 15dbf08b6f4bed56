package quality

import "math"

// numberBatch is how many finite numbers are profiled together.
const numberBatch = 1024

func (p *Profiler) addNumbers(values []float64, null []bool) {
	var finite [numberBatch]float64
	for start := 0; start < len(values); start += len(finite) {
		n := 0
		for i, x := range values[start:min(start+len(finite), len(values))] {
			switch {
			case x-x == 0:
				finite[n] = x
				n++
			case x > 0:
				p.addInfinite(1, 0)
			case x < 0:
				p.addInfinite(0, 1)
			case null == nil || !null[start+i]:
				p.nan++
			}
		}
		p.addMoments(finite[:n])
		for _, x := range finite[:n] {
			if x < p.low || x > p.high {
				p.outside++
			}
		}
		p.addFinite(finite[:n])
	}
}

func (p *Profiler) addInfinite(positive, negative int64) {
	p.posInf += positive
	p.negInf += negative
	if !math.IsInf(p.high, 1) {
		p.outside += positive
	}
	if !math.IsInf(p.low, -1) {
		p.outside += negative
	}
}

// addMoments takes in finite values.
func (p *Profiler) addMoments(values []float64) {
	whole := 0
	for _, x := range values {
		// Numbers too large for an int64 are whole, and rare.
		if x == float64(int64(x)) || x >= 1<<53 || x <= -1<<53 {
			whole++
		}
	}
	p.fractions += int64(len(values) - whole)
	p.moments.AddAll(values)
}

// addFinite counts numbers for percentiles and different values.
func (p *Profiler) addFinite(values []float64) {
	for len(values) > 0 && p.many == nil {
		p.addKey(numberKey(values[0]), 1)
		values = values[1:]
	}
	if p.many == nil {
		return
	}
	for _, x := range values {
		p.many.add(numberKey(x))
	}
	for _, x := range values {
		p.cells.add(x, 1)
	}
}
