package casework

import (
	"encoding/json"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Opened is the change by which a case is opened.
type Opened struct {
	Prediction  string   `json:"prediction"`
	Model       string   `json:"model"`
	Version     string   `json:"version,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Rule        string   `json:"rule,omitempty"`
	Queue       string   `json:"queue,omitempty"`
	Stratum     []string `json:"stratum,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Output      string   `json:"output,omitempty"`
	Second      bool     `json:"second"`
	Due         int64    `json:"due_ms"`
}

// opened returns a change that says what the record says.
func opened(r *prediction.Record) *Opened {
	o := &Opened{Prediction: r.ID.String(), Model: r.Model, Version: r.Version, Environment: r.Environment}
	if !r.Output.IsNull() {
		if text, err := json.Marshal(r.Output); err == nil {
			o.Output = string(text)
		}
	}
	return o
}

// Subject implements trail.Change.
func (o *Opened) Subject() (trail.Type, trail.Resource) {
	return trail.CaseOpened, trail.Resource{Type: "prediction", ID: o.Prediction}
}

// Apply implements trail.Change.
func (o *Opened) Apply(tx *state.Tx, at trail.Mark) error {
	stratum := "[]"
	if len(o.Stratum) > 0 {
		text, err := json.Marshal(o.Stratum)
		if err != nil {
			return err
		}
		stratum = string(text)
	}
	_, err := tx.Exec(`INSERT INTO cases (id, prediction, model, version, environment, rule, queue, stratum, reason, output, second, state,
		claimed_by, claimed_ms, opened_ms, due_ms, outcome, event, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', '', 0, ?, ?, '', ?, ?)`,
		at.ID, o.Prediction, o.Model, o.Version, o.Environment, o.Rule, o.Queue, stratum, o.Reason, o.Output, o.Second, at.Time.UnixMilli(), o.Due, at.Sequence, at.Sequence)
	return err
}

// Claimed is the change by which a case is somebody's own for a while.
type Claimed struct {
	Case  string `json:"case"`
	Model string `json:"model"`
	Until int64  `json:"until_ms"`
}

// Subject implements trail.Change.
func (c *Claimed) Subject() (trail.Type, trail.Resource) { return trail.CaseClaimed, resource(c.Case) }

// Apply implements trail.Change.
func (c *Claimed) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE cases SET claimed_by = ?, claimed_ms = ?, last_event = ? WHERE id = ?", at.Actor, c.Until, at.Sequence, c.Case)
}

// Released is the change by which a case is anybody's again.
type Released struct {
	Case  string `json:"case"`
	Model string `json:"model"`
}

// Subject implements trail.Change.
func (r *Released) Subject() (trail.Type, trail.Resource) {
	return trail.CaseReleased, resource(r.Case)
}

// Apply implements trail.Change.
func (r *Released) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE cases SET claimed_by = '', claimed_ms = 0, last_event = ? WHERE id = ?", at.Sequence, r.Case)
}

// Judged is the change by which somebody gives an opinion.
type Judged struct {
	Case       string `json:"case"`
	Prediction string `json:"prediction"`
	Model      string `json:"model"`
	Version    string `json:"version,omitempty"`
	Number     int64  `json:"number"`
	State      State  `json:"state"` // of the case then
	Agrees     *bool  `json:"agrees,omitempty"`
	Outcome    string `json:"answer,omitempty"`
	Rationale  string `json:"rationale,omitempty"`
}

// Subject implements trail.Change.
func (j *Judged) Subject() (trail.Type, trail.Resource) { return trail.CaseJudged, resource(j.Case) }

// Apply implements trail.Change.
func (j *Judged) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO case_opinions (case_id, number, reviewer, outcome, rationale, given_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?)",
		j.Case, j.Number, at.Actor, j.Outcome, j.Rationale, at.Time.UnixMilli(), at.Sequence)
	if err != nil {
		return err
	}
	var outcome, decided, agrees any = "", nil, nil
	if j.State == Decided {
		outcome, decided = j.Outcome, at.Time.UnixMilli()
		if j.Agrees != nil {
			agrees = *j.Agrees
		}
	}
	return state.ExecOne(tx, "UPDATE cases SET state = ?, outcome = ?, decided_ms = ?, agrees = ?, claimed_by = '', claimed_ms = 0, last_event = ? WHERE id = ?",
		string(j.State), outcome, decided, agrees, at.Sequence, j.Case)
}

func resource(id string) trail.Resource { return trail.Resource{Type: "case", ID: id} }
