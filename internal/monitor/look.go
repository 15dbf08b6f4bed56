package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/window"
)

// counter counts a window's rows into a profile, and for the looks of its checks.
type counter struct {
	seen     *Seen
	features []window.Feature
	columns  []string
	first    int     // place of the first feature's column
	places   [][]int // of the columns of each look
	numbers  []float64
	texts    map[string]int64
}

// newCounter returns the counter of a window whose checks have begun to look.
func newCounter(seen *Seen, reference *window.Reference) *counter {
	c := &counter{seen: seen, columns: []string{columnStatus}, texts: map[string]int64{}}
	place := func(column string) int {
		at := slices.Index(c.columns, column)
		if at < 0 {
			at, c.columns = len(c.columns), append(c.columns, column)
		}
		return at
	}
	if reference != nil {
		c.features, c.first = reference.Features, len(c.columns)
		for _, f := range reference.Features {
			c.columns = append(c.columns, columnOf(&f))
		}
	}
	for _, l := range seen.looks {
		at := make([]int, len(l.columns))
		for i, column := range l.columns {
			at[i] = place(column)
		}
		c.places = append(c.places, at)
	}
	return c
}

// count counts a block that has the counter's columns.
func (c *counter) count(b block) {
	n := int64(b.Rows())
	c.seen.Predictions += n
	for i, l := range c.seen.looks {
		if l.count != nil {
			l.count(b, c.places[i])
		}
	}
	if c.seen.Profile == nil {
		return
	}
	c.seen.Profile.AddRows(n)
	for i := range c.features {
		if c.features[i].Kind == window.KindNumber {
			c.countNumbers(i, b)
		} else {
			c.countTexts(i, b)
		}
	}
}

func (c *counter) countNumbers(feature int, b block) {
	c.numbers = c.numbers[:0]
	missing := int64(0)
	for k := range b.Rows() {
		if x, ok := b.Number(c.first+feature, k); ok {
			c.numbers = append(c.numbers, x)
		} else {
			missing++ // what is no number is as good as missing
		}
	}
	c.seen.Profile.AddNumbers(feature, c.numbers)
	c.seen.Profile.AddMissing(feature, missing)
}

func (c *counter) countTexts(feature int, b block) {
	clear(c.texts)
	missing := int64(0)
	for k := range b.Rows() {
		if text, ok := b.Text(c.first+feature, k); ok {
			c.texts[string(text)]++
		} else if v := b.Value(c.first+feature, k); v.IsNull() {
			missing++
		} else {
			c.texts[v.String()]++
		}
	}
	values := slices.Sorted(maps.Keys(c.texts))
	rows := make([]int64, len(values))
	for i, value := range values {
		rows[i] = c.texts[value]
	}
	c.seen.Profile.AddCounts(feature, values, rows)
	c.seen.Profile.AddMissing(feature, missing)
}

// look counts what is on record of a window, up to an event.
func (o *Office) look(ctx context.Context, d *Document, w Window, version string, reference *window.Reference, until uint64) (*Seen, error) {
	s := query.Selection{Model: d.Model, From: w.From, To: w.To, Where: d.where(version), Registered: until}
	known, err := o.config.Asker.Registered(ctx, d.Model, w.From, w.To, until)
	if err != nil {
		return nil, err
	}
	seen := &Seen{Known: Known{known.Newest, known.Segments}}
	if known.Removed > 0 {
		seen.Removed = true
		return seen, nil
	}
	if known.Segments == 0 {
		seen.Before, err = o.before(ctx, d, w, version, until)
		return withProfile(seen, reference), err
	}
	if seen.looks, err = d.Checks.begin(ctx, &subject{d, w, version, reference, s, o}); err != nil {
		return nil, err
	}
	c := newCounter(withProfile(seen, reference), reference)
	for b, err := range o.config.Asker.Blocks(ctx, s, c.columns) {
		if err != nil {
			return nil, err
		}
		c.count(b)
	}
	if seen.Predictions == 0 {
		seen.Before, err = o.before(ctx, d, w, version, until)
		return seen, err
	}
	seen.Backfilled, err = o.late(ctx, d, w, s, known, seen.Predictions)
	return seen, err
}

func withProfile(s *Seen, r *window.Reference) *Seen {
	if r != nil {
		s.Profile = r.Profile()
	}
	return s
}

// columnOf returns the column of predictions that a feature of a reference is.
func columnOf(f *window.Feature) string {
	if f.Role == window.RoleFeature {
		return "f_" + f.Name
	}
	return f.Role
}

func (d *Document) where(version string) (all []query.Condition) {
	if version != "" {
		all = append(all, query.Equals("version", version))
	}
	if d.Environment != "" {
		all = append(all, query.Equals("environment", d.Environment))
	}
	return all
}

// any reports whether there is a prediction.
func (o *Office) any(ctx context.Context, s query.Selection) (bool, error) {
	for _, err := range o.config.Asker.Blocks(ctx, s, []string{columnStatus}) {
		return err == nil, err
	}
	return false, nil
}

// before reports whether there were predictions before a window. It looks back in growing steps: the last ones are
// near, as a rule.
func (o *Office) before(ctx context.Context, d *Document, w Window, version string, until uint64) (bool, error) {
	s := query.Selection{Model: d.Model, Where: d.where(version), Registered: until, To: w.From}
	for span := 4 * d.Width; ; span *= 16 {
		s.From = w.From.Add(-span)
		last := span > 20*365*day/16
		if last {
			s.From = s.From.AddDate(-1000, 0, 0)
		}
		found, err := o.any(ctx, s)
		if found || err != nil || last {
			return found, err
		}
		s.To = s.From
	}
}

// late counts the predictions of a window that came on record after it was due.
func (o *Office) late(ctx context.Context, d *Document, w Window, s query.Selection, known query.Registry, all int64) (int64, error) {
	due, err := o.eventAt(ctx, d.due(w))
	if err != nil || known.Newest <= due {
		return 0, err
	}
	if due == 0 {
		return all, nil
	}
	s.Registered = due
	punctual := int64(0)
	for b, err := range o.config.Asker.Blocks(ctx, s, []string{columnStatus}) {
		if err != nil {
			return 0, fmt.Errorf("count what came late: %w", err)
		}
		punctual += int64(b.Rows())
	}
	return all - punctual, nil
}
