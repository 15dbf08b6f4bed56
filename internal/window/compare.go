package window

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// Compare compares a number of the window with the reference, from bins. Decile bins are exact. KS is
// the largest difference at an edge, hence never more than the exact one and at most KSBound less; P is
// of that KS, asymptotic at every size, and so not below the exact one. W1 is exact, but for a unit of
// the whole numbers, in each bin inside which the two distribution functions do not cross; elsewhere
// it is estimated between limits that W1Bound covers. All of that is of the values as they were clamped,
// which makes W1 smaller, never larger. Missing values take no part.
func (p *Profile) Compare(feature int) stat.TwoSample {
	c := p.columns[feature].number
	r := c.reference
	t := stat.TwoSample{N: c.finite(), NReference: r.finite, Dropped: c.nan + c.infinite}
	t.Bins = c.union(func(i int) int64 { return c.cells[i].n })
	t.ReferenceBins = c.union(func(i int) int64 { return r.Counts[i] })
	t.Deciles = stat.Diverge(t.ReferenceBins, t.Bins)
	if t.N == 0 {
		nan := math.NaN()
		t.KS, t.P, t.W1, t.W1SD = nan, nan, nan, nan
		return t
	}
	high := 0.0
	walk := bins{counts: c, n: float64(r.finite), m: float64(t.N)}
	for i := range c.cells {
		b := walk.next(i)
		t.KS = max(t.KS, math.Abs(b.after))
		high = max(high, b.high)
		t.W1 += b.area
		t.W1Bound += b.open
	}
	t.KSBound = max(0, high-t.KS)
	t.P = stat.KSTwoSample(t.KS, t.NReference, t.N)
	t.W1Bound += 1 / r.PerUnit
	if t.W1 > 0 {
		t.W1SD = t.W1 / r.SD
	}
	return t
}

// union adds up the bins of each decile.
func (c *numberCounts) union(count func(i int) int64) []int64 {
	out, next := make([]int64, len(c.reference.Deciles)+1), 0
	for i := range c.cells {
		out[next] += count(i)
		if next < len(c.reference.Deciles) && i == c.reference.Deciles[next] {
			next++
		}
	}
	return out
}

// bins walks the bins with the distribution functions F of the window and G of the reference.
type bins struct {
	counts *numberCounts
	n, m   float64
	f, g   float64 // at the lower edge of the next bin
	nf, ng int64
}

// bin is what one bin says of the distance F-G.
type bin struct {
	after float64 // at the upper edge
	high  float64 // the most that its size can be inside
	area  float64 // under its size
	open  float64 // area is at most this far off
}

func (w *bins) next(i int) bin {
	r, c := w.counts.reference, &w.counts.cells[i]
	f, g := w.f, w.g
	w.nf, w.ng = w.nf+c.n, w.ng+r.Counts[i]
	w.f, w.g = float64(w.nf)/w.m, float64(w.ng)/w.n
	before, after := f-g, w.f-w.g
	out := bin{after: after}
	first, last := i == 0, i == len(r.Edges)
	if !first && !last && math.Nextafter(r.Edges[i-1], math.Inf(1)) == r.Edges[i] {
		return out // one value, or none
	}
	// Inside, one function may have risen already where the other has not yet.
	over, under := w.f-g, w.g-f
	if out.high = max(over, under); c.n == 0 && r.Counts[i] == 0 {
		out.high = math.Abs(before)
	}
	// The areas between each function and its value at the lower or at the upper edge.
	var belowF, belowG, aboveF, aboveG, lower, upper float64
	if !last {
		upper = w.units(r.Edges[i])
		belowF, belowG = w.offset(c.n, upper, c.sum)/w.m, w.offset(r.Counts[i], upper, r.Sums[i])/w.n
	}
	if !first {
		lower = w.units(r.Edges[i-1])
		aboveF, aboveG = -w.offset(c.n, lower, c.sum)/w.m, -w.offset(r.Counts[i], lower, r.Sums[i])/w.n
	}
	switch {
	case first: // nothing lies below
		out.area, out.open = math.Abs(belowF-belowG), min(math.Abs(belowF), math.Abs(belowG))
	case last:
		out.area, out.open = math.Abs(aboveF-aboveG), min(math.Abs(aboveF), math.Abs(aboveG))
	default:
		width := (upper - lower) / r.PerUnit
		out.area = math.Abs(before*width + belowF - belowG)
		if over <= 0 || under <= 0 {
			return out // one lies above the other throughout
		}
		least := out.area
		most := max(least, min(width*out.high, math.Abs(before)*width+belowF+belowG, math.Abs(after)*width+aboveF+aboveG))
		if (before < 0) != (after < 0) {
			mean := (aboveF + aboveG) / (float64(c.n)/w.m + float64(r.Counts[i])/w.n)
			out.area = min(most, max(least, crossed(before, after, width, mean)))
		}
		out.open = max(most-out.area, out.area-least)
	}
	return out
}

// crossed estimates the area under a distance that changes its sign from before to after inside a bin
// whose values lie mean above its lower edge on average. It changes evenly where the values are, taken
// to be twice as far from the nearer edge as on average: all over a bin that is filled evenly, but not
// over a tail that ends in one far value.
func crossed(before, after, width, mean float64) float64 {
	filled, empty := 2*mean, math.Abs(after)
	if mean > width/2 {
		filled, empty = 2*(width-mean), math.Abs(before)
	}
	filled = max(0, min(width, filled))
	triangles := filled * (before*before + after*after) / (2 * (math.Abs(before) + math.Abs(after)))
	return triangles + (width-filled)*empty
}

// units returns an edge as whole numbers have it, unrounded.
func (w *bins) units(edge float64) float64 {
	r := w.counts.reference
	return min(1<<clampShift, max(-(1<<clampShift), (edge-r.Median)*r.PerUnit))
}

// offset returns the sum of how far n values that sum to sum lie below the edge.
func (w *bins) offset(n int64, edge float64, sum Int128) float64 {
	if n == 0 {
		return 0
	}
	return (float64(n)*edge - sum.float()) / w.counts.reference.PerUnit
}
