package stat

import (
	"math"

	"github.com/tallystick/tallystick"
)

// Tally compares a stream of values with a reference in fixed memory, in parts that merge. KS and W1
// come with bounds, which are 0 for KS while the reference has at most 65,536 distinct values; decile
// bins are exact always. It is for one goroutine.
type Tally struct {
	r       *Reference
	knots   *knots
	cells   []tallyCell // one for each knot and the gap before it
	above   int64       // values above the last knot
	excess  float64     // the sum of how far above
	n       int64
	dropped int64
}

// tallyCell keeps what one value touches on one line of the cache.
type tallyCell struct {
	x         float64 // the knot
	rest      float64 // sum of x - v over the values of the gap
	below, at uint32  // values in the gap, and at the knot
}

// Tally returns an empty tally.
func (r *Reference) Tally() *Tally { return newTally(r, r.coarse) }

func newTally(r *Reference, k *knots) *Tally {
	t := &Tally{r: r, knots: k, cells: make([]tallyCell, len(k.x))}
	for i, x := range k.x {
		t.cells[i].x = x
	}
	return t
}

// Add takes in values; NaN and infinite ones are counted as dropped. It returns an Invalid error,
// and takes in nothing, once there would be more than 2^32-1.
func (t *Tally) Add(values []float64) error {
	if t.n+int64(len(values)) > maxWindow {
		return tallystick.Errorf(tallystick.Invalid, "tally of %d values has no room for %d more", t.n, len(values)).
			WithHint("compare shorter windows")
	}
	t.add(values)
	return nil
}

// Merge takes in the values of other, a tally of the same reference.
func (t *Tally) Merge(other *Tally) error {
	if t.r != other.r {
		return tallystick.Errorf(tallystick.Invalid, "merge tallies: their references differ")
	}
	if t.n+other.n > maxWindow {
		return tallystick.Errorf(tallystick.Invalid, "merge tallies: more than %d values", uint32(maxWindow))
	}
	for i := range t.cells {
		c, o := &t.cells[i], &other.cells[i]
		c.rest += o.rest
		c.below += o.below
		c.at += o.at
	}
	t.above += other.above
	t.excess += other.excess
	t.n += other.n
	t.dropped += other.dropped
	return nil
}

// add is grid.find over the cells, written out: it is the inner loop of every large comparison.
func (t *Tally) add(values []float64) {
	g, cells := &t.knots.grid, t.cells
	low, scale, limit, start := g.low, g.scale, g.cells, g.start
	for _, v := range values {
		position := (v - low) * scale
		c := int(position)
		if !(position >= 0 && position < limit) {
			if !isFinite(v) {
				t.dropped++
				continue
			}
			c = g.cell(v)
		}
		i, end := int(start[c]), int(start[c+1])
		for end-i > 8 {
			middle := int(uint(i+end) / 2)
			if cells[middle].x < v {
				i = middle + 1
			} else {
				end = middle
			}
		}
		for i < end && cells[i].x < v {
			i++
		}
		t.n++
		if i == len(cells) {
			t.above++
			t.excess += v - cells[i-1].x
			continue
		}
		cell := &cells[i]
		if v == cell.x {
			cell.at++
		} else {
			cell.below++
			cell.rest += cell.x - v
		}
	}
}

// Result returns the comparison of the values so far.
func (t *Tally) Result() TwoSample { return t.result(nil) }

// result walks the gaps between knots. Where the sign of F_ref - F_cur may change inside a gap the
// distance is open; it is settled from the window's values if they are given, else bounded.
func (t *Tally) result(window []float64) TwoSample {
	n, m := t.r.N(), t.n
	if m == 0 {
		return t.r.nothing(t.dropped)
	}
	fn, fm := float64(n), float64(m)
	var gap, gapHigh, cur, ref int64
	w1, open := t.excess/fm, []openGap(nil)
	atMost := make(map[float64]int64, len(t.r.edges))
	for i := range t.cells {
		cell := &t.cells[i]
		lt, refRest := t.knots.before(i)
		curBefore, refBefore := cur, ref
		cur += int64(cell.below)
		// Just below the knot, and inside the gap.
		gap = max(gap, abs(cur*n-lt*m))
		over, under := lt*m-curBefore*n, cur*n-refBefore*m // the most that either can lie above the other inside
		gapHigh = max(gapHigh, over, under)
		if i == 0 {
			w1 += cell.rest / fm
		} else {
			width := cell.x - t.cells[i-1].x
			area := width*(float64(curBefore)/fm-float64(refBefore)/fn) + cell.rest/fm - refRest/fn
			if over <= 0 || under <= 0 {
				w1 += math.Abs(area)
			} else {
				most := width * float64(max(over, under)) / fn / fm
				open = append(open, openGap{cell: i, before: curBefore, least: math.Abs(area), most: most})
			}
		}
		cur, ref = cur+int64(cell.at), int64(t.knots.le[i])
		gap = max(gap, abs(cur*n-ref*m))
		if len(atMost) < len(t.r.edges) && cell.x == t.r.edges[len(atMost)] {
			atMost[cell.x] = cur
		}
	}
	gapHigh = max(gapHigh, gap)
	result := TwoSample{N: m, Dropped: t.dropped, KSBound: float64(gapHigh-gap) / fn / fm}
	if window != nil {
		w1 += t.settle(open, window)
	} else {
		for _, g := range open {
			most := max(g.least, g.most)
			w1 += (g.least + most) / 2
			result.W1Bound += (most - g.least) / 2
		}
	}
	result.W1 = w1
	return t.r.finish(result, gap, t.r.binCounts(m, func(edge float64) int64 { return atMost[edge] }))
}

// openGap is a gap in which the sign of F_ref - F_cur may change.
type openGap struct {
	cell        int
	before      int64 // values of the window below the gap
	least, most float64
}

// settle returns the distance within open gaps between neighbouring reference values: it sorts the
// window's values inside them and walks their steps.
func (t *Tally) settle(open []openGap, window []float64) float64 {
	if len(open) == 0 {
		return 0
	}
	isOpen := make([]bool, len(t.cells))
	inside := 0
	for _, g := range open {
		isOpen[g.cell] = true
		inside += int(t.cells[g.cell].below)
	}
	values := make([]float64, 0, inside)
	for _, v := range window {
		if !isFinite(v) {
			continue
		}
		if i := t.knots.find(t.knots.x, v); i < len(t.cells) && isOpen[i] && v != t.cells[i].x {
			values = append(values, v)
		}
	}
	sortFloats(values, nil)
	n, m, w1 := float64(t.r.N()), float64(t.n), 0.0
	for _, g := range open {
		steps := values[:t.cells[g.cell].below]
		values = values[len(steps):]
		level := float64(t.knots.le[g.cell-1]) / n
		x := t.cells[g.cell-1].x
		for i, v := range steps {
			w1 += math.Abs(level-(float64(g.before)+float64(i))/m) * (v - x)
			x = v
		}
		w1 += math.Abs(level-(float64(g.before)+float64(len(steps)))/m) * (t.cells[g.cell].x - x)
	}
	return w1
}
