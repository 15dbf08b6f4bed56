package monitor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/window"
)

// counter counts a window's predictions: by the rules of tallies if those did not, and for the looks of its checks.
type counter struct {
	seen    *Seen
	columns []string
	places  [][]int // of the columns of each look
	rules   *rollup.Counter
	tally   *rollup.Answer // nil: tallies have been read
}

// newCounter returns the counter of a window whose checks have begun to look. What tallies hold, if there are any that cover
// the window, need not be counted.
func newCounter(seen *Seen, rules *rollup.Rules, known *rollup.Answer) *counter {
	c := &counter{seen: seen}
	if known == nil {
		c.columns = rules.Columns()
		c.rules, c.tally = rollup.NewCounter(rules, 0), rules.Answer()
	}
	for _, l := range seen.looks {
		at := make([]int, len(l.columns))
		for i, column := range l.columns {
			if at[i] = slices.Index(c.columns, column); at[i] < 0 {
				at[i], c.columns = len(c.columns), append(c.columns, column)
			}
		}
		c.places = append(c.places, at)
	}
	return c
}

// needless reports whether there is nothing to count.
func (c *counter) needless() bool {
	return c.tally == nil && !slices.ContainsFunc(c.seen.looks, func(l namedLook) bool { return l.count != nil })
}

// count counts a block that has the counter's columns.
func (c *counter) count(b block) {
	for i, l := range c.seen.looks {
		if l.count != nil {
			l.count(b, c.places[i])
		}
	}
	if c.tally != nil {
		c.rules.Add(c.tally.Tally, c.tally.Slices, b)
	}
}

// take tells what was counted by rules.
func (s *Seen) take(rules *rollup.Rules, t *rollup.Answer) {
	s.Predictions, s.Profile, s.slices = t.Predictions, t.Profile, map[string]*rollup.Tally{}
	s.sums = rules.Counts
	for i, c := range rules.Slices {
		s.slices[c.String()] = t.Slices[i]
	}
	for _, l := range s.looks {
		if l.summed == nil {
			continue
		}
		n := make([]int64, len(l.sums))
		for i := range l.sums {
			n[i] = t.Counts[s.sum(l.sums[i])]
		}
		l.summed(n)
	}
}

// sum returns the place of a condition of a summer in what tallies counted.
func (s *Seen) sum(of query.Condition) int {
	return slices.IndexFunc(s.sums, func(c query.Condition) bool { return c.String() == of.String() })
}

// look counts what is on record of a window, up to an event.
func (o *Office) look(ctx context.Context, d *Document, w Window, version string, reference *window.Reference, until uint64, asOf time.Time) (*Seen, error) {
	s := query.Selection{Model: d.Model, From: w.From, To: w.To, Where: d.where(version), Registered: until}
	known, err := o.config.Asker.Registered(ctx, d.Model, w.From, w.To, until)
	if err != nil {
		return nil, err
	}
	seen := &Seen{Known: Known{Event: known.Newest, Segments: known.Segments}}
	if known.Removed > 0 {
		seen.Removed = true
		return seen, nil
	}
	if known.Segments == 0 {
		seen.Before, err = o.before(ctx, d, w, version, until)
		return withProfile(seen, reference), err
	}
	of := &subject{document: d, window: w, version: version, reference: reference, selection: s, office: o, asOf: asOf}
	if seen.looks, err = d.Checks.begin(ctx, of); err != nil {
		return nil, err
	}
	if err := o.count(ctx, seen, d, w, version, reference, s); err != nil {
		return nil, err
	}
	seen.Known.Baseline, seen.Known.Judged = of.compared, of.judged
	if seen.turned = of.turned; seen.turned != nil {
		seen.Known.Labels, seen.Known.Judged = seen.turned.known(), max(of.judged, seen.turned.judged)
	}
	if seen.Predictions == 0 {
		seen.Before, err = o.before(ctx, d, w, version, until)
		return seen, err
	}
	seen.Backfilled, err = o.late(ctx, d, w, s, known, seen.Predictions)
	return seen, err
}

// count counts the predictions of a window: from tallies, if they cover exactly what is known, and otherwise one by one. What
// comes of it is the same.
func (o *Office) count(ctx context.Context, seen *Seen, d *Document, w Window, version string, reference *window.Reference, s query.Selection) error {
	rules := d.Checks.rules(reference)
	known, err := o.tallies.Read(ctx, rollup.Question{Model: d.Model, From: w.From, To: w.To, Version: version, Environment: d.Environment, Known: seen.Known.Event}, rules)
	if err != nil {
		return err
	}
	c := newCounter(seen, rules, known)
	if c.needless() {
		seen.take(rules, known)
		return nil
	}
	s.Registered = seen.Known.Event
	for b, err := range o.config.Asker.Blocks(ctx, s, c.columns) {
		if err != nil {
			return err
		}
		c.count(b)
	}
	if known == nil {
		known = c.tally
	}
	seen.take(rules, known)
	return nil
}

func withProfile(s *Seen, r *window.Reference) *Seen {
	if r != nil {
		s.Profile = r.Profile()
	}
	return s
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
	due, err := o.config.Trail.NewestAt(ctx, d.due(w))
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
