package comparison

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
)

// reader reads the predictions of a question, as they were on record up to a watermark.
type reader struct {
	*Office
	doc        *Document
	question   Question
	registered uint64    // newest event that counts
	asOf       time.Time // of labels; zero: now
	learnt     *learnt
	found      *found
}

// selection chooses predictions until a time.
func (r *reader) selection(to time.Time) query.Selection {
	s := query.Selection{Model: r.doc.Model, From: r.question.From, To: to, Registered: r.registered, AsOf: r.asOf}
	if r.doc.Environment != "" {
		s.Where = append(s.Where, query.Equals("environment", r.doc.Environment))
	}
	return s
}

// side returns whose prediction it is, false if it is of a third version.
func (r *reader) side(version string) (int, bool) {
	switch version {
	case r.question.New:
		return newer, true
	case r.question.Old:
		return older, true
	}
	return 0, false
}

// each calls fn with the rows of both versions, until a time. The first two columns are time and version.
func (r *reader) each(ctx context.Context, to time.Time, columns []string, fn func(b *query.Block, k, window, side int, at prediction.Time) error) error {
	for b, err := range r.config.Asker.Blocks(ctx, r.selection(to), append([]string{"time", "version"}, columns...)) {
		if err != nil {
			return err
		}
		for k := range b.Rows() {
			version, ok := b.Text(1, k)
			if !ok {
				continue
			}
			side, ok := r.side(string(version))
			if !ok {
				continue
			}
			at, err := timeOf(b.Value(0, k))
			if err != nil {
				return err
			}
			if err := fn(b, k, windowOf(at, r.question.From, r.doc.Width), side, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// timeOf returns the time of a row. Times are integers in files.
func timeOf(v prediction.Value) (prediction.Time, error) {
	if v.Kind() != prediction.Int {
		return 0, fmt.Errorf("time of a prediction is %s", v)
	}
	return prediction.Time(v.Int()), nil
}

// read counts everything: how many there are, what the first windows tell, what needs no labels, what does.
func (r *reader) read(ctx context.Context) error {
	windows := int(r.question.To.Sub(r.question.From) / r.doc.Width)
	r.learnt = &learnt{windows: make([][2]int64, windows)}
	r.found = &found{}
	err := r.each(ctx, r.question.To, nil, func(_ *query.Block, _, window, side int, at prediction.Time) error {
		r.learnt.windows[window][side]++
		r.found.rows[side]++
		r.found.newest[side] = max(r.found.newest[side], at)
		return nil
	})
	if err != nil {
		return err
	}
	r.learnt.settleWindows()
	if err := r.learn(ctx); err != nil {
		return err
	}
	r.room()
	if err := r.count(ctx); err != nil {
		return err
	}
	return r.countLabelled(ctx)
}

// maxLearnt bounds the values that are counted of one column while it is learnt which are frequent, and the scores that are kept.
const maxLearnt, maxScores = 10_000, 1_000_000

// learn reads the first windows.
func (r *reader) learn(ctx context.Context) error {
	columns := []string{"score"}
	for _, name := range r.doc.Slices {
		columns = append(columns, "f_"+name)
	}
	for i := range r.doc.Metrics {
		if by := r.doc.Metrics[i].By; by != "" {
			columns = append(columns, "f_"+by)
		}
	}
	counts := make([]map[string]int64, len(columns)-1)
	for i := range counts {
		counts[i] = map[string]int64{}
	}
	var scores []float64
	until := r.question.From.Add(time.Duration(r.learnt.until) * r.doc.Width)
	if r.learnt.until == 0 {
		return nil
	}
	err := r.each(ctx, until, columns, func(b *query.Block, k, _, side int, _ prediction.Time) error {
		if x, ok := number(b.Value(2, k)); ok && side == older && len(scores) < maxScores {
			scores = append(scores, x)
		}
		for i, of := range counts {
			v := b.Value(3+i, k)
			if name := word(v); !v.IsNull() && (of[name] > 0 || len(of) < maxLearnt) {
				of[name]++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.learnt.settleScores(scores)
	r.learnt.settleSlices(r.doc.Slices, counts)
	groups := make([]map[string]int64, len(r.doc.Metrics))
	at := len(r.doc.Slices)
	for i := range r.doc.Metrics {
		if r.doc.Metrics[i].By != "" {
			groups[i] = counts[at]
			at++
		}
	}
	r.learnt.settleGroups(groups)
	return nil
}

// room makes room for what is counted.
func (r *reader) room() {
	f, metrics, windows := r.found, len(r.doc.Metrics), len(r.learnt.windows)
	duels := func(n int) []duel {
		all := make([]duel, n)
		if r.doc.PairBy == "" {
			for i := range all {
				all[i].windows = make([]sides, windows)
			}
		}
		return all
	}
	f.duels, f.edges, f.agreed = duels(metrics), duels(len(r.learnt.edges)), make([]stat.Proportion, metrics)
	for range r.learnt.slices {
		f.slices = append(f.slices, duels(metrics))
	}
	for i := range r.doc.Metrics {
		n := 0
		if r.learnt.groups != nil {
			n = len(r.learnt.groups[i])
		}
		f.groups = append(f.groups, make([]sides, n))
	}
}

// count counts what needs no labels.
func (r *reader) count(ctx context.Context) error {
	if len(r.learnt.groups) == 0 {
		return nil // there are no windows
	}
	c := newCounter(r.doc, false, r.learnt, r.found)
	s := seen{values: make([]prediction.Value, len(c.columns))}
	return r.each(ctx, r.question.To, c.columns, func(b *query.Block, k, window, side int, _ prediction.Time) error {
		s.window, s.side = window, side
		for i := range s.values {
			s.values[i] = b.Value(i+2, k)
		}
		return c.add(&s)
	})
}

// countLabelled counts what needs labels, of predictions that are old enough.
func (r *reader) countLabelled(ctx context.Context) error {
	least := time.Duration(-1)
	for i := range r.doc.Metrics {
		if m := &r.doc.Metrics[i]; m.labelled() && (least < 0 || m.Mature < least) {
			least = m.Mature
		}
	}
	to := r.question.To.Add(-least)
	if least < 0 || !to.After(r.question.From) || len(r.learnt.groups) == 0 {
		return nil
	}
	c := newCounter(r.doc, true, r.learnt, r.found)
	s := seen{values: make([]prediction.Value, len(c.columns))}
	for row, err := range r.config.Asker.Joined(ctx, r.selection(to), c.columns, nil) {
		if err != nil {
			return err
		}
		var ok bool
		if s.side, ok = r.side(row.Version); !ok {
			continue
		}
		s.window, s.held = windowOf(row.Time, r.question.From, r.doc.Width), &row.Held
		copy(s.values, row.Columns)
		if err := c.add(&s); err != nil {
			return err
		}
	}
	return nil
}
