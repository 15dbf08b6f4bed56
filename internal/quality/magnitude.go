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
	n                  int64
	negative, positive [2048]*[256]int64 // by exponent
}

const fractionBits = 52

func (m *magnitudes) add(x float64, n int64) {
	bits := math.Float64bits(x + 0) // -0 + 0 is +0
	pages := &m.positive
	if bits>>63 != 0 {
		pages = &m.negative
	}
	exponent := bits >> fractionBits & 2047
	page := pages[exponent]
	if page == nil {
		page = new([256]int64)
		pages[exponent] = page
	}
	page[bits>>(fractionBits-8)&255] += n
	m.n += n
}

func (m *magnitudes) merge(other *magnitudes) {
	for i := range m.positive {
		mergePage(&m.positive[i], other.positive[i])
		mergePage(&m.negative[i], other.negative[i])
	}
	m.n += other.n
}

func mergePage(into **[256]int64, from *[256]int64) {
	if from == nil {
		return
	}
	if *into == nil {
		*into = new([256]int64)
	}
	for i, n := range from {
		(*into)[i] += n
	}
}

// cells returns the numbers in ascending order, each standing for those of its cell.
func (m *magnitudes) cells() []cell {
	var all []cell
	take := func(page *[256]int64, sign float64, exponent, fraction int) {
		if n := page[fraction]; n > 0 {
			x := math.Float64frombits(uint64(exponent)<<fractionBits | uint64(fraction)<<(fractionBits-8))
			all = append(all, cell{sign * x, n})
		}
	}
	for exponent := 2047; exponent >= 0; exponent-- {
		if page := m.negative[exponent]; page != nil {
			for fraction := 255; fraction >= 0; fraction-- {
				take(page, -1, exponent, fraction)
			}
		}
	}
	for exponent, page := range m.positive {
		if page != nil {
			for fraction := range 256 {
				take(page, 1, exponent, fraction)
			}
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
