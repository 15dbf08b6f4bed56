package quality

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// correlation returns the strongest correlation with a label that is a number, without its sign.
func (d *LeakDetector) correlation() (best stat.Estimate, same bool) {
	if d.cfg.Column.Kind == table.Category {
		return d.means.correlation(), false
	}
	p := &d.pairs
	best = fisher(p.xy/math.Sqrt(p.x.M2*p.y.M2), p.x.N, 1, "Pearson over all rows; Fisher's z")
	rank := fisher(pearson(ranks(p.kept), ranks(p.keptY)), int64(len(p.kept)), 0, "Spearman of "+p.words()+"; Bonett and Wright")
	if !(best.Interval.Low >= rank.Interval.Low) {
		best = rank
	}
	return best, best.Value > 1-1e-9
}

func (p *pairs) words() string {
	if int64(len(p.kept)) == p.seen {
		return "all rows"
	}
	return count(int64(len(p.kept))) + " of " + count(p.seen) + " rows"
}

// fisher returns |r| with its interval on Fisher's z scale. variance is the numerator of that of
// z; 0 stands for that of rank correlations, 1 + r²/2 (Bonett and Wright, Psychometrika 65 (2000)
// 23-28).
func fisher(r float64, n int64, variance float64, method string) stat.Estimate {
	r = min(math.Abs(r), 1)
	if n < 4 || r != r {
		return stat.Estimate{Value: math.NaN(), Interval: stat.Interval{Low: math.NaN(), High: math.NaN()}}
	}
	if variance == 0 {
		variance = 1 + r*r/2
	}
	const z = 1.959963984540054 // of 95 %
	margin := z * math.Sqrt(variance/float64(n-3))
	at := math.Atanh(min(r, 1-1e-15))
	return stat.Estimate{
		Value: r, Interval: stat.Interval{Low: max(0, math.Tanh(at-margin)), High: math.Tanh(at + margin)}, N: n, Method: method,
	}
}

// ranks returns the rank of each value, ties having their mean.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			out[at] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}

func pearson(x, y []float64) float64 {
	var p pairs
	for i := range x {
		dx := x[i] - p.x.Mean
		p.x.Add(x[i])
		p.y.Add(y[i])
		p.xy += dx * (y[i] - p.y.Mean)
	}
	return p.xy / math.Sqrt(p.x.M2*p.y.M2)
}

// cellMeans holds the moments of a label by category, for two halves of the rows.
type cellMeans struct{ cells [2][]stat.Moments }

func (m *cellMeans) add(half, cell int, y float64) {
	for i := range m.cells {
		if cell >= len(m.cells[i]) {
			m.cells[i] = append(m.cells[i], make([]stat.Moments, cell+1-len(m.cells[i]))...)
		}
	}
	m.cells[half][cell].Add(y)
}

// correlation is that of the label in the second half with the mean of its category in the first.
func (m *cellMeans) correlation() stat.Estimate {
	var learnt, judged, guess stat.Moments
	for _, cell := range m.cells[0] {
		learnt.Merge(cell)
	}
	var product float64 // sum of guess*label deviations
	for i, cell := range m.cells[1] {
		if cell.N == 0 {
			continue
		}
		x := learnt.Mean
		if m.cells[0][i].N > 0 {
			x = m.cells[0][i].Mean
		}
		// All rows of a cell share the guess: the cell is merged as N pairs (Chan et al. 1979).
		n, before := float64(cell.N), float64(guess.N)
		product += (x - guess.Mean) * (cell.Mean - judged.Mean) * before * n / (before + n)
		guess.Merge(stat.Moments{N: cell.N, Mean: x, Min: x, Max: x})
		judged.Merge(cell)
	}
	return fisher(product/math.Sqrt(guess.M2*judged.M2), judged.N, 1, "category means of one half of the rows, judged on the other; Fisher's z")
}
