package query

import (
	"context"
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
	files, release, err := a.open(ctx, &q.Selection)
	if err != nil {
		return Figured{}, err
	}
	defer release()
	if err := known(files, append(q.columns(), columnsOf(q.Where)...)); err != nil {
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
	answer.Files = len(files)
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

// known returns a NotFound error for a feature or attribution that no prediction in the files has.
func known(files []*segment.File, columns []string) error {
	if len(files) == 0 {
		return nil
	}
	var all []string
	spills := false
	for _, f := range files {
		for _, c := range f.Columns() {
			all = append(all, c.Name)
			spills = spills || c.Name == columnOverflow
		}
	}
	for _, name := range columns {
		if spills || !strings.HasPrefix(name, "f_") && !strings.HasPrefix(name, "a_") || slices.Contains(all, name) {
			continue
		}
		err := tallystick.Errorf(tallystick.NotFound, "no prediction of that time has %.140q", name)
		if near := tallystick.Nearest(name, all); near != "" {
			return err.WithHint("did you mean %s?", near)
		}
		return err
	}
	return nil
}

// range_ settles the ranges of histograms that do not say their own.
func (a *Asker) range_(ctx context.Context, files []*segment.File, p *plan, q *Figures) error {
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
