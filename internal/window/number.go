package window

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

const (
	unitShift  = 20 // a unit is 2^-20 of the scale
	clampShift = 40 // whole numbers are clamped to 2^40 units
)

// NumberReference says how a number is counted, and what the reference counted. The package comment
// has the rules.
type NumberReference struct {
	Edges   []float64 `json:"edges"`
	Deciles []int     `json:"deciles"` // which edges are deciles
	Median  float64   `json:"median"`
	// PerUnit is how many units 1 is: 2^20 over the interquartile range, or over what stands in for it.
	PerUnit float64 `json:"per_unit"`
	SD      float64 `json:"sd"` // population standard deviation of the finite values

	Counts   []int64  `json:"counts"` // by bin, one more than edges
	Sums     []Int128 `json:"sums"`   // of whole numbers, by bin
	Squares  Int128   `json:"squares"`
	NaN      int64    `json:"nan"`
	Infinite int64    `json:"infinite"`
	Clamped  int64    `json:"clamped"`

	grid   grid
	finite int64
	bins   []bin
}

// newNumberReference takes the rules from the finite values and counts all values by them.
func newNumberReference(values []float64) (*NumberReference, error) {
	sample, err := stat.NewReference(values)
	if err != nil {
		return nil, err
	}
	r := &NumberReference{Median: sample.Median() + 0, SD: sample.SD()}
	if !isFinite(r.SD) {
		return nil, tallystick.Errorf(tallystick.Invalid, "values up to %g have no finite standard deviation", sample.Moments().Max).
			WithHint("leave the column out, or record it in another unit")
	}
	r.Edges, r.Deciles = newEdges(sample)
	for _, scale := range []float64{sample.IQR(), r.SD, 1} {
		if r.PerUnit = (1 << unitShift) / scale; isFinite(r.PerUnit) && r.PerUnit > 0 {
			break
		}
	}
	r.grid = newGrid(r.Edges)
	counts := numberCounts{reference: r, cells: make([]cell, len(r.Edges)+1)}
	counts.add(values)
	for _, c := range counts.cells {
		r.Counts, r.Sums = append(r.Counts, c.n), append(r.Sums, c.sum)
	}
	r.Squares, r.NaN, r.Infinite, r.Clamped = counts.squares, counts.nan, counts.infinite, counts.clamped
	return r, nil
}

func (r *NumberReference) ready() {
	r.grid = newGrid(r.Edges)
	r.finite = 0
	for _, n := range r.Counts {
		r.finite += n
	}
	r.bins = r.newBins()
}

// validate returns how many values were counted.
func (r *NumberReference) validate(rows int64) (total int64, err error) {
	wrong := func(what string) (int64, error) {
		return 0, tallystick.Errorf(tallystick.Invalid, "%s", what)
	}
	if len(r.Edges) == 0 || len(r.Edges) > maxEdges || !ascending(r.Edges) {
		return wrong("edges are not 1 to 81 ascending numbers")
	}
	if len(r.Deciles) == 0 || len(r.Deciles) > 9 || !ascending(r.Deciles) || r.Deciles[0] < 0 || r.Deciles[len(r.Deciles)-1] >= len(r.Edges) {
		return wrong("deciles are not 1 to 9 of the edges")
	}
	if !isFinite(r.Median) || !isFinite(r.PerUnit) || r.PerUnit <= 0 || !isFinite(r.SD) || r.SD < 0 {
		return wrong("median, unit or standard deviation is out of range")
	}
	if len(r.Counts) != len(r.Edges)+1 || len(r.Sums) != len(r.Counts) {
		return wrong("there are not as many counts and sums as bins")
	}
	for i, n := range r.Counts {
		if n < 0 || n > rows || !r.Sums[i].within(n, clampShift) {
			return wrong("a count or a sum is out of range")
		}
		total += n
	}
	finite := total
	for _, n := range []int64{r.NaN, r.Infinite, r.Clamped} {
		if n < 0 || n > rows {
			return wrong("a count is out of range")
		}
	}
	if finite == 0 || finite > rows || r.Clamped > finite || r.Squares.hi < 0 || !r.Squares.within(finite, 2*clampShift) {
		return wrong("a sum is out of range")
	}
	return finite + r.NaN + r.Infinite, nil
}

func ascending[T int | float64](values []T) bool {
	for i, v := range values {
		if v-v != 0 || i > 0 && values[i-1] >= v {
			return false
		}
	}
	return true
}

// cell counts the values of one bin.
type cell struct {
	n   int64
	sum Int128
}

// numberCounts is what a profile holds of a number: 24 bytes for each of at most 82 bins.
type numberCounts struct {
	reference *NumberReference
	cells     []cell
	squares   Int128
	missing   int64
	nan       int64
	infinite  int64
	clamped   int64
}

// half of an odd power of two so large that a sum with it has no fraction left: the addition rounds
// to the nearest whole number, ties to even, and the last bits of the sum are that number.
const rounder = 3 << 51

func (c *numberCounts) add(values []float64) {
	cells, r := c.cells, c.reference
	median, perUnit, squares := r.Median, r.PerUnit, c.squares
	var at [batch]uint8
	for len(values) > 0 {
		part := values[:min(batch, len(values))]
		values = values[len(part):]
		finite := r.grid.place(part, &at)
		for k, v := range part {
			if !finite && !isFinite(v) {
				if v != v {
					c.nan++
				} else {
					c.infinite++
				}
				continue
			}
			// The conversions forbid the compiler to fuse operations, which would round otherwise.
			scaled := float64(float64(v-median) * perUnit)
			if scaled > 1<<clampShift {
				scaled = 1 << clampShift
				c.clamped++
			} else if scaled < -(1 << clampShift) {
				scaled = -(1 << clampShift)
				c.clamped++
			}
			whole := int64(math.Float64bits(scaled+rounder) - math.Float64bits(rounder))
			cell := &cells[at[k]]
			cell.n++
			var carry uint64
			cell.sum.lo, carry = bits.Add64(cell.sum.lo, uint64(whole), 0)
			cell.sum.hi += whole>>63 + int64(carry)
			size := uint64(max(whole, -whole))
			hi, lo := bits.Mul64(size, size)
			squares.lo, carry = bits.Add64(squares.lo, lo, 0)
			squares.hi += int64(hi + carry)
		}
	}
	c.squares = squares
}

func (c *numberCounts) merge(o *numberCounts) {
	for i := range c.cells {
		c.cells[i].n += o.cells[i].n
		c.cells[i].sum.add(o.cells[i].sum)
	}
	c.squares.add(o.squares)
	c.missing += o.missing
	c.nan += o.nan
	c.infinite += o.infinite
	c.clamped += o.clamped
}

func (c *numberCounts) clone() *numberCounts {
	d := *c
	d.cells = slices.Clone(c.cells)
	return &d
}

func (c *numberCounts) finite() int64 {
	var n int64
	for i := range c.cells {
		n += c.cells[i].n
	}
	return n
}

// rows counts every value.
func (c *numberCounts) rows() int64 { return c.finite() + c.missing + c.nan + c.infinite }

// Number is what a profile says of a number feature.
type Number struct {
	N                      int64 // finite values
	Missing, NaN, Infinite int64
	Under, Over            int64   // below the reference's least value, above its greatest
	Clamped                int64   // more than a million interquartile ranges away: too little in Mean and SD
	Mean, SD               float64 // population; from whole numbers, each within 2^-21 of the interquartile range; NaN when empty
}

func (c *numberCounts) read() Number {
	n := Number{N: c.finite(), Missing: c.missing, NaN: c.nan, Infinite: c.infinite, Clamped: c.clamped, Mean: math.NaN(), SD: math.NaN()}
	var sum Int128
	for i := range c.cells {
		sum.add(c.cells[i].sum)
	}
	if last := len(c.cells) - 1; c.reference.Counts[0] == 0 {
		n.Under, n.Over = c.cells[0].n, c.cells[last].n
	} else {
		n.Over = c.cells[last].n
	}
	if n.N > 0 {
		n.Mean = c.reference.Median + sum.float()/float64(n.N)/c.reference.PerUnit
		n.SD = spread(n.N, sum, c.squares) / c.reference.PerUnit
	}
	return n
}

// DecileEdges returns the distinct deciles of the reference.
func (r *NumberReference) DecileEdges() []float64 {
	edges := make([]float64, len(r.Deciles))
	for i, at := range r.Deciles {
		edges[i] = r.Edges[at]
	}
	return edges
}
