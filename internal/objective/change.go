package objective

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of objectives.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ObjectiveApplied: func() trail.Change { return new(Applied) },
		trail.ObjectiveRemoved: func() trail.Change { return new(Removed) },
		trail.ObjectiveJudged:  func() trail.Change { return new(Judged) },
	}
}

// Tables returns the tables of which every row follows from changes. objective_counts and objective_cursors follow from what
// is counted.
func Tables() []trail.Table {
	return []trail.Table{
		kept.Rows(),
		{Name: "objective_judgements", Key: []string{"event"}, Columns: []string{
			"objective", "model", "version", "environment", "period", "at_ms", "known_event", "digest", "verdict", "state", "paused", "changed", "good", "valid", "left_ppm", "judged_ms",
		}},
	}
}

// Applied says how well a model is to behave.
type Applied struct {
	Objective   string            `json:"objective"`
	Model       string            `json:"model"`
	Environment string            `json:"environment,omitempty"`
	Document    tallystick.Digest `json:"document_digest"`
}

// Subject implements trail.Change.
func (a *Applied) Subject() (trail.Type, trail.Resource) {
	return trail.ObjectiveApplied, trail.Resource{Type: "objective", ID: a.Objective}
}

// Apply implements trail.Change.
func (a *Applied) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: a.Objective, Model: a.Model, Environment: a.Environment, Document: a.Document})
}

// Removed says that an objective is judged no more.
type Removed struct {
	Objective   string `json:"objective"`
	Model       string `json:"model"`
	Environment string `json:"environment,omitempty"`
}

// Subject implements trail.Change.
func (r *Removed) Subject() (trail.Type, trail.Resource) {
	return trail.ObjectiveRemoved, trail.Resource{Type: "objective", ID: r.Objective}
}

// Apply implements trail.Change.
func (r *Removed) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: r.Objective, Model: r.Model, Environment: r.Environment, Removed: true})
}

// Judged says how an objective stands.
type Judged struct {
	Objective   string             `json:"objective"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty"`
	Environment string             `json:"environment,omitempty"`
	Period      string             `json:"period"`
	At          string             `json:"at"`
	Known       uint64             `json:"known_event"`
	Judgement   tallystick.Digest  `json:"judgement_digest"`
	Verdict     tallystick.Verdict `json:"verdict"`
	State       string             `json:"state"`
	Paused      bool               `json:"paused"`
	Changed     bool               `json:"changed"`
	Good        int64              `json:"good"`
	Valid       int64              `json:"valid"`
	Left        int64              `json:"budget_left_ppm"`
}

// Subject implements trail.Change.
func (j *Judged) Subject() (trail.Type, trail.Resource) {
	return trail.ObjectiveJudged, trail.Resource{Type: "objective", ID: j.Objective}
}

// Apply implements trail.Change.
func (j *Judged) Apply(tx *state.Tx, at trail.Mark) error {
	judged, err := time.Parse(time.RFC3339, j.At)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO objective_judgements (event, objective, model, version, environment, period, at_ms, known_event, digest, verdict, state, paused, changed, good, valid, left_ppm, judged_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.Sequence, j.Objective, j.Model, j.Version, j.Environment, j.Period, judged.UnixMilli(), j.Known, string(j.Judgement), string(j.Verdict), j.State, bit(j.Paused), bit(j.Changed),
		j.Good, j.Valid, j.Left, at.Time.UnixMilli())
	return err
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}
