package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/window"
)

// counter counts a window's rows into a profile.
type counter struct {
	document *Document
	seen     *Seen
	features []window.Feature
	numbers  []float64
	texts    map[string]int64
}

// The columns that are read besides those of the reference.
const (
	columnLatency = "latency_us"
	columnStatus  = "status"
)

// count counts a block whose columns are latency, status and then those of the reference.
func (c *counter) count(b *query.Block) {
	n := int64(b.Rows())
	c.seen.Predictions += n
	for k := range b.Rows() {
		if us, ok := b.Number(0, k); ok {
			c.seen.Timed++
			for i, l := range c.document.Checks.Latency {
				if us > float64(l.Limit.Microseconds()) {
					c.seen.Slower[i]++
				}
			}
		}
		if status, _ := b.Text(1, k); string(status) == string(prediction.Failed) || string(status) == string(prediction.TimedOut) {
			c.seen.Failed++
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

func (c *counter) countNumbers(feature int, b *query.Block) {
	c.numbers = c.numbers[:0]
	missing := int64(0)
	for k := range b.Rows() {
		if x, ok := b.Number(feature+2, k); ok {
			c.numbers = append(c.numbers, x)
		} else {
			missing++ // what is no number is as good as missing
		}
	}
	c.seen.Profile.AddNumbers(feature, c.numbers)
	c.seen.Profile.AddMissing(feature, missing)
}

func (c *counter) countTexts(feature int, b *query.Block) {
	clear(c.texts)
	missing := int64(0)
	for k := range b.Rows() {
		if text, ok := b.Text(feature+2, k); ok {
			c.texts[string(text)]++
		} else if v := b.Value(feature+2, k); v.IsNull() {
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
	seen := &Seen{Known: Known{known.Newest, known.Segments}, Slower: make([]int64, len(d.Checks.Latency))}
	if known.Removed > 0 {
		seen.Removed = true
		return seen, nil
	}
	if known.Segments == 0 {
		seen.Before, err = o.before(ctx, d, w, version, until)
		return withProfile(seen, reference), err
	}
	c := counter{document: d, seen: withProfile(seen, reference), texts: map[string]int64{}}
	columns := []string{columnLatency, columnStatus}
	if reference != nil {
		c.features = reference.Features
		for _, f := range reference.Features {
			columns = append(columns, columnOf(&f))
		}
	}
	for b, err := range o.config.Asker.Blocks(ctx, s, columns) {
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
