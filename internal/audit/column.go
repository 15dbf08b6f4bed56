package audit

import (
	"context"
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
// bounded by that many columns, whatever their number.
type columnPass struct {
	cfg    Config
	plan   *plan
	in     inputs
	rows   *rows
	search *search

	mu       sync.Mutex
	done     int64
	measured []measuredColumn // by column of the data
	rooms    []room           // that are not in use
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
	group.SetLimit(pass.workers())
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

// columnsMemory bounds what the columns that are measured at the same time take together.
const columnsMemory = 512 << 20

// pieceRows is how many rows are measured together, so that they stay in the nearest cache on their
// way through all that looks at them.
const pieceRows = 4096

// pieces calls do with the rows of the block's one column, a few at a time. Text comes whole.
func pieces(b *table.Block, do func(row int64, n int, v *table.Vector) error) error {
	v := &b.Cols[0]
	if v.Kind == table.Text {
		return do(b.Row, b.N, v)
	}
	for from := 0; from < b.N; from += pieceRows {
		to := min(b.N, from+pieceRows)
		piece := table.Vector{
			Kind: v.Kind, Null: cut(v.Null, from, to), Float: cut(v.Float, from, to), Code: cut(v.Code, from, to), Time: cut(v.Time, from, to),
		}
		if err := do(b.Row+int64(from), to-from, &piece); err != nil {
			return err
		}
	}
	return nil
}

// cut returns s[from:to], nil of nil.
func cut[T any](s []T, from, to int) []T {
	if s == nil {
		return nil
	}
	return s[from:to]
}

// workers is the number of columns that are measured at the same time.
func (pass *columnPass) workers() int {
	column := int64(16 << 20)
	if pass.rows.exact {
		column += (8 + 2) * pass.rows.n
	}
	switch w := pass.rows.windows; {
	case w.len() == 0:
	case w.ordered():
		column += 8 * min(w.largest(), pass.cfg.ExactRows)
	case pass.rows.exact:
		column += 8 * pass.rows.n
	default:
		column += int64(w.len()) * tallyBytes
	}
	if t := pass.in.reference; t != nil {
		column += t.Rows() / referenceStep(t.Rows()) * referenceRowBytes
	}
	return int(max(1, min(int64(pass.cfg.Workers), columnsMemory/column)))
}

const (
	tallyBytes        = 3 << 19 // of a tally of 65,536 knots
	referenceRowBytes = 36      // of a reference that is being sorted
)

// room holds the numbers of one column, and where they lie among those of the reference.
type room struct {
	numbers []float64
	places  []uint16
}

// room returns an empty room; none where numbers are not held.
func (pass *columnPass) room() room {
	if !pass.rows.exact {
		return room{}
	}
	pass.mu.Lock()
	defer pass.mu.Unlock()
	if last := len(pass.rooms) - 1; last >= 0 {
		r := pass.rooms[last]
		pass.rooms = pass.rooms[:last]
		return r
	}
	return room{make([]float64, 0, pass.rows.n), make([]uint16, 0, pass.rows.n)}
}

func (pass *columnPass) leave(r room) {
	pass.mu.Lock()
	defer pass.mu.Unlock()
	pass.rooms = append(pass.rooms, r)
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

func (pass *columnPass) measure(ctx context.Context, i int, c table.Column, out *columns) (measuredColumn, error) {
	role := pass.plan.role(c.Name)
	reference, profile, err := pass.reference(ctx, c, role)
	if err != nil {
		return measuredColumn{}, err
	}
	m := measuredColumn{noDrift: reference.why}
	var held room
	if reference.numbers != nil {
		held = pass.room()
		defer pass.leave(held)
	}
	compared := reference.gather(pass, c, held)
	profiler := quality.NewProfiler(quality.Config{
		Column: c, Role: role, Reference: profile, Quantiles: compared.quantiles(),
		Dictionary: func() []string { return pass.in.data.Dictionary(c.Name) },
	})
	leak := pass.leakDetector(c, role)
	cells := pass.search.column(c, role)
	picked := strip{looked: pass.rows.looked}
	err = pass.in.data.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		return pieces(b, func(row int64, n int, v *table.Vector) error {
			profiler.Add(n, v)
			if role == "id" {
				out.ids.Add(i, row, n, v)
			} else {
				out.duplicates.Add(i, row, n, v)
			}
			picked.pick(row, n, v)
			leak.add(&picked)
			cells.add(&picked)
			if compared == nil {
				return nil
			}
			return compared.add(row, n, v)
		})
	})
	if err != nil {
		return measuredColumn{}, err
	}
	m.quality = profiler.Result()
	m.leak = leak.result()
	if compared != nil {
		whole, windows := compared.compare()
		m.drift, m.windows = &whole, windows
	}
	m.slice = cells.cut(reference.edges(), pass.in.data.Dictionary(c.Name))
	return m, nil
}
