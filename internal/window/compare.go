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
	if t.N == 0 || t.NReference == 0 {
		nan := math.NaN()
		t.KS, t.P, t.W1, t.W1SD = nan, nan, nan, nan
		return t
	}
	high, rows, before := 0.0, int64(0), 0.0
	for i := range c.cells {
		rows += c.cells[i].n
		after := float64(rows) / float64(t.N)
		b := r.bins[i].compare(&c.cells[i], before, after, float64(t.N))
		t.KS = max(t.KS, math.Abs(after-r.bins[i].after))
		high = max(high, b.high)
		t.W1 += b.area
		t.W1Bound += b.open
		before = after
	}
	t.W1, t.W1Bound = t.W1/r.PerUnit, (t.W1Bound+1)/r.PerUnit
	t.KSBound = max(0, high-t.KS)
	t.P = stat.KSTwoSample(t.KS, t.NReference, t.N)
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

// bin is what the reference says of one bin. Lengths are in units, edges clamped as values are.
type bin struct {
	lower, upper  float64 // edges, infinite at the ends
	before, after float64 // the distribution function G at the edges
	// The areas between G and its value at the upper edge, and at the lower one: how far the values
	// lie below the upper edge and above the lower one, over the rows of the reference.
	below, above float64
	single       bool // the bin holds one value at most
}

func (r *NumberReference) newBins() []bin {
	out := make([]bin, len(r.Counts))
	n, rows := float64(r.finite), int64(0)
	units := func(edge float64) float64 {
		return min(1<<clampShift, max(-(1<<clampShift), (edge-r.Median)*r.PerUnit))
	}
	for i := range out {
		b := &out[i]
		b.lower, b.upper = math.Inf(-1), math.Inf(1)
		b.before = float64(rows) / n
		rows += r.Counts[i]
		b.after = float64(rows) / n
		own := cell{r.Counts[i], r.Sums[i]}
		if i > 0 {
			b.lower = units(r.Edges[i-1])
			b.above = own.above(b.lower, n)
		}
		if i < len(r.Edges) {
			b.upper = units(r.Edges[i])
			b.below = own.below(b.upper, n)
			b.single = i > 0 && math.Nextafter(r.Edges[i-1], math.Inf(1)) == r.Edges[i]
		}
	}
	return out
}

// below returns how far the values lie below an edge, over rows.
func (c *cell) below(edge, rows float64) float64 {
	if c.n == 0 {
		return 0
	}
	return (float64(c.n)*edge - c.sum.float()) / rows
}

// above returns how far the values lie above an edge, over rows.
func (c *cell) above(edge, rows float64) float64 { return -c.below(edge, rows) }

// distance is what one bin says of the distance between F, the distribution function of the window,
// and G.
type distance struct {
	high float64 // the most that its size can be inside
	area float64 // under its size
	open float64 // area is at most this far off
}

// compare takes the window's values of the bin, among rows, and F at its edges.
func (b *bin) compare(c *cell, f, fAfter, rows float64) distance {
	if b.single {
		return distance{}
	}
	switch {
	case math.IsInf(b.lower, -1): // nothing lies below
		below := c.below(b.upper, rows)
		return distance{max(fAfter, b.after), math.Abs(below - b.below), min(math.Abs(below), math.Abs(b.below))}
	case math.IsInf(b.upper, 1):
		above := c.above(b.lower, rows)
		return distance{max(1-f, 1-b.before), math.Abs(above - b.above), min(math.Abs(above), math.Abs(b.above))}
	}
	before, after := f-b.before, fAfter-b.after
	if c.n == 0 && b.before == b.after {
		return distance{math.Abs(before), math.Abs(before) * (b.upper - b.lower), 0}
	}
	width, below := b.upper-b.lower, c.below(b.upper, rows)
	least := math.Abs(before*width + below - b.below)
	// Inside, one function may have risen already where the other has not yet.
	over, under := fAfter-b.before, b.after-f
	if over <= 0 || under <= 0 { // one lies above the other throughout
		return distance{max(over, under), least, 0}
	}
	above := c.above(b.lower, rows)
	most := max(least, min(width*max(over, under), math.Abs(before)*width+below+b.below, math.Abs(after)*width+above+b.above))
	area := least
	if (before < 0) != (after < 0) {
		mean := (above + b.above) / (fAfter - f + b.after - b.before)
		area = min(most, max(least, crossed(before, after, width, mean)))
	}
	return distance{max(over, under), area, max(most-area, area-least)}
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
