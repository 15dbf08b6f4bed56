package reaction

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of reactions.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ReactionApplied:  func() trail.Change { return new(Applied) },
		trail.ReactionApproved: func() trail.Change { return new(Approved) },
		trail.ReactionRemoved:  func() trail.Change { return new(Removed) },
		trail.ReactionTried:    func() trail.Change { return new(Tried) },
		trail.ReactionEnded:    func() trail.Change { return new(Ended) },
		trail.RetrainRequested: func() trail.Change { return new(RetrainRequested) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		kept.Rows(),
		{Name: "reaction_hands", Key: []string{"event"}, Columns: []string{"reaction", "digest", "act", "at_ms"}, Sealed: []string{"by_id", "minter", "comment"}},
		{Name: "reaction_tries", Key: []string{"id"}, Columns: []string{
			"event", "reaction", "digest", "model", "version", "environment", "deed", "mode", "cause", "rule", "incident", "state", "target", "request", "awaits", "retrain", "command", "reason",
			"tried_ms", "ended_ms", "last_event",
		}},
		{Name: "retrain_requests", Key: []string{"id"}, Columns: []string{
			"event", "model", "version", "environment", "reaction", "cause", "rule", "incident", "report", "from_ms", "to_ms", "predictions", "known_event", "requested_ms",
		}, Sealed: []string{"reason"}},
	}
}

func resource(reaction string) trail.Resource { return trail.Resource{Type: "reaction", ID: reaction} }

// Applied says what is done, or proposed, when a model is judged bad.
type Applied struct {
	Reaction string            `json:"reaction"`
	Model    string            `json:"model"`
	Document tallystick.Digest `json:"document_digest"`
	Mode     Mode              `json:"mode"`
	Minter   string            `json:"minter,omitempty"`
}

// Subject implements trail.Change.
func (a *Applied) Subject() (trail.Type, trail.Resource) {
	return trail.ReactionApplied, resource(a.Reaction)
}

// Apply implements trail.Change.
func (a *Applied) Apply(tx *state.Tx, at trail.Mark) error {
	if err := kept.Add(tx, at, revision.Revision{Name: a.Reaction, Model: a.Model, Document: a.Document}); err != nil {
		return err
	}
	return addHand(tx, at, a.Reaction, a.Document, applied, a.Minter, "")
}

// Approved says that a reaction acts by itself from now on.
type Approved struct {
	Reaction string            `json:"reaction"`
	Model    string            `json:"model"`
	Document tallystick.Digest `json:"document_digest"`
	Comment  string            `json:"comment,omitempty"`
	Minter   string            `json:"minter,omitempty"`
}

// Subject implements trail.Change.
func (a *Approved) Subject() (trail.Type, trail.Resource) {
	return trail.ReactionApproved, resource(a.Reaction)
}

// Apply implements trail.Change.
func (a *Approved) Apply(tx *state.Tx, at trail.Mark) error {
	return addHand(tx, at, a.Reaction, a.Document, approved, a.Minter, a.Comment)
}

// Removed says that a reaction does nothing any more.
type Removed struct {
	Reaction string `json:"reaction"`
	Model    string `json:"model"`
}

// Subject implements trail.Change.
func (r *Removed) Subject() (trail.Type, trail.Resource) {
	return trail.ReactionRemoved, resource(r.Reaction)
}

// Apply implements trail.Change.
func (r *Removed) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: r.Reaction, Model: r.Model, Removed: true})
}

// What hands have done with a document.
const (
	applied  = "applied"
	approved = "approved"
)

func addHand(tx *state.Tx, at trail.Mark, reaction string, document tallystick.Digest, act, minter, comment string) error {
	_, err := tx.Exec("INSERT INTO reaction_hands (event, reaction, digest, act, by_id, minter, comment, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, reaction, string(document), act, at.Actor, minter, comment, at.Time.UnixMilli())
	return err
}

// State is how far a try has come.
type State string

// The states of a try.
const (
	Proposed State = "proposed" // a person goes on
	Begun    State = "begun"    // it is being carried out
	Done     State = "done"
	Refused  State = "refused" // by the gate, or because nothing could be done
	Lapsed   State = "lapsed"  // people took another way: what was proposed was rejected, withdrawn or expired
	Skipped  State = "skipped" // the reaction does not do it now
)

// Tried says what became of a deed of a reaction when its condition came true. The id of the try is that of the event.
type Tried struct {
	Reaction    string            `json:"reaction"`
	Document    tallystick.Digest `json:"document_digest"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Deed        Kind              `json:"deed"`
	Mode        Mode              `json:"mode"`
	Cause       string            `json:"cause"`
	Rule        string            `json:"rule,omitempty"`
	Incident    string            `json:"incident,omitempty"`
	State       State             `json:"state"`
	Target      string            `json:"target,omitempty"`
	Request     string            `json:"request,omitempty"`
	Retrain     string            `json:"retrain,omitempty"`
	Command     string            `json:"command,omitempty"`
	Reason      string            `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (t *Tried) Subject() (trail.Type, trail.Resource) {
	return trail.ReactionTried, resource(t.Reaction)
}

// Apply implements trail.Change.
func (t *Tried) Apply(tx *state.Tx, at trail.Mark) error {
	ended := at.Time.UnixMilli()
	if t.State == Proposed || t.State == Begun {
		ended = 0
	}
	_, err := tx.Exec(`INSERT INTO reaction_tries (id, event, reaction, digest, model, version, environment, deed, mode, cause, rule, incident, state, target, request, awaits, retrain, command, reason,
		tried_ms, ended_ms, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.ID, at.Sequence, t.Reaction, string(t.Document), t.Model, t.Version, t.Environment, string(t.Deed), string(t.Mode), t.Cause, t.Rule, t.Incident, string(t.State), t.Target, t.Request,
		t.Request != "", t.Retrain, t.Command, t.Reason, at.Time.UnixMilli(), ended, at.Sequence)
	return err
}

// Ended says what came of what was proposed or begun. A rollback that the gate refused stays a request that people can carry
// out, which may end it again.
type Ended struct {
	Try         string `json:"try"`
	Reaction    string `json:"reaction"`
	Model       string `json:"model"`
	Version     string `json:"version,omitempty"`
	Environment string `json:"environment,omitempty"`
	Deed        Kind   `json:"deed"`
	Incident    string `json:"incident,omitempty"`
	State       State  `json:"state"`
	Target      string `json:"target,omitempty"`
	Request     string `json:"request,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (e *Ended) Subject() (trail.Type, trail.Resource) {
	return trail.ReactionEnded, resource(e.Reaction)
}

// Apply implements trail.Change.
func (e *Ended) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE reaction_tries SET state = ?, awaits = ?, reason = ?, ended_ms = ?, last_event = ? WHERE id = ?",
		string(e.State), e.State == Refused && e.Request != "", e.Reason, at.Time.UnixMilli(), at.Sequence, e.Try)
}

// RetrainRequested asks that a model be trained anew. Its id is that of the event.
type RetrainRequested struct {
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Reaction    string            `json:"reaction,omitempty"`
	Cause       string            `json:"cause,omitempty"`
	Rule        string            `json:"rule,omitempty"`
	Incident    string            `json:"incident,omitempty"`
	Report      tallystick.Digest `json:"report_digest"`
	From        int64             `json:"from_ms"`
	To          int64             `json:"to_ms"`
	Predictions int64             `json:"predictions"`
	Known       uint64            `json:"known_event"`
	Reason      string            `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (r *RetrainRequested) Subject() (trail.Type, trail.Resource) {
	return trail.RetrainRequested, trail.Resource{Type: "model", ID: r.Model}
}

// Apply implements trail.Change.
func (r *RetrainRequested) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO retrain_requests (id, event, model, version, environment, reaction, cause, rule, incident, report, from_ms, to_ms, predictions, known_event, requested_ms, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.ID, at.Sequence, r.Model, r.Version, r.Environment, r.Reaction, r.Cause, r.Rule, r.Incident, string(r.Report), r.From, r.To, r.Predictions, int64(r.Known), at.Time.UnixMilli(), r.Reason)
	return err
}
