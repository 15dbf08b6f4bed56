package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
)

// labelled returns the look of a check that judges how predictions turned out; nil if the monitor states nothing of labels.
func (s *subject) labelled(ctx context.Context, rows func(*Turned) []Row) (*look, error) {
	if s.document.Checks.Labels == nil {
		return nil, nil
	}
	t, err := s.turnedOut(ctx)
	if err != nil {
		return nil, err
	}
	return &look{judge: func(*facts) []Row { return rows(t) }}, nil
}

// turnedOut reads how the predictions of the window turned out, once for all checks.
func (s *subject) turnedOut(ctx context.Context) (*Turned, error) {
	if s.turned != nil {
		return s.turned, nil
	}
	labels := s.document.Checks.Labels
	now := s.asOf
	if now.IsZero() {
		now = s.office.config.Now()
	}
	t := &Turned{Labels: labels, Of: "the reference"}
	// What is not there when labels are mature may come as late again; then nobody looks any more.
	first := s.window.To.Add(labels.Mature + settle).UTC()
	second := first.Add(labels.Mature)
	if t.Mature = !now.Before(first); !t.Mature {
		t.Again = first
	}
	reading := s.reading()
	var err error
	selection := s.selection
	selection.AsOf = s.asOf
	parts := s.document.Checks.parts(s.reference)
	if t.Window, err = s.office.outcomes(ctx, selection, reading, s.document.Checks.groups(), parts); err != nil {
		return nil, err
	}
	if t.Mature && t.coverage().Rate() < labels.Coverage && now.Before(second) {
		t.Again = second
	}
	if err := s.baseline(ctx, t, reading, parts); err != nil {
		return nil, err
	}
	s.turned = t
	return t, nil
}

// reading says what outputs and labels mean: as the monitor states it, and else as the reference has outputs.
func (s *subject) reading() (r outcome.Reading) {
	if labels := s.document.Checks.Labels; labels != nil {
		r = labels.Reading
	}
	switch {
	case r.Task != "":
	case len(r.Positive) > 0, len(r.Decided) > 0, r.Threshold != nil:
		r.Task = performance.Binary
	default:
		r.Task = outcome.TaskOf(s.reference)
	}
	return r
}

// concept returns the check that says which outputs are wrong.
func (c *Checks) concept() *conceptCheck {
	for _, made := range c.made {
		if is, ok := made.(*conceptCheck); ok {
			return is
		}
	}
	return newConceptCheck()
}

// groups are the attributes that a check compares groups by.
func (c *Checks) groups() []string {
	if f := made[*fairnessCheck](c); f != nil {
		return f.groups
	}
	return nil
}

// outcomes reads predictions with their labels. Each belongs to the parts whose conditions hold.
func (o *Office) outcomes(ctx context.Context, s query.Selection, reading outcome.Reading, groups []string, parts []query.Condition) (*outcome.Set, error) {
	set, err := outcome.New(reading, groups)
	if err != nil {
		return nil, err
	}
	columns := make([]string, len(groups))
	for i, name := range groups {
		columns[i] = "f_" + name
	}
	of := make([]int, len(parts))
	for i := range parts {
		if of[i] = slices.Index(columns, parts[i].Column); of[i] < 0 {
			of[i], columns = len(columns), append(columns, parts[i].Column)
		}
	}
	p := &outcome.Prediction{}
	for row, err := range o.config.Asker.Joined(ctx, s, columns, nil) {
		if err != nil {
			return nil, err
		}
		*p = outcome.Prediction{ID: row.ID, Time: row.Time, Score: row.Score, Output: row.Output, Groups: row.Columns[:len(groups)]}
		for i := range parts {
			if parts[i].HoldsOf(row.Columns[of[i]]) {
				p.Parts |= 1 << i
			}
		}
		if row.Held.Labelled() {
			p.Label, p.Event, p.Lag = row.Held.Value, row.Held.Event, row.Held.First.Sub(row.Time.Time())
		}
		set.Add(p)
	}
	set.Settle()
	return set, nil
}

// baselineOf says which predictions a window is compared with, and what sentences call them; false, with the reason, if there
// are none.
func (s *subject) baselineOf(ctx context.Context) (b query.Selection, name string, ok bool, err error) {
	if labels := s.document.Checks.Labels; labels != nil && !labels.Baseline.From.IsZero() {
		b = s.selection
		b.From, b.To = labels.Baseline.From, labels.Baseline.To
		return b, "the baseline", true, s.compares(ctx, b)
	}
	is, err := s.office.pinned(ctx, s.document, s.version, s.selection.Registered)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return b, "no reference is pinned", false, nil
	case err != nil:
		return b, "", false, err
	case is.Source != OfPredictions:
		return b, "the reference was made of a file, which has no labels on record", false, nil
	}
	of := Document{Environment: is.Environment}
	return query.Selection{Model: is.Model, From: is.From, To: is.To, Where: of.where(is.Version), Registered: is.Event}, "the reference", true, nil
}

// compares notes by which events predictions came on record that the window is compared with, if they are no reference's.
func (s *subject) compares(ctx context.Context, with query.Selection) error {
	known, err := s.office.config.Asker.Registered(ctx, with.Model, with.From, with.To, with.Registered)
	s.compared = max(s.compared, known.Newest)
	return err
}

// baseline reads how the predictions turned out that the window is compared with.
func (s *subject) baseline(ctx context.Context, t *Turned, reading outcome.Reading, parts []query.Condition) error {
	selection, name, ok, err := s.baselineOf(ctx)
	if t.Of = name; err != nil || !ok {
		return err
	}
	selection.AsOf = s.asOf
	known, err := s.office.config.Asker.Labels(ctx, selection.Model, s.asOf)
	if err != nil {
		return err
	}
	threshold := math.NaN()
	if reading.Threshold != nil {
		threshold = *reading.Threshold
	}
	key := fmt.Sprintf("%+v %s %q %q %v %d %v", selection, reading.Task, reading.Positive, reading.Decided, threshold, known.Event, parts)
	set, err := s.office.baselines.get(key, known.Event, func() (*outcome.Set, error) {
		return s.office.outcomes(ctx, selection, reading, nil, parts)
	})
	if err != nil {
		return err
	}
	switch covered := float64(set.Labelled) / max(1, float64(set.Rows)); {
	case set.Rows == 0:
		t.Of = "no prediction of " + name + " is on record"
	case covered < t.Labels.Coverage:
		t.Of = fmt.Sprintf("only %d of %d predictions of %s have a label", set.Labelled, set.Rows, name)
	case set.Unread > 0:
		t.Of = fmt.Sprintf("%d outputs or labels of %s, such as %.80q, do not say what they mean", set.Unread, name, set.Example)
	default:
		t.Baseline = set
	}
	t.baselineNewest = set.Newest
	return nil
}

// pinned returns the reference that a monitor compares with, as events up to until left it.
func (o *Office) pinned(ctx context.Context, d *Document, version string, until uint64) (is Reference, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if d.Reference == "" {
			is, err = newestReference(tx, d.Model, version, until)
			return err
		}
		is, err = scanReference(tx.QueryRow("SELECT "+referenceColumns+" FROM model_references WHERE digest = ? AND event <= ? ORDER BY event DESC LIMIT 1", string(d.Reference), bound(until)))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return is, tallystick.Errorf(tallystick.NotFound, "no reference %s was pinned", d.Reference)
	}
	return is, err
}

// memory keeps the sets that were read last, because windows are compared with the same one again and again.
type memory struct {
	mu   sync.Mutex
	keys []string // what was used last stands last
	sets map[string]*outcome.Set
}

// remembered bounds the sets, each of which takes 40 MB at most.
const remembered = 4

// get returns the set of a key, and reads it if it is not there. What has labels newer than the key says is not kept.
func (m *memory) get(key string, newest uint64, read func() (*outcome.Set, error)) (*outcome.Set, error) {
	m.mu.Lock()
	set := m.sets[key]
	m.mu.Unlock()
	if set != nil {
		return set, nil
	}
	set, err := read()
	if err != nil || set.Newest > newest {
		return set, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sets == nil {
		m.sets = map[string]*outcome.Set{}
	}
	if m.sets[key] == nil {
		m.keys = append(m.keys, key)
	}
	m.sets[key] = set
	if len(m.keys) > remembered {
		delete(m.sets, m.keys[0])
		m.keys = m.keys[1:]
	}
	return set, nil
}

// known says up to which events labels were known that this says anything about.
func (t *Turned) known() uint64 { return max(t.Window.Newest, t.baselineNewest) }
