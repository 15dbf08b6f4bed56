package stat

import "math"

// settled is what the values inside open gaps add.
type settled struct {
	gap int64   // D times both sizes
	w1  float64 // distance within the crossing gaps
}

// settle sorts the window's values inside open gaps and walks them together with the reference's.
func (t *Tally) settle(open []openGap, window []float64) settled {
	var s settled
	values, x, le := t.inside(open, window), t.r.x, t.r.le
	n, m := t.r.N(), t.n
	unit := 1 / float64(n) / float64(m)
	for _, g := range open {
		cell := &t.cells[g.cell]
		steps := values[:cell.below]
		values = values[len(steps):]
		cur, ref, at := g.before, g.ref, math.Inf(-1)
		k, end := 0, int(t.knots.at[g.cell]) // reference values inside the gap
		if g.cell > 0 {
			at = t.cells[g.cell-1].x
			if k = int(t.knots.at[g.cell-1]); x[k] == at {
				k++
			}
		}
		apart, w1 := abs(cur*n-ref*m), 0.0
		for len(steps) > 0 || k < end {
			next := cell.x
			if len(steps) > 0 {
				next = steps[0]
			}
			if k < end {
				next = min(next, x[k])
			}
			w1 += float64(apart) * unit * (next - at)
			at = next
			for len(steps) > 0 && steps[0] == next {
				cur++
				steps = steps[1:]
			}
			if k < end && x[k] == next {
				ref = int64(le[k])
				k++
			}
			apart = abs(cur*n - ref*m)
			s.gap = max(s.gap, apart)
		}
		if g.crossing {
			s.w1 += w1 + float64(apart)*unit*(cell.x-at)
		}
	}
	return s
}

// inside returns the window's values strictly inside open gaps, sorted.
func (t *Tally) inside(open []openGap, window []float64) []float64 {
	if len(open) == 0 {
		return nil
	}
	isOpen, size := make([]uint8, len(t.cells)+1), 0 // 1 for open, of the sentinel 0
	for _, o := range open {
		isOpen[o.cell] = 1
		size += int(t.cells[o.cell].below)
	}
	values := make([]float64, 0, size)
	places := t.places
	if len(places) != len(window) { // the tally kept none
		places = nil
	}
	var at [batch]uint32
	var hits [batch]uint8
	for len(window) > 0 {
		part := window[:min(batch, len(window))]
		window = window[len(part):]
		if places != nil {
			for k, i := range places[:len(part)] {
				at[k] = uint32(i)
			}
			places = places[len(part):]
		} else {
			t.place(part, &at)
		}
		n := 0
		for k, i := range at[:len(part)] {
			hits[n&(batch-1)] = uint8(k)
			n += int(isOpen[i])
		}
		for _, k := range hits[:n] {
			if v := part[k]; v < t.cells[at[k]].x && isFinite(v) {
				values = append(values, v)
			}
		}
	}
	sortFloats(values, nil)
	return values
}
