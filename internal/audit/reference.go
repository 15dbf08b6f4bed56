package audit

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/table"
)

// reference is one column of the reference, ready to compare with; or why there is none.
type reference struct {
	numbers    *drift.Numbers
	categories *drift.Categories
	classes    func(h held) ([]string, []int64, int64) // counts a number column as classes
	why        string
}

func (r reference) any() bool { return r.numbers != nil || r.categories != nil }

func (r reference) edges() []float64 {
	if r.numbers == nil {
		return nil
	}
	return r.numbers.Reference().Edges()
}

func (r reference) compare(h held) drift.Feature {
	switch {
	case r.numbers != nil:
		return r.numbers.Compare(h.numbers, 0) // NaN stands for the missing ones
	case r.classes != nil:
		return r.categories.Compare(r.classes(h))
	}
	return r.categories.Compare(h.values, h.counts, h.missing)
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
	var h held
	if compared(role) {
		h = hold(own.Kind, t.Rows())
	}
	err = t.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		profiler.Add(b.N, &b.Cols[0])
		h.add(b.Row, &b.Cols[0])
		return nil
	})
	if err != nil || !compared(role) {
		return reference{}, profiler, err
	}
	h.finish(t.Dictionary(c.Name))
	r, err := pass.ready(c, own, role, h)
	return r, profiler, err
}

func (pass *columnPass) ready(c, own table.Column, role string, h held) (reference, error) {
	name := c.Name
	role = driftRole(role)
	switch {
	case own.Kind != c.Kind:
		return reference{why: fmt.Sprintf("%s is %s in the data and %s in the reference", name, c.Kind, own.Kind)}, nil
	case own.Kind == table.Category:
		return reference{categories: drift.NewCategories(name, role, h.values, h.counts, h.missing)}, nil
	case own.Kind != table.Number:
		return reference{}, nil
	case role == "prediction" && pass.plan.Task != performance.Regression:
		r := reference{classes: countClasses}
		values, counts, missing := countClasses(h)
		r.categories = drift.NewCategories(name, role, values, counts, missing)
		return r, nil
	}
	numbers, err := drift.NewNumbers(name, role, h.numbers, 0)
	if err != nil {
		return reference{why: name + " has no number in the reference"}, nil //nolint:nilerror // the reason is reported
	}
	return reference{numbers: numbers}, nil
}

// countClasses counts the different values of a number column that holds classes.
func countClasses(h held) (values []string, counts []int64, missing int64) {
	index := map[float64]int{}
	for _, x := range h.numbers {
		if !finite(x) {
			missing++
			continue
		}
		i, ok := index[x]
		if !ok {
			i = len(values)
			index[x] = i
			values, counts = append(values, number(x)), append(counts, 0)
		}
		counts[i]++
	}
	return values, counts, missing
}
