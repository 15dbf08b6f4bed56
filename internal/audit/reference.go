package audit

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/table"
)

// referenceRows is the number of rows of a reference whose numbers are held; of more, every k-th
// is. Categories are counted whatever their number.
const referenceRows = 10_000_000

// reference is one column of the reference, ready to compare with; or why there is none.
type reference struct {
	numbers    *drift.Numbers
	categories *drift.Categories
	classes    bool // the column is numbers that stand for classes
	why        string
}

func (r reference) any() bool { return r.numbers != nil || r.categories != nil }

func (r reference) edges() []float64 {
	if r.numbers == nil {
		return nil
	}
	return r.numbers.Reference().Edges()
}

// compared reports whether the drift of a column with that role is of interest.
func compared(role string) bool {
	switch role {
	case "feature", "group", "score", "prediction":
		return true
	}
	return false
}

// driftRole is the role as drift results name it.
func driftRole(role string) string {
	if role == "group" {
		return "feature"
	}
	return role
}

// reference reads the column of the reference that c is compared with, and its profile.
func (pass *columnPass) reference(ctx context.Context, c table.Column, role string) (reference, *quality.Profiler, error) {
	t := pass.in.reference
	if t == nil {
		return reference{}, nil, nil
	}
	own, err := t.Column(c.Name)
	if err != nil {
		if compared(role) {
			return reference{why: fmt.Sprintf("%s is not in the reference", c.Name)}, nil, nil
		}
		return reference{}, nil, nil
	}
	profiler := quality.NewProfiler(quality.Config{
		Column: own, Role: role, Dictionary: func() []string { return t.Dictionary(c.Name) },
	})
	h := referenceColumn{step: referenceStep(t.Rows()), classes: role == "prediction" && pass.plan.Task != performance.Regression}
	if compared(role) && own.Kind == table.Number && !h.classes {
		h.numbers = make([]float64, 0, min(t.Rows(), t.Rows()/h.step+1))
	}
	err = t.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		profiler.Add(b.N, &b.Cols[0])
		return h.add(b.Row, b.N, &b.Cols[0])
	})
	if err != nil || !compared(role) {
		return reference{}, profiler, err
	}
	return h.ready(c, own, driftRole(role), t.Dictionary(c.Name)), profiler, nil
}

// referenceStep says which rows of a reference are held: every one, or every k-th.
func referenceStep(rows int64) int64 { return max(1, (rows+referenceRows-1)/referenceRows) }

// referenceColumn gathers one column of the reference.
type referenceColumn struct {
	step    int64
	numbers []float64 // NaN where missing
	classes bool      // numbers stand for classes
	asClass classCounts
	codes   codeCounts
}

func (h *referenceColumn) add(row int64, n int, v *table.Vector) error {
	switch {
	case v.Kind == table.Category:
		return h.codes.add(v, 0, n)
	case v.Kind == table.Number && h.classes:
		return h.asClass.add(v, 0, n)
	case h.numbers == nil:
	case h.step == 1:
		h.numbers = append(h.numbers, v.Float...)
	default:
		for i := int((h.step - row%h.step) % h.step); i < n; i += int(h.step) {
			h.numbers = append(h.numbers, v.Float[i])
		}
	}
	return nil
}

func (h *referenceColumn) ready(c, own table.Column, role string, values []string) reference {
	switch {
	case own.Kind != c.Kind:
		return reference{why: fmt.Sprintf("%s is %s in the data and %s in the reference", c.Name, c.Kind, own.Kind)}
	case own.Kind == table.Category:
		return reference{categories: drift.NewCategories(c.Name, role, values, h.codes.of(values), h.codes.missing)}
	case own.Kind != table.Number:
		return reference{}
	case h.classes:
		return reference{classes: true, categories: drift.NewCategories(c.Name, role, h.asClass.values, h.asClass.counts, h.asClass.missing)}
	}
	numbers, err := drift.NewNumbers(c.Name, role, h.numbers, 0)
	if err != nil {
		return reference{why: c.Name + " has no number in the reference"}
	}
	return reference{numbers: numbers}
}

// gather prepares a column for the comparison; nil if there is nothing to compare it with. Numbers
// are held as long as there is room for them.
func (r reference) gather(pass *columnPass, c table.Column, held room) *gathered {
	w, mixed := pass.rows.windows, pass.rows.windows.len() > 0 && !pass.rows.windows.ordered()
	var whole sample
	var begin func(rows int64) sample
	switch {
	case !r.any():
		return nil
	case r.classes:
		begin = func(int64) sample { return &classSample{categories: r.categories} }
		whole = begin(0)
	case r.categories != nil:
		counter := func(sparse bool) sample {
			return &categorySample{
				categories: r.categories, codeCounts: codeCounts{sparse: sparse},
				dictionary: func() []string { return pass.in.data.Dictionary(c.Name) },
			}
		}
		begin = func(int64) sample { return counter(mixed) }
		whole = counter(false)
	default:
		limit := pass.cfg.ExactRows
		n := &numberSample{numbers: r.numbers, limit: cap(held.numbers), values: held.numbers}
		if pass.rows.exact {
			n.tally = r.numbers.Reference().TallyToSettle(held.places) // while values are in the cache
		}
		whole = n
		if mixed && !pass.rows.exact {
			limit = 0 // all windows are open at once: none may hold its values
		}
		begin = func(rows int64) sample {
			return &numberSample{numbers: r.numbers, limit: int(limit), values: make([]float64, 0, min(rows, limit))}
		}
	}
	return newGathered(w, whole, begin)
}
