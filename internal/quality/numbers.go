package quality

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// numberBatch is how many numbers are profiled together, in the nearest cache.
const numberBatch = 1024

func (p *Profiler) addNumbers(values []float64, null []bool) {
	var finite [numberBatch]float64
	for start := 0; start < len(values); start += numberBatch {
		part := values[start:min(start+numberBatch, len(values))]
		m := stat.MomentsOf(part)
		if m.N < int64(len(part)) {
			n := 0
			for i, x := range part {
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
			part = finite[:n]
		}
		p.addMoments(m, part)
		p.addFinite(part)
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

// addMoments takes in finite values, whose moments are m.
func (p *Profiler) addMoments(m stat.Moments, values []float64) {
	p.moments.Merge(m)
	if m.N > 0 && (m.Min < p.low || m.Max > p.high) {
		for _, x := range values {
			if x < p.low || x > p.high {
				p.outside++
			}
		}
	}
	// How many fractions there are is of interest only where the reference has none.
	if r := p.cfg.Reference; p.fractions > 0 && (r == nil || r.fractions > 0) {
		return
	}
	for _, x := range values {
		if x != math.Trunc(x) {
			p.fractions++
		}
	}
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
	if p.cells == nil {
		return
	}
	for _, x := range values {
		p.cells.add(x, 1)
	}
}
