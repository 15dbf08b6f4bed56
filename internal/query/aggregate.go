package query

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/segment"
)

// Aggregate answers a question for figures. It reads the files once, and once more for the range of a histogram that
// does not say its own.
func (a *Asker) Aggregate(ctx context.Context, q Figures) (Figured, error) {
	if err := q.validate(); err != nil {
		return Figured{}, err
	}
	files, err := a.open(ctx, &q.Selection)
	if err != nil {
		return Figured{}, err
	}
	if err := known(ctx, files, append(q.columns(), columnsOf(q.Where)...)); err != nil {
		return Figured{}, err
	}
	p := newPlan(&q.Selection, q.columns()...)
	q.Histograms = slices.Clone(q.Histograms)
	if err := a.range_(ctx, files, p, &q); err != nil {
		return Figured{}, err
	}
	t := newTally(&q, p)
	for f, err := range a.frames(ctx, files, p) {
		if err == nil {
			err = t.add(f)
		}
		if err != nil {
			return Figured{}, err
		}
	}
	answer := t.answer()
	answer.Files = files.Len()
	if p.labels {
		answer.Labels = &p.watermark
	}
	return answer, nil
}

func columnsOf(conditions []Condition) (names []string) {
	for _, c := range conditions {
		names = append(names, c.Column)
	}
	return names
}

// maxNames bounds the names of columns that are remembered to suggest one.
const maxNames = 4096

// known returns a NotFound error for a feature or attribution that no prediction in the files has.
func known(ctx context.Context, files *segment.Shelf, columns []string) error {
	unknown := map[string]bool{}
	for _, name := range columns {
		if strings.HasPrefix(name, "f_") || strings.HasPrefix(name, "a_") {
			unknown[name] = true
		}
	}
	if len(unknown) == 0 || files.Len() == 0 {
		return nil
	}
	all := map[string]bool{}
	for f, err := range files.All(ctx) {
		if err != nil {
			return err
		}
		for _, c := range f.Columns() {
			if delete(unknown, c.Name); c.Name == columnOverflow { // it could be there
				clear(unknown)
			}
			if len(all) < maxNames {
				all[c.Name] = true
			}
		}
		if len(unknown) == 0 {
			return nil
		}
	}
	name := slices.Min(slices.Collect(maps.Keys(unknown)))
	err := tallystick.Errorf(tallystick.NotFound, "no prediction of that time has %.140q", name)
	if near := tallystick.Nearest(name, slices.Sorted(maps.Keys(all))); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err
}

// range_ settles the ranges of histograms that do not say their own.
func (a *Asker) range_(ctx context.Context, files *segment.Shelf, p *plan, q *Figures) error {
	var open []int
	for i, h := range q.Histograms {
		if h.Low == h.High {
			open = append(open, i)
			q.Histograms[i].Low, q.Histograms[i].High = math.Inf(1), math.Inf(-1)
		}
	}
	if len(open) == 0 {
		return nil
	}
	for f, err := range a.frames(ctx, files, p) {
		if err != nil {
			return err
		}
		for _, i := range open {
			h := &q.Histograms[i]
			read := newColumn(p, h.Column)
			for k, row := range f.chosen {
				if x, ok := read.number(f, k, row); ok && finite(x) {
					h.Low, h.High = min(h.Low, x), max(h.High, x)
				}
			}
		}
	}
	return nil
}

func finite(x float64) bool { return x-x == 0 }
