package comparison

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of comparisons.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ComparisonApplied: func() trail.Change { return new(Applied) },
		trail.ComparisonRemoved: func() trail.Change { return new(Removed) },
		trail.ComparisonJudged:  func() trail.Change { return new(Judged) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		kept.Rows(),
		{Name: "comparison_judgements", Key: []string{"event"}, Columns: []string{"comparison", "model", "new_version", "old_version", "environment", "from_us", "to_us", "known_event", "digest", "verdict", "predictions", "judged_ms"}},
	}
}

// Applied says how versions of a model are compared.
type Applied struct {
	Comparison string            `json:"comparison"`
	Model      string            `json:"model"`
	Document   tallystick.Digest `json:"document_digest"`
}

// Subject implements trail.Change.
func (a *Applied) Subject() (trail.Type, trail.Resource) {
	return trail.ComparisonApplied, trail.Resource{Type: "comparison", ID: a.Comparison}
}

// Apply implements trail.Change.
func (a *Applied) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: a.Comparison, Model: a.Model, Document: a.Document})
}

// Removed says that versions are not compared so any more.
type Removed struct {
	Comparison string `json:"comparison"`
	Model      string `json:"model"`
}

// Subject implements trail.Change.
func (r *Removed) Subject() (trail.Type, trail.Resource) {
	return trail.ComparisonRemoved, trail.Resource{Type: "comparison", ID: r.Comparison}
}

// Apply implements trail.Change.
func (r *Removed) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: r.Comparison, Model: r.Model, Removed: true})
}

// Judged says what was answered about two versions.
type Judged struct {
	Comparison  string            `json:"comparison"`
	Model       string            `json:"model"`
	Version     string            `json:"version"` // the new one
	Against     string            `json:"against_version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	From        string            `json:"from,omitempty"`
	To          string            `json:"to,omitempty"`
	Known       uint64            `json:"known_event"`
	Judgement   tallystick.Digest `json:"judgement_digest"`
	Verdict     Verdict           `json:"verdict"`
	Predictions int64             `json:"predictions"`
}

// Subject implements trail.Change.
func (j *Judged) Subject() (trail.Type, trail.Resource) {
	return trail.ComparisonJudged, trail.Resource{Type: "comparison", ID: j.Comparison}
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
	_, err = tx.Exec("INSERT INTO comparison_judgements (event, comparison, model, new_version, old_version, environment, from_us, to_us, known_event, digest, verdict, predictions, judged_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, j.Comparison, j.Model, j.Version, j.Against, j.Environment, from, to, j.Known, string(j.Judgement), string(j.Verdict), j.Predictions, at.Time.UnixMilli())
	return err
}

// moment writes a time as events have it, empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// micro reads what moment has written, in microseconds; 0 for none.
func micro(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UnixMicro(), err
}

// instant reads what micro has written.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
