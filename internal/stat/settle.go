package stat

import (
	"math"
	"slices"
	"sort"
)

// settled is what the values inside open gaps add.
type settled struct {
	gap int64   // D times both sizes
	w1  float64 // distance within the crossing gaps
}

// settle walks the window's values inside open gaps together with the reference's.
func (t *Tally) settle(open []openGap, in insides) settled {
	var s settled
	x, le := t.r.x, t.r.le
	n, m := t.r.N(), t.n
	unit := 1 / float64(n) / float64(m)
	for _, g := range open {
		cell := &t.cells[g.cell]
		steps := in.of(g.cell)
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

// insides holds the window's values strictly inside some gaps.
type insides struct {
	gaps   []int // the cells before which they lie, ascending
	ends   []int // of the values of each gap
	values []float64
}

// of returns the values inside one of the gaps, ascending.
func (in insides) of(gap int) []float64 {
	i, start := sort.SearchInts(in.gaps, gap), 0
	if i > 0 {
		start = in.ends[i-1]
	}
	return in.values[start:in.ends[i]]
}

// inside looks for the values inside the gaps before those cells, in any order. The gap before the
// sentinel has no end.
func (t *Tally) inside(gaps []int, window []float64) insides {
	slices.Sort(gaps)
	in := insides{gaps: slices.Compact(gaps)}
	if len(gaps) == 0 {
		return in
	}
	cells := t.cells[:len(t.cells)+1]
	isOpen, size := make([]uint8, len(cells)), 0 // 1 for open
	for _, i := range in.gaps {
		isOpen[i] = 1
		size += int(t.below(i))
		in.ends = append(in.ends, size)
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
			if v := part[k]; v < cells[at[k]].x && isFinite(v) {
				values = append(values, v)
			}
		}
	}
	sortFloats(values, nil)
	in.values = values
	return in
}

// quantileGaps returns the gaps in which the values lie that quantiles depend on.
func (t *Tally) quantileGaps(qs []float64) (gaps []int) {
	for _, q := range qs {
		quantile(int(t.n), q, func(rank int) float64 {
			if i, before := t.cellOf(int64(rank)); int64(rank)-before < t.below(i) {
				gaps = append(gaps, i)
			}
			return 0
		})
	}
	return gaps
}

// quantiles needs what is inside quantileGaps.
func (t *Tally) quantiles(qs []float64, in insides) []float64 {
	quantiles := make([]float64, len(qs))
	for k, q := range qs {
		quantiles[k] = quantile(int(t.n), q, func(rank int) float64 {
			i, before := t.cellOf(int64(rank))
			if at := int64(rank) - before; at < t.below(i) {
				return in.of(i)[at]
			}
			return t.cells[i].x
		})
	}
	return quantiles
}

// cellOf returns the cell in which the value of a rank, counted from 0, lies, and how many values lie
// in the cells before it.
func (t *Tally) cellOf(rank int64) (cell int, before int64) {
	for i := range t.cells {
		in := int64(t.cells[i].below) + int64(t.cells[i].at)
		if rank < before+in {
			return i, before
		}
		before += in
	}
	return len(t.cells), before
}

// below returns the number of values in the gap before a cell: before the sentinel, those above all
// knots.
func (t *Tally) below(i int) int64 {
	if i < len(t.cells) {
		return int64(t.cells[i].below)
	}
	_, before := t.cellOf(t.n)
	return t.n - before
}
