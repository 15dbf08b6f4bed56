package comparison

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// duel is what was counted of one metric, or of one metric in one slice: both versions' shares window by window, and in pairs.
type duel struct {
	windows []sides
	pairs   stat.Pairs // First is the new version
}

// sides are the new version and the old.
type sides [2]stat.Proportion

const (
	newer = 0
	older = 1
)

func (d *duel) total() (total sides) {
	for _, w := range d.windows {
		for side := range w {
			total[side].K += w[side].K
			total[side].N += w[side].N
		}
	}
	return total
}

// seen is one prediction as it is counted.
type seen struct {
	window int
	side   int
	values []prediction.Value // as counter.columns has them
	held   *label.Held        // nil where labels are not read
}

// counter counts predictions of both versions. It counts the metrics that need labels, or the others.
type counter struct {
	doc      *Document
	labelled bool
	columns  []string // that are read: version, then those of metrics, slices, groups and pairs
	at       []int    // of each metric, its column
	groupAt  []int    // of each metric, the column of its group
	sliceAt  []int    // of each column of slices
	pairAt   int
	learnt   *learnt
	found    *found
	waiting  map[string]half
}

// half is a prediction whose pair has not come yet.
type half struct {
	side     int
	outcomes [maxMetrics]outcome
	below    uint16 // edges of scores that it is at or below
	scored   bool
	output   prediction.Value
	label    prediction.Value // null: none is known
	mature   uint32           // metrics of labels for which it is old enough, a bit each
	slices   [maxSlices]int
}

// found is all that was counted.
type found struct {
	rows   [2]int64 // predictions of each version
	newest [2]prediction.Time
	failed [2]stat.Proportion               // predictions that failed
	duels  []duel                           // of each metric that is a share
	edges  []duel                           // of scores: the share at or below each
	slices [][]duel                         // of each slice and metric
	groups [][]sides                        // of each metric of fairness and group
	agreed []stat.Proportion                // of each metric of disagreement: pairs that differ
	paired int64                            // pairs
	label  [2]struct{ Mature, Known int64 } // predictions that are old enough, and those of them with a label
}

func newCounter(doc *Document, labelled bool, learnt *learnt, f *found) *counter {
	c := &counter{doc: doc, labelled: labelled, columns: []string{"version"}, learnt: learnt, found: f, pairAt: -1, waiting: map[string]half{}}
	for i := range doc.Metrics {
		m := &doc.Metrics[i]
		c.at, c.groupAt = append(c.at, -1), append(c.groupAt, -1)
		if m.labelled() != labelled {
			continue
		}
		column := m.column()
		if m.Measure == Fairness && m.Of == string(Decisions) {
			column = doc.decisions().column()
		}
		c.at[i] = c.need(column)
		if m.By != "" {
			c.groupAt[i] = c.need("f_" + m.By)
		}
	}
	for _, name := range doc.Slices {
		c.sliceAt = append(c.sliceAt, c.need("f_"+name))
	}
	if doc.PairBy != "" {
		c.pairAt = c.need(doc.PairBy)
	}
	return c
}

// need returns where a column is among those that are read.
func (c *counter) need(name string) int {
	if i := slices.Index(c.columns, name); i >= 0 {
		return i
	}
	c.columns = append(c.columns, name)
	return len(c.columns) - 1
}

// maxWaiting bounds the predictions that wait for their pair.
const maxWaiting = 1_000_000

// add counts a prediction.
func (c *counter) add(s *seen) error {
	h := half{side: s.side}
	for i := range c.doc.Slices {
		h.slices[i] = c.learnt.slice(i, s.values[c.sliceAt[i]])
	}
	if c.labelled {
		known := &c.found.label[s.side]
		if known.Mature++; s.held.Labelled() {
			known.Known++
			h.label = s.held.Value
		}
	}
	for i := range c.doc.Metrics {
		m := &c.doc.Metrics[i]
		if m.labelled() != c.labelled {
			continue
		}
		v := s.values[c.at[i]]
		switch {
		case m.rate():
			if m.labelled() && !c.mature(m, s) {
				continue
			}
			h.outcomes[i] = m.of(v, s.held)
			if m.labelled() {
				h.output, h.mature = v, h.mature|1<<i
			}
			if m.Measure == Errors {
				failed := &c.found.failed[s.side]
				if failed.N++; h.outcomes[i] == yes {
					failed.K++
				}
			}
		case m.Measure == Score:
			h.below, h.scored = c.learnt.below(v)
		case m.Measure == Disagreement:
			h.output = v
		case m.Measure == Fairness:
			c.fair(i, v, s)
		}
	}
	if c.pairAt < 0 {
		c.single(&h, s.window)
		return nil
	}
	key := s.values[c.pairAt]
	if key.IsNull() {
		return nil
	}
	return c.pair(key.String(), &h)
}

// mature reports whether a prediction is old enough to have a label for a metric: if its window ended so long before the end.
func (c *counter) mature(m *Metric, s *seen) bool {
	return s.window < len(c.learnt.windows)-int((m.Mature+c.doc.Width-1)/c.doc.Width)
}

// single counts a prediction by itself.
func (c *counter) single(h *half, window int) {
	for i, is := range h.outcomes[:len(c.doc.Metrics)] {
		if is == unknown {
			continue
		}
		c.found.duels[i].count(window, h.side, is)
		for j := range c.doc.Slices {
			if at := h.slices[j]; at >= 0 {
				c.found.slices[at][i].count(window, h.side, is)
			}
		}
	}
	if h.scored {
		for e := range c.found.edges {
			c.found.edges[e].count(window, h.side, outcomeOf(e >= int(h.below)))
		}
	}
}

func (d *duel) count(window, side int, is outcome) {
	p := &d.windows[window][side]
	if p.N++; is == yes {
		p.K++
	}
}

// pair counts a prediction with the other version's of the same input, once both are there.
func (c *counter) pair(key string, h *half) error {
	other, ok := c.waiting[key]
	if !ok || other.side == h.side { // the same input asked of one version again: the first answer counts
		if !ok {
			if len(c.waiting) == maxWaiting {
				return tallystick.Errorf(tallystick.Invalid, "more than %d predictions have no counterpart of the other version by %s", maxWaiting, c.doc.PairBy).
					WithHint("compare a shorter time, or leave out pair_by if the versions answer different inputs")
			}
			c.waiting[key] = *h
		}
		return nil
	}
	delete(c.waiting, key)
	if !c.labelled {
		c.found.paired++
	}
	a, b := h, &other
	if h.side == older {
		a, b = b, a
	}
	for i := range c.doc.Metrics {
		x, y := c.outcomes(i, a, b)
		if x != unknown && y != unknown {
			c.found.duels[i].pairs.Count(x == yes, y == yes)
			for j := range c.doc.Slices {
				if at := a.slices[j]; at >= 0 && at == b.slices[j] {
					c.found.slices[at][i].pairs.Count(x == yes, y == yes)
				}
			}
		}
		if m := &c.doc.Metrics[i]; m.Measure == Disagreement && !c.labelled {
			p := &c.found.agreed[i]
			if p.N++; !alike(a.output, b.output, m.Tolerance) {
				p.K++
			}
		}
	}
	if a.scored && b.scored {
		for e := range c.found.edges {
			c.found.edges[e].pairs.Count(e >= int(a.below), e >= int(b.below))
		}
	}
	return nil
}

// outcomes are those of both versions for one input. A label is about the input, whichever version's answer it came for; two
// that differ are none.
func (c *counter) outcomes(i int, a, b *half) (x, y outcome) {
	m := &c.doc.Metrics[i]
	if m.Measure != Wrong {
		return a.outcomes[i], b.outcomes[i]
	}
	truth := a.label
	if truth.IsNull() {
		truth = b.label
	} else if !b.label.IsNull() && !alike(truth, b.label, 0) {
		return unknown, unknown
	}
	if truth.IsNull() || a.output.IsNull() || b.output.IsNull() || a.mature&b.mature&(1<<i) == 0 {
		return unknown, unknown
	}
	return outcomeOf(!alike(a.output, truth, m.Tolerance)), outcomeOf(!alike(b.output, truth, m.Tolerance))
}

// fair counts a prediction for a gap between groups.
func (c *counter) fair(i int, v prediction.Value, s *seen) {
	m := &c.doc.Metrics[i]
	is := unknown
	if m.Of == string(Decisions) {
		is = c.doc.decisions().of(v, nil)
	} else if c.mature(m, s) {
		is = (&Metric{Measure: Wrong, Tolerance: m.Tolerance}).of(v, s.held)
	}
	group := s.values[c.groupAt[i]]
	if is == unknown || group.IsNull() {
		return
	}
	at, ok := c.learnt.groups[i][word(group)]
	if !ok {
		return // the row says how many groups there are
	}
	p := &c.found.groups[i][at][s.side]
	if p.N++; is == yes {
		p.K++
	}
}

// word is a value as people write it.
func word(v prediction.Value) string {
	if v.Kind() == prediction.Text {
		return v.Text()
	}
	return v.String()
}

// windowOf returns the window that a moment is in, counted from the first.
func windowOf(at prediction.Time, from time.Time, width time.Duration) int {
	return int(at.Time().Sub(from) / width)
}
