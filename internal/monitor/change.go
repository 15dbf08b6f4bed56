package monitor

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of monitors.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ReferencePinned: func() trail.Change { return new(Pinned) },
		trail.BreakdownPinned: func() trail.Change { return new(BreakdownPinned) },
		trail.MonitorApplied:  func() trail.Change { return new(Applied) },
		trail.MonitorRemoved:  func() trail.Change { return new(Removed) },
		trail.WindowJudged:    func() trail.Change { return new(Judged) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "model_references", Key: []string{"event"}, Columns: []string{"model", "version", "digest", "source", "predictions", "environment", "from_us", "to_us", "data_digest", "pinned_ms"}},
		{Name: "model_breakdowns", Key: []string{"event"}, Columns: []string{"model", "version", "kind", "digest", "reference_digest", "parts", "predictions", "environment", "from_us", "to_us", "pinned_ms"}},
		kept.Rows(),
		{Name: "window_judgements", Key: []string{"event"}, Columns: []string{"monitor", "model", "version", "from_us", "to_us", "known_event", "digest", "verdict", "predictions", "backfilled", "labelled", "wrong", "awaits_us", "judged_ms"}},
	}
}

// Pinned says with what predictions of a model are compared from now on.
type Pinned struct {
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Reference   tallystick.Digest `json:"reference_digest"`
	Source      string            `json:"source"`
	Predictions int64             `json:"predictions"`
	Environment string            `json:"environment,omitempty"`
	From        string            `json:"from,omitempty"`
	To          string            `json:"to,omitempty"`
	Data        tallystick.Digest `json:"data_digest,omitempty"`
}

// Subject implements trail.Change.
func (p *Pinned) Subject() (trail.Type, trail.Resource) {
	return trail.ReferencePinned, trail.Resource{Type: "model", ID: p.Model}
}

// Apply implements trail.Change.
func (p *Pinned) Apply(tx *state.Tx, at trail.Mark) error {
	from, err := micro(p.From)
	if err != nil {
		return err
	}
	to, err := micro(p.To)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO model_references (event, model, version, digest, source, predictions, environment, from_us, to_us, data_digest, pinned_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, p.Model, p.Version, string(p.Reference), p.Source, p.Predictions, p.Environment, from, to, string(p.Data), at.Time.UnixMilli())
	return err
}

// BreakdownPinned says with what parts of the predictions of a model are compared from now on.
type BreakdownPinned struct {
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Kind        string            `json:"kind"`
	Breakdown   tallystick.Digest `json:"breakdown_digest"`
	Reference   tallystick.Digest `json:"reference_digest"`
	Parts       int64             `json:"parts"`
	Predictions int64             `json:"predictions"`
	Environment string            `json:"environment,omitempty"`
	From        string            `json:"from"`
	To          string            `json:"to"`
}

// Subject implements trail.Change.
func (b *BreakdownPinned) Subject() (trail.Type, trail.Resource) {
	return trail.BreakdownPinned, trail.Resource{Type: "model", ID: b.Model}
}

// Apply implements trail.Change.
func (b *BreakdownPinned) Apply(tx *state.Tx, at trail.Mark) error {
	from, err := micro(b.From)
	if err != nil {
		return err
	}
	to, err := micro(b.To)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO model_breakdowns (event, model, version, kind, digest, reference_digest, parts, predictions, environment, from_us, to_us, pinned_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, b.Model, b.Version, b.Kind, string(b.Breakdown), string(b.Reference), b.Parts, b.Predictions, b.Environment, from, to, at.Time.UnixMilli())
	return err
}

// Applied says what of a model is watched.
type Applied struct {
	Monitor  string            `json:"monitor"`
	Model    string            `json:"model"`
	Document tallystick.Digest `json:"document_digest"`
}

// Subject implements trail.Change.
func (a *Applied) Subject() (trail.Type, trail.Resource) {
	return trail.MonitorApplied, trail.Resource{Type: "monitor", ID: a.Monitor}
}

// Apply implements trail.Change.
func (a *Applied) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: a.Monitor, Model: a.Model, Document: a.Document})
}

// Removed says that a monitor judges no more.
type Removed struct {
	Monitor string `json:"monitor"`
	Model   string `json:"model"`
}

// Subject implements trail.Change.
func (r *Removed) Subject() (trail.Type, trail.Resource) {
	return trail.MonitorRemoved, trail.Resource{Type: "monitor", ID: r.Monitor}
}

// Apply implements trail.Change.
func (r *Removed) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: r.Monitor, Model: r.Model, Removed: true})
}

// Judged says what became of a window.
type Judged struct {
	Monitor     string             `json:"monitor"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty"`
	From        string             `json:"from"`
	To          string             `json:"to"`
	Known       uint64             `json:"known_event"`
	Judgement   tallystick.Digest  `json:"judgement_digest"`
	Verdict     tallystick.Verdict `json:"verdict"`
	Predictions int64              `json:"predictions"`
	Backfilled  int64              `json:"backfilled,omitempty"`
	Labelled    int64              `json:"labelled,omitempty"`
	Wrong       int64              `json:"wrong,omitempty"`
	Awaits      string             `json:"awaits,omitempty"`
}

// Subject implements trail.Change.
func (j *Judged) Subject() (trail.Type, trail.Resource) {
	return trail.WindowJudged, trail.Resource{Type: "monitor", ID: j.Monitor}
}

// Apply implements trail.Change.
func (j *Judged) Apply(tx *state.Tx, at trail.Mark) error {
	from, err := micro(j.From)
	if err != nil {
		return err
	}
	to, err := micro(j.To)
	if err != nil {
		return err
	}
	awaits, err := micro(j.Awaits)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE window_judgements SET awaits_us = 0 WHERE monitor = ? AND from_us = ? AND awaits_us > 0", j.Monitor, from); err != nil {
		return err // the one that counts says what is awaited
	}
	_, err = tx.Exec("INSERT INTO window_judgements (event, monitor, model, version, from_us, to_us, known_event, digest, verdict, predictions, backfilled, labelled, wrong, awaits_us, judged_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, j.Monitor, j.Model, j.Version, from, to, j.Known, string(j.Judgement), string(j.Verdict), j.Predictions, j.Backfilled, j.Labelled, j.Wrong, awaits, at.Time.UnixMilli())
	return err
}

// stamp writes a time as events have it, empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// micro reads what stamp has written, in microseconds; 0 for none.
func micro(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UnixMicro(), err
}
