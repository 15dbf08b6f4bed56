package stat

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
)

// maxWindow is how many values a tally holds: its counts are 32 bits wide.
const maxWindow = math.MaxUint32

// Tally compares a stream of values with a reference in fixed memory (2 MB at most), in parts that
// merge. Decile bins are exact; KS is, while the reference has at most 65,536 distinct values, and
// else comes with a bound, as W1 does. It is for one goroutine.
type Tally struct {
	r       *Reference
	knots   *knots
	cells   []tallyCell // one for each knot and the gap before it
	above   float64     // the sum of how far values lie above the last knot
	places  []uint16    // the cell of each value in the order of Add; nil where they are not kept
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
func (r *Reference) Tally() *Tally { return newTally(r, r.fine()) }

// TallyToSettle returns an empty tally for values that the caller keeps for [Tally.Settle]: it has
// fewer cells, so that counting is quicker and more is left open. It notes in places, which should be
// empty and have room for as many values as will come, where each of them lies.
func (r *Reference) TallyToSettle(places []uint16) *Tally {
	knots := r.large
	if cap(places) < quickWindow {
		knots = r.quick
	}
	t := newTally(r, knots())
	t.places = places
	return t
}

func newTally(r *Reference, k *knots) *Tally {
	// The sentinel behind the last cell ends every search.
	cells := make([]tallyCell, len(k.x)+1)
	for i, x := range k.x {
		cells[i].x = x
	}
	cells[len(k.x)].x = math.Inf(1)
	return &Tally{r: r, knots: k, cells: cells[:len(k.x)]}
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
	t.places = nil
	t.n += other.n
	t.dropped += other.dropped
	return nil
}

// batch is how many values are looked up together.
const batch = 256

func (t *Tally) add(values []float64) {
	cells := t.cells[:len(t.cells)+1] // with the sentinel
	var at [batch]uint32
	for len(values) > 0 {
		part := values[:min(batch, len(values))]
		values = values[len(part):]
		finite := t.place(part, &at)
		t.n += int64(len(part))
		for k, v := range part {
			i := int(at[k])
			switch cell := &cells[i]; {
			case !finite && !isFinite(v):
				t.dropped++
				t.n--
			case i == len(cells)-1:
				t.above += v - cells[i-1].x
			case v == cell.x:
				cell.at++
			default:
				cell.below++
				cell.rest += cell.x - v
			}
		}
		if t.places != nil {
			t.places = slices.Grow(t.places, len(part))
			kept := t.places[len(t.places) : len(t.places)+len(part)]
			for k := range kept {
				kept[k] = uint16(at[k])
			}
			t.places = t.places[:len(t.places)+len(part)]
		}
	}
}

// place finds the first cell whose knot is not below each of at most batch values, the sentinel's if
// there is none, any one for NaN, and reports whether all of them are finite. It is grid.find, written out in loops for the sake of speed: the
// inner loop of every large comparison. The first two have no branches that depend on the values,
// so that many loads are under way at once; few values are left to search for in the third.
func (t *Tally) place(values []float64, at *[batch]uint32) (finite bool) {
	g, cells := &t.knots.grid, t.cells[:len(t.cells)+1]
	low, scale, limit, start := g.low, g.scale, g.cells, g.start
	values = values[:min(batch, len(values))]
	finite = true
	for k, v := range values {
		position := (v - low) * scale
		c := int(position)
		if !(position >= 0 && position < limit) { // a tail, or no number
			c = g.cell(v)
			finite = finite && isFinite(v)
		}
		at[k] = start[c]
	}
	for k, v := range values {
		i, step := at[k], uint32(0)
		if cells[i].x < v {
			step = 1
		}
		i, step = i+step, 0
		if cells[i].x < v {
			step = 1
		}
		at[k] = i + step
	}
	for k, v := range values {
		if i := at[k]; cells[i].x < v {
			at[k] = uint32(t.search(int(i), v))
		}
	}
	return finite
}

// search returns the first cell from i on whose knot is not below v.
func (t *Tally) search(i int, v float64) int {
	end := int(t.knots.start[t.knots.cell(v)+1])
	for end-i > 8 {
		middle := int(uint(i+end) / 2)
		if t.cells[middle].x < v {
			i = middle + 1
		} else {
			end = middle
		}
	}
	for i < end && t.cells[i].x < v {
		i++
	}
	return i
}

// Result returns the comparison of the values so far.
func (t *Tally) Result() TwoSample {
	c, _ := t.result(nil, nil)
	return c
}

// Settle returns the comparison of the values so far, and quantiles of the finite ones by the rule of
// the function [Quantile], all exactly. It must be given the same values in the order in which they
// were added, and looks only at those that lie where counts leave something open.
func (t *Tally) Settle(values []float64, qs ...float64) (c TwoSample, quantiles []float64) {
	if values == nil {
		values = []float64{}
	}
	c, in := t.result(values, t.quantileGaps(qs))
	return c, t.quantiles(qs, in)
}

// openGap is a gap between knots about which counts alone leave something open.
type openGap struct {
	cell        int
	before      int64 // values of the window below the gap
	ref         int64 // values of the reference below the gap
	high        int64 // the most that D times both sizes can be inside
	crossing    bool  // the sign of F_ref - F_cur may change inside, so that their distance is open
	least, most float64
}

// result walks the gaps between knots. What they leave open is settled from the window's values if
// they are given, else bounded. It returns those values with what lies in more gaps.
func (t *Tally) result(window []float64, gaps []int) (TwoSample, insides) {
	n, m := t.r.N(), t.n
	// Differences are whole numbers n m times as large until the end.
	perN, perM, unit := 1/float64(n), 1/float64(m), 1/float64(n)/float64(m)
	var gap, high, cur, ref int64
	var open []openGap
	w1, atMost := t.above*perM, make([]int64, 0, len(t.r.edges))
	for i := range t.cells {
		cell := &t.cells[i]
		lt, refRest := int64(t.knots.lt[i]), t.knots.rest[i]
		g := openGap{cell: i, before: cur, ref: ref}
		cur += int64(cell.below)
		gap = max(gap, abs(cur*n-lt*m)) // just below the knot
		// The most by which either can lie above the other inside the gap.
		over, under := lt*m-g.before*n, cur*n-g.ref*m
		g.high, g.crossing = max(over, under), over > 0 && under > 0
		switch {
		case i == 0:
			w1 += cell.rest * perM // the reference has nothing here
		default:
			width := cell.x - t.cells[i-1].x
			g.least = math.Abs(width*(float64(g.before*n-g.ref*m)*unit) + cell.rest*perM - refRest*perN)
			g.most = max(g.least, width*(float64(g.high)*unit))
			if !g.crossing {
				w1 += g.least
			}
		}
		if g.high > gap || g.crossing {
			open = append(open, g)
		}
		high = max(high, g.high)
		cur, ref = cur+int64(cell.at), int64(t.knots.le[i])
		gap = max(gap, abs(cur*n-ref*m))
		if k := len(atMost); k < len(t.r.edges) && cell.x == t.r.edges[k] {
			atMost = append(atMost, cur)
		}
	}
	next := 0
	result := TwoSample{N: m, Dropped: t.dropped, Bins: binCounts(t.r.edges, m, func(float64) int64 {
		next++
		return atMost[next-1]
	})}
	var in insides
	if window != nil {
		open = slices.DeleteFunc(open, func(g openGap) bool { return !g.crossing && g.high <= gap })
		for _, g := range open {
			gaps = append(gaps, g.cell)
		}
		in = t.inside(gaps, window)
		s := t.settle(open, in)
		gap = max(gap, s.gap)
		w1 += s.w1
	} else {
		result.KSBound = float64(max(0, high-gap)) * unit
		for _, g := range open {
			if g.crossing {
				w1 += (g.least + g.most) / 2
				result.W1Bound += (g.most - g.least) / 2
			}
		}
	}
	result.W1 = w1
	return t.r.finish(result, gap), in
}
