package query

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// tally gathers the figures of a question.
type tally struct {
	q                             *Figures
	by                            []column
	rates, means, quantiles, bars []column
	groups                        map[string]*gathered
	order                         []*gathered
	total, ungrouped              int64
	beyond                        bool
	key                           []byte
	room                          room
}

// gathered is a group while it is gathered.
type gathered struct {
	key     []prediction.Value
	count   int64
	rates   []int64
	means   []mean
	samples []sample
	bars    []FiguredBars
}

type mean struct {
	n, other        int64
	sum, lost       float64 // Neumaier's compensated sum
	lowest, highest float64
}

func (m *mean) add(x float64) {
	if m.n == 0 {
		m.lowest, m.highest = x, x
	}
	m.n++
	t := m.sum + x
	if math.Abs(m.sum) >= math.Abs(x) {
		m.lost += (m.sum - t) + x
	} else {
		m.lost += (x - t) + m.sum
	}
	m.sum = t
	m.lowest, m.highest = min(m.lowest, x), max(m.highest, x)
}

func newTally(q *Figures, p *plan) *tally {
	t := &tally{q: q, groups: map[string]*gathered{}}
	for _, name := range q.By {
		t.by = append(t.by, newColumn(p, name))
	}
	for _, c := range q.Rates {
		t.rates = append(t.rates, newColumn(p, c.Column))
	}
	for _, name := range q.Means {
		t.means = append(t.means, newColumn(p, name))
	}
	for _, k := range q.Quantiles {
		t.quantiles = append(t.quantiles, newColumn(p, k.Column))
	}
	for _, h := range q.Histograms {
		t.bars = append(t.bars, newColumn(p, h.Column))
	}
	if len(q.By) == 0 {
		t.group(nil, nil, 0, 0)
	}
	return t
}

// group returns the group of a key, nil if there are too many.
func (t *tally) group(key []byte, f *frame, k, row int) *gathered {
	if g := t.groups[string(key)]; g != nil {
		return g
	}
	if len(t.order) == maxGroups {
		t.beyond = true
		return nil
	}
	g := &gathered{
		rates: make([]int64, len(t.rates)), means: make([]mean, len(t.means)), samples: make([]sample, len(t.quantiles)), bars: make([]FiguredBars, len(t.bars)),
	}
	for _, c := range t.by {
		g.key = append(g.key, c.value(f, k, row))
	}
	for i, h := range t.q.Histograms {
		g.bars[i] = FiguredBars{Column: h.Column, Counts: []int64{}}
		if h.Low <= h.High {
			g.bars[i].Low, g.bars[i].High, g.bars[i].Counts = h.Low, h.High, make([]int64, h.Bins)
		}
	}
	t.groups[string(key)] = g
	t.order = append(t.order, g)
	return g
}

// add takes in the rows of a frame.
func (t *tally) add(f *frame) error {
	t.total += int64(len(f.chosen))
	for k, row := range f.chosen {
		key := t.key[:0]
		for _, c := range t.by {
			key = c.appendKey(key, f, k, row)
		}
		t.key = key
		g := t.group(key, f, k, row)
		if g == nil {
			t.ungrouped++
			continue
		}
		g.count++
		if err := t.figures(g, f, k, row); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) figures(g *gathered, f *frame, k, row int) error {
	for i, c := range t.rates {
		if t.q.Rates[i].holds(c.value(f, k, row)) {
			g.rates[i]++
		}
	}
	for i, c := range t.means {
		if x, ok := c.number(f, k, row); ok && finite(x) {
			g.means[i].add(x)
		} else {
			g.means[i].other++
		}
	}
	for i, c := range t.quantiles {
		if x, ok := c.number(f, k, row); ok && finite(x) && !g.samples[i].add(x, &t.room) {
			return tallystick.Errorf(tallystick.Invalid, "the quantiles of so many groups take too much memory").WithHint("ask for fewer groups, or for a shorter time")
		}
	}
	for i, c := range t.bars {
		if x, ok := c.number(f, k, row); ok && finite(x) {
			g.bars[i].add(x)
		}
	}
	return nil
}

func (b *FiguredBars) add(x float64) {
	switch {
	case x < b.Low:
		b.Under++
	case x > b.High:
		b.Over++
	case b.Low == b.High:
		b.Counts[0]++
	default:
		n := len(b.Counts)
		b.Counts[min(int((x-b.Low)/(b.High-b.Low)*float64(n)), n-1)]++
	}
}

func (t *tally) answer() Figured {
	answer := Figured{Predictions: t.total, Ungrouped: t.ungrouped, Groups: []FiguredGroup{}}
	slices.SortStableFunc(t.order, func(a, b *gathered) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.CompareFunc(a.key, b.key, func(x, y prediction.Value) int { return strings.Compare(x.String(), y.String()) }))
	})
	told := min(len(t.order), cmp.Or(t.q.Groups, defaultGroups))
	answer.More = len(t.order) - told
	for _, g := range t.order[:told] {
		answer.Groups = append(answer.Groups, t.told(g))
	}
	return answer
}

func (t *tally) told(g *gathered) FiguredGroup {
	out := FiguredGroup{Count: g.count, Histograms: g.bars}
	for _, v := range g.key {
		out.Key = append(out.Key, Plain(v))
	}
	for i, k := range g.rates {
		rate := FiguredRate{Of: t.q.Rates[i].String(), Count: k, N: g.count}
		if g.count > 0 {
			e := stat.Proportion{K: k, N: g.count}.Estimate()
			rate.Rate, rate.Low, rate.High = e.Value, e.Interval.Low, e.Interval.High
		}
		out.Rates = append(out.Rates, rate)
	}
	for i := range g.means {
		m := &g.means[i]
		is := FiguredMean{Column: t.q.Means[i], N: m.n, Other: m.other}
		if value := (m.sum + m.lost) / float64(m.n); m.n > 0 && finite(value) {
			is.Mean, is.Min, is.Max = &value, &m.lowest, &m.highest
		}
		out.Means = append(out.Means, is)
	}
	for i := range g.samples {
		s, asked := &g.samples[i], t.q.Quantiles[i]
		is := Quantiled{Column: asked.Column, N: s.n, Method: exactly, At: asked.At, Values: []float64{}}
		if s.n > 0 {
			is.Values, is.Method = s.quantiles(asked.At)
		}
		out.Quantiles = append(out.Quantiles, is)
	}
	return out
}
