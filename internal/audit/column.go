package audit

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/table"
)

// columns is what the pass over all columns shows.
type columns struct {
	quality    []quality.Column
	drift      []drift.Feature   // of the whole table
	byWindow   [][]drift.Feature // by window
	leaks      []quality.Leak
	slices     []performance.Slice
	noDrift    []string // columns that could not be compared, with the reason
	duplicates *quality.RowHasher
	ids        *quality.RowHasher
}

// columnPass reads every column once, and its reference once, a few columns at a time: memory is
// bounded by Workers columns, whatever their number.
type columnPass struct {
	cfg    Config
	plan   *plan
	in     inputs
	rows   *rows
	search *search

	mu       sync.Mutex
	done     int64
	measured []measuredColumn // by column of the data
}

// measuredColumn is what one column shows.
type measuredColumn struct {
	quality quality.Column
	drift   *drift.Feature
	windows []drift.Feature
	noDrift string
	slice   *searched
	leak    *quality.Leak
}

func measureColumns(ctx context.Context, cfg Config, p *plan, in inputs, r *rows) (*columns, error) {
	all := in.data.Columns()
	pass := &columnPass{cfg: cfg, plan: p, in: in, rows: r, search: newSearch(r), measured: make([]measuredColumn, len(all))}
	out := &columns{duplicates: quality.NewRowHasher(r.n)}
	if p.ID != "" {
		out.ids = quality.NewIDHasher(r.n)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cfg.Workers)
	for i, c := range all {
		group.Go(func() error {
			m, err := pass.measure(ctx, i, c, out)
			if err != nil {
				return err
			}
			pass.mu.Lock()
			defer pass.mu.Unlock()
			pass.measured[i] = m
			pass.done++
			cfg.Progress("measuring columns", pass.done, int64(len(all)))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	pass.collect(out)
	return out, nil
}

// collect puts the columns together in the order of the table, whatever order they came in.
func (pass *columnPass) collect(out *columns) {
	out.byWindow = make([][]drift.Feature, pass.rows.windows.len())
	for _, m := range pass.measured {
		out.quality = append(out.quality, m.quality)
		if m.drift != nil {
			out.drift = append(out.drift, *m.drift)
			for w := range m.windows {
				out.byWindow[w] = append(out.byWindow[w], m.windows[w])
			}
		}
		if m.noDrift != "" {
			out.noDrift = append(out.noDrift, m.noDrift)
		}
		if m.slice != nil {
			pass.search.columns = append(pass.search.columns, *m.slice)
		}
		if m.leak != nil {
			out.leaks = append(out.leaks, *m.leak)
		}
	}
	out.slices = pass.search.find()
}

// held is one column in memory.
type held struct {
	numbers []float64 // NaN where missing
	codes   []uint32
	values  []string
	counts  []int64 // by code
	missing int64   // of a category
}

func (pass *columnPass) measure(ctx context.Context, i int, c table.Column, out *columns) (measuredColumn, error) {
	role := pass.plan.role(c.Name)
	reference, profile, err := pass.reference(ctx, c, role)
	if err != nil {
		return measuredColumn{}, err
	}
	m := measuredColumn{noDrift: reference.why}
	profiler := quality.NewProfiler(quality.Config{
		Column: c, Role: role, Reference: profile,
		Dictionary: func() []string { return pass.in.data.Dictionary(c.Name) },
	})
	leak := pass.leakDetector(c, role)
	var h held
	if reference.any() || role == "feature" || role == "group" {
		h = hold(c.Kind, pass.rows.n)
	}
	err = pass.in.data.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		v := &b.Cols[0]
		profiler.Add(b.N, v)
		if role == "id" {
			out.ids.Add(i, b.Row, b.N, v)
		} else {
			out.duplicates.Add(i, b.Row, b.N, v)
		}
		leak.add(b.Row, b.N, v)
		h.add(b.Row, v)
		return nil
	})
	if err != nil {
		return measuredColumn{}, err
	}
	m.quality = profiler.Result()
	m.leak = leak.result()
	h.finish(pass.in.data.Dictionary(c.Name))
	if reference.any() {
		pass.compare(&m, reference, h)
	}
	if pass.search != nil && (role == "feature" || role == "group") {
		m.slice = pass.cut(c, reference, h)
	}
	return m, nil
}

func hold(kind table.Kind, n int64) held {
	switch kind {
	case table.Number:
		return held{numbers: make([]float64, n)}
	case table.Category:
		return held{codes: make([]uint32, n)}
	}
	return held{}
}

func (h *held) add(from int64, v *table.Vector) {
	if h.numbers != nil {
		copy(h.numbers[from:], v.Float)
	}
	if h.codes != nil {
		copy(h.codes[from:], v.Code)
	}
}

func (h *held) finish(dictionary []string) {
	if h.codes == nil {
		return
	}
	h.values, h.counts = dictionary, make([]int64, len(dictionary))
	for _, code := range h.codes {
		if int(code) < len(h.counts) {
			h.counts[code]++
		} else {
			h.missing++
		}
	}
}

// cut makes the cells of the search for slices.
func (pass *columnPass) cut(c table.Column, reference reference, h held) *searched {
	var s searched
	switch {
	case h.numbers != nil:
		edges := reference.edges()
		if edges == nil {
			edges = ownEdges(h.numbers)
		}
		if len(edges) == 0 {
			return nil
		}
		s = pass.search.numbers(c.Name, h.numbers, edges)
	case h.codes != nil:
		s = pass.search.categories(c.Name, h.codes, h.values, h.counts)
	default:
		return nil
	}
	return &s
}

// edgeSample is the number of values from which the cells of a column without reference are made.
const edgeSample = 100_000

// ownEdges returns the distinct deciles of a column's finite values, or of evenly spaced ones.
func ownEdges(values []float64) []float64 {
	step := max(1, len(values)/edgeSample)
	var sample []float64
	for i := 0; i < len(values); i += step {
		if finite(values[i]) {
			sample = append(sample, values[i])
		}
	}
	slices.Sort(sample)
	var edges []float64
	for i := 1; i < 10 && len(sample) > 0; i++ {
		edge := sample[i*(len(sample)-1)/10]
		if len(edges) == 0 || edge > edges[len(edges)-1] {
			edges = append(edges, edge)
		}
	}
	return edges
}

// compare compares the whole column, and each window of it, with the reference.
func (pass *columnPass) compare(m *measuredColumn, reference reference, h held) {
	whole := reference.compare(h)
	m.drift = &whole
	w := pass.rows.windows
	if w.len() == 0 {
		return
	}
	m.windows = make([]drift.Feature, w.len())
	if w.chunk > 0 {
		for k := range m.windows {
			from := int64(k) * w.chunk
			m.windows[k] = reference.compare(h.part(from, min(pass.rows.n, from+w.chunk)))
		}
		return
	}
	starts := make([]int64, w.len()+1)
	for k, s := range w.spans {
		starts[k+1] = starts[k] + s.rows
	}
	dealt, next := h.like(starts[w.len()]), slices.Clone(starts)
	for row, k := range w.of {
		if k == noWindow {
			continue
		}
		if h.numbers != nil {
			dealt.numbers[next[k]] = h.numbers[row]
		} else {
			dealt.codes[next[k]] = h.codes[row]
		}
		next[k]++
	}
	for k := range m.windows {
		m.windows[k] = reference.compare(dealt.part(starts[k], starts[k+1]))
	}
}

// part returns the rows [from, to) of h.
func (h held) part(from, to int64) held {
	if h.numbers != nil {
		return held{numbers: h.numbers[from:to]}
	}
	p := held{codes: h.codes[from:to]}
	p.finish(h.values)
	return p
}

func (h held) like(n int64) held {
	if h.numbers != nil {
		return held{numbers: make([]float64, n)}
	}
	return held{codes: make([]uint32, n), values: h.values}
}
