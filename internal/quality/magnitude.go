package quality

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// PercentileError bounds the relative error of a percentile that comes from magnitudes.
const PercentileError = 1.0 / 256

// magnitudes counts numbers by sign, exponent and the first eight bits of their fraction: 256
// cells in every octave, so that whatever the range of a column each value is known to within
// PercentileError, and integers below 512 exactly. It merges, takes the same value for any order
// of numbers, and holds 2 KiB for each octave that occurs.
type magnitudes struct {
	n     int64
	pages [2 * exponents]*[256]int64 // by sign and exponent, as they stand in a float64: negative ones last
}

const (
	exponents    = 1 << 11
	fractionBits = 52
)

func (m *magnitudes) add(x float64, n int64) {
	bits := math.Float64bits(x + 0) // -0 + 0 is +0
	page := m.pages[bits>>fractionBits]
	if page == nil {
		page = new([256]int64)
		m.pages[bits>>fractionBits] = page
	}
	page[bits>>(fractionBits-8)&255] += n
	m.n += n
}

func (m *magnitudes) merge(other *magnitudes) {
	for i, from := range other.pages {
		if from == nil {
			continue
		}
		if m.pages[i] == nil {
			m.pages[i] = new([256]int64)
		}
		for k, n := range from {
			m.pages[i][k] += n
		}
	}
	m.n += other.n
}

// cells returns the numbers in ascending order, each standing for those of its cell.
func (m *magnitudes) cells() []cell {
	var all []cell
	take := func(page, fraction int) {
		if n := m.pages[page][fraction]; n > 0 {
			bits := uint64(page)<<fractionBits | uint64(fraction)<<(fractionBits-8)
			all = append(all, cell{math.Float64frombits(bits), n})
		}
	}
	for page := len(m.pages) - 1; page >= exponents; page-- { // the largest of the negative ones first
		for fraction := 255; m.pages[page] != nil && fraction >= 0; fraction-- {
			take(page, fraction)
		}
	}
	for page := range exponents {
		for fraction := 0; m.pages[page] != nil && fraction < 256; fraction++ {
			take(page, fraction)
		}
	}
	return all
}

// cell is a number and how often it occurs.
type cell struct {
	value float64
	count int64
}

// percentiles returns the quantiles of ascending cells by the rule of stat.Quantile.
func percentiles(cells []cell, n int64, qs ...float64) []float64 {
	out := make([]float64, len(qs))
	for i, q := range qs {
		if n == 0 {
			out[i] = math.NaN()
			continue
		}
		h := q * float64(n-1)
		low := int64(h)
		a, b := at(cells, low), at(cells, min(low+1, n-1))
		out[i] = stat.Quantile([]float64{a, b}, h-float64(low))
	}
	return out
}

// at returns the number of rank, counted from 0.
func at(cells []cell, rank int64) float64 {
	for _, c := range cells {
		if rank < c.count {
			return c.value
		}
		rank -= c.count
	}
	return cells[len(cells)-1].value
}
