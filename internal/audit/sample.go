package audit

import (
	"slices"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// sample gathers the values of one column, of the whole table or of one window, until they are
// compared with the reference.
type sample interface {
	// add takes in values [from, to) of a vector.
	add(v *table.Vector, from, to int) error
	compare() drift.Feature
	// reset empties the sample for the next window.
	reset()
}

// numberSample holds up to limit numbers, which are compared exactly. More of them are counted by a
// tally, which says how far off it may be.
type numberSample struct {
	numbers *drift.Numbers
	limit   int
	values  []float64   // NaN where missing; all of them, or none
	tally   *stat.Tally // nil as long as there is none
	counted bool        // by the tally alone
	settled *drift.Feature
}

func (s *numberSample) add(v *table.Vector, from, to int) error {
	values := v.Float[from:to]
	if !s.counted && len(s.values)+len(values) > s.limit {
		if s.tally == nil {
			s.tally = s.numbers.Reference().Tally()
			if err := s.tally.Add(s.values); err != nil {
				return err
			}
		}
		s.values, s.counted = s.values[:0], true
	}
	if !s.counted {
		s.values = append(s.values, values...)
	}
	if s.tally != nil {
		return s.tally.Add(values)
	}
	return nil
}

func (s *numberSample) compare() drift.Feature {
	switch {
	case s.settled != nil:
		return *s.settled
	case s.counted:
		return s.numbers.CompareTally(s.tally)
	case s.tally != nil:
		f, _ := s.numbers.SettleTally(s.tally, s.values)
		return f
	}
	return s.numbers.Compare(s.values, 0)
}

// quantiles are exact; the values must be held, and no more come. It settles the comparison.
func (s *numberSample) quantiles(qs ...float64) []float64 {
	f, quantiles := s.numbers.SettleTally(s.tally, s.values, qs...)
	s.settled = &f
	return quantiles
}

func (s *numberSample) reset() { s.values, s.tally, s.counted = s.values[:0], nil, false }

// categorySample counts the values of a category.
type categorySample struct {
	categories *drift.Categories
	dictionary func() []string
	codeCounts
}

func (s *categorySample) compare() drift.Feature {
	values := s.dictionary()
	return s.categories.Compare(values, s.of(values), s.missing)
}

// codeCounts counts codes of a dictionary that is not known in full yet.
type codeCounts struct {
	sparse  bool // for one of many windows: the counts of codes from denseCodes on lie in rare
	counts  []int64
	rare    map[uint32]int64
	missing int64
}

const denseCodes = 1 << 12

func (c *codeCounts) add(v *table.Vector, from, to int) error {
	for _, code := range v.Code[from:to] {
		if code == table.NoCode {
			c.missing++
			continue
		}
		if c.sparse && code >= denseCodes {
			if c.rare == nil {
				c.rare = map[uint32]int64{}
			}
			c.rare[code]++
			continue
		}
		if int(code) >= len(c.counts) {
			c.counts = append(c.counts, make([]int64, int(code)+1-len(c.counts))...)
		}
		c.counts[code]++
	}
	return nil
}

// of returns one count for each of the values.
func (c *codeCounts) of(values []string) []int64 {
	counts := append(c.counts, make([]int64, max(0, len(values)-len(c.counts)))...)
	for code, n := range c.rare {
		counts[code] = n
	}
	return counts
}

func (c *codeCounts) reset() {
	clear(c.counts)
	clear(c.rare)
	c.missing = 0
}

// classSample counts the different values of a number column that holds classes.
type classSample struct {
	categories *drift.Categories
	classCounts
}

func (s *classSample) compare() drift.Feature {
	return s.categories.Compare(s.values, s.counts, s.missing)
}

// classCounts counts numbers that stand for classes.
type classCounts struct {
	index   map[float64]int
	values  []string
	counts  []int64
	missing int64
}

func (c *classCounts) add(v *table.Vector, from, to int) error {
	if c.index == nil {
		c.index = map[float64]int{}
	}
	for _, x := range v.Float[from:to] {
		if !finite(x) {
			c.missing++
			continue
		}
		i, ok := c.index[x]
		if !ok {
			i = len(c.values)
			c.index[x] = i
			c.values, c.counts = append(c.values, number(x)), append(c.counts, 0)
		}
		c.counts[i]++
	}
	return nil
}

func (c *classCounts) reset() { *c = classCounts{} }

// gathered is one column on its way to the comparison of the whole and of every window.
type gathered struct {
	windows *windows
	whole   sample
	begin   func(rows int64) sample // makes room for a window

	features []drift.Feature
	current  sample // of the window in whose rows the scan is
	index    int32

	mixed  []sample     // of all windows, where they are mixed
	sorted table.Vector // a block by window, where they are mixed
}

func newGathered(w *windows, whole sample, begin func(rows int64) sample) *gathered {
	g := &gathered{windows: w, whole: whole, begin: begin, features: make([]drift.Feature, w.len()), index: -1}
	if w.len() > 0 && !w.ordered() {
		for _, s := range w.spans {
			g.mixed = append(g.mixed, begin(s.rows))
		}
	}
	return g
}

// add takes in the n rows from row on.
func (g *gathered) add(row int64, n int, v *table.Vector) error {
	if err := g.whole.add(v, 0, n); err != nil || g.windows.len() == 0 {
		return err
	}
	if g.mixed != nil {
		return g.addMixed(row, n, v)
	}
	for from := 0; from < n; {
		k := g.windows.at(row + int64(from))
		if k != g.index {
			g.next(k)
		}
		to := min(n, int(g.windows.starts[k+1]-row))
		if err := g.current.add(v, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// addMixed puts the rows of each window together first.
func (g *gathered) addMixed(row int64, n int, v *table.Vector) error {
	starts := make([]int, len(g.mixed)+1)
	of := g.windows.of[row : row+int64(n)]
	for _, k := range of {
		if k != noWindow {
			starts[k+1]++
		}
	}
	for k := range g.mixed {
		starts[k+1] += starts[k]
	}
	g.sorted.Float, g.sorted.Code = g.sorted.Float[:0], g.sorted.Code[:0]
	if v.Float != nil {
		g.sorted.Float = append(g.sorted.Float, v.Float...)
	}
	if v.Code != nil {
		g.sorted.Code = append(g.sorted.Code, v.Code...)
	}
	next := slices.Clone(starts)
	for i, k := range of {
		switch {
		case k == noWindow:
			continue
		case v.Float != nil:
			g.sorted.Float[next[k]] = v.Float[i]
		case v.Code != nil:
			g.sorted.Code[next[k]] = v.Code[i]
		}
		next[k]++
	}
	for k, s := range g.mixed {
		if starts[k] == starts[k+1] {
			continue
		}
		if err := s.add(&g.sorted, starts[k], starts[k+1]); err != nil {
			return err
		}
	}
	return nil
}

// next compares the windows before k and begins it.
func (g *gathered) next(k int32) {
	if g.current == nil {
		g.current = g.begin(g.windows.largest())
	}
	for g.index < k {
		if g.index >= 0 {
			g.features[g.index] = g.current.compare()
			g.current.reset()
		}
		g.index++
	}
}

// quantiles returns a function for the exact quantiles of the whole, nil where its values are not
// held.
func (g *gathered) quantiles() func(qs ...float64) []float64 {
	if g == nil {
		return nil
	}
	if s, ok := g.whole.(*numberSample); ok && s.tally != nil {
		return s.quantiles
	}
	return nil
}

// compare returns the comparison of the whole and of every window.
func (g *gathered) compare() (drift.Feature, []drift.Feature) {
	switch {
	case g.mixed != nil:
		for k, s := range g.mixed {
			g.features[k] = s.compare()
		}
	case g.windows.len() > 0:
		g.next(int32(g.windows.len()))
	}
	return g.whole.compare(), g.features
}
