package alert

import (
	"encoding/json"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of alerts.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.AlertPending:       func() trail.Change { return new(Pended) },
		trail.AlertFired:         func() trail.Change { return new(Fired) },
		trail.AlertResolved:      func() trail.Change { return new(Resolved) },
		trail.AlertSuppressed:    func() trail.Change { return new(Suppressed) },
		trail.AlertUnsuppressed:  func() trail.Change { return new(Unsuppressed) },
		trail.AlertPolicyApplied: func() trail.Change { return new(PolicyApplied) },
		trail.AlertPolicyRemoved: func() trail.Change { return new(PolicyRemoved) },
		trail.SilenceCreated:     func() trail.Change { return new(SilenceCreated) },
		trail.SilenceEnded:       func() trail.Change { return new(SilenceEnded) },
	}
}

// Tables returns the tables of which every row follows from changes. alert_cursors and alert_standings do not.
func Tables() []trail.Table {
	return []trail.Table{
		{
			Name: "alerts", Key: []string{"id"},
			Columns: []string{
				"fingerprint", "rule", "model", "version", "environment", "subject", "segment", "severity", "state", "whole", "labels", "runbook", "verdict", "from_us", "to_us",
				"evidence", "judged_event", "suppressed_by", "cause", "pending_ms", "fired_ms", "resolved_ms", "event", "last_event",
			},
			Sealed: []string{"words", "reason"},
		},
		kept.Rows(),
		{
			Name: "silences", Key: []string{"id"},
			Columns: []string{"matchers", "model", "from_ms", "until_ms", "created_ms", "ended_ms", "ended_by", "event"}, Sealed: []string{"reason", "created_by"},
		},
	}
}

// Identity are the labels by which an alert is known, and its severity.
type Identity struct {
	Fingerprint tallystick.Digest `json:"fingerprint"`
	Rule        string            `json:"rule"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Subject     string            `json:"subject,omitempty"`
	Segment     string            `json:"segment,omitempty"`
	Severity    Severity          `json:"severity"`
}

// Judged is the judgement that changed the state.
type Judged struct {
	From     string             `json:"from,omitempty"`
	To       string             `json:"to,omitempty"`
	Verdict  tallystick.Verdict `json:"verdict,omitempty"`
	Evidence tallystick.Digest  `json:"evidence_digest,omitempty"`
	Event    uint64             `json:"judged_event,omitempty"`
	Words    string             `json:"words,omitempty"`
}

func resource(d tallystick.Digest) trail.Resource {
	return trail.Resource{Type: "alert", ID: string(d)}
}

// Pended says that something was judged bad, and not often enough yet.
type Pended struct {
	Identity
	Judged
}

// Subject implements trail.Change.
func (p *Pended) Subject() (trail.Type, trail.Resource) {
	return trail.AlertPending, resource(p.Fingerprint)
}

// Apply implements trail.Change.
func (p *Pended) Apply(tx *state.Tx, at trail.Mark) error {
	return insert(tx, at, "pending", at.Time.UnixMilli(), 0, &Fired{Identity: p.Identity, Judged: p.Judged})
}

// Fired says that something was judged bad often enough that people are told.
type Fired struct {
	Alert string `json:"alert,omitempty"` // empty: it was not pending
	Identity
	Judged
	Whole        bool     `json:"whole,omitempty"`
	Labels       []string `json:"labels,omitempty"`
	Runbook      string   `json:"runbook,omitempty"`
	SuppressedBy string   `json:"suppressed_by,omitempty"`
}

// Subject implements trail.Change.
func (f *Fired) Subject() (trail.Type, trail.Resource) {
	return trail.AlertFired, resource(f.Fingerprint)
}

// Apply implements trail.Change.
func (f *Fired) Apply(tx *state.Tx, at trail.Mark) error {
	if f.Alert == "" {
		return insert(tx, at, "firing", 0, at.Time.UnixMilli(), f)
	}
	from, to, err := f.span()
	if err != nil {
		return err
	}
	labels, err := list(f.Labels)
	if err != nil {
		return err
	}
	return state.ExecOne(tx, `UPDATE alerts SET state = 'firing', severity = ?, whole = ?, labels = ?, runbook = ?, verdict = ?, words = ?, from_us = ?, to_us = ?, evidence = ?, judged_event = ?,
		suppressed_by = ?, fired_ms = ?, last_event = ? WHERE id = ?`,
		string(f.Severity), f.Whole, labels, f.Runbook, string(f.Verdict), f.Words, from, to, string(f.Evidence), f.Event, f.SuppressedBy, at.Time.UnixMilli(), at.Sequence, f.Alert)
}

func insert(tx *state.Tx, at trail.Mark, is string, pending, fired int64, f *Fired) error {
	from, to, err := f.span()
	if err != nil {
		return err
	}
	labels, err := list(f.Labels)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO alerts (id, fingerprint, rule, model, version, environment, subject, segment, severity, state, whole, labels, runbook, verdict, words, from_us, to_us, evidence, judged_event,
		suppressed_by, cause, reason, pending_ms, fired_ms, resolved_ms, event, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, 0, ?, ?)`,
		at.ID, string(f.Fingerprint), f.Rule, f.Model, f.Version, f.Environment, f.Identity.Subject, f.Segment, string(f.Severity), is, f.Whole, labels, f.Runbook, string(f.Verdict), f.Words,
		from, to, string(f.Evidence), f.Event, f.SuppressedBy, pending, fired, at.Sequence, at.Sequence)
	return err
}

// Resolved says that an alert ended.
type Resolved struct {
	Alert       string            `json:"alert"`
	Fingerprint tallystick.Digest `json:"fingerprint"`
	Rule        string            `json:"rule"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Of          string            `json:"subject,omitempty"`
	State       State             `json:"state"` // that it was in
	Cause       string            `json:"cause"`
	Reason      string            `json:"reason,omitempty"`
	Judged
}

// The causes for which alerts resolve.
const (
	causeJudged   = "judged"   // enough windows passed
	causeReplaced = "replaced" // another version is watched
	causeRemoved  = "removed"  // what judged it was removed
	causeFewer    = "fewer"    // there are no longer too many alerts
	causePerson   = "person"   // somebody says so
)

// Subject implements trail.Change.
func (r *Resolved) Subject() (trail.Type, trail.Resource) {
	return trail.AlertResolved, resource(r.Fingerprint)
}

// Apply implements trail.Change. An alert that ends for another cause than a judgement keeps what was judged last. What
// was counted for it is no longer needed.
func (r *Resolved) Apply(tx *state.Tx, at trail.Mark) error {
	if _, err := tx.Exec("DELETE FROM alert_standings WHERE alert = ?", r.Alert); err != nil {
		return err
	}
	if r.Event == 0 {
		return state.ExecOne(tx, "UPDATE alerts SET state = 'resolved', cause = ?, reason = ?, suppressed_by = '', resolved_ms = ?, last_event = ? WHERE id = ?",
			r.Cause, r.Reason, at.Time.UnixMilli(), at.Sequence, r.Alert)
	}
	from, to, err := r.span()
	if err != nil {
		return err
	}
	return state.ExecOne(tx, `UPDATE alerts SET state = 'resolved', cause = ?, reason = ?, suppressed_by = '', verdict = ?, words = ?, from_us = ?, to_us = ?, evidence = ?, judged_event = ?, resolved_ms = ?, last_event = ?
		WHERE id = ?`, r.Cause, r.Reason, string(r.Verdict), r.Words, from, to, string(r.Evidence), r.Event, at.Time.UnixMilli(), at.Sequence, r.Alert)
}

func (j *Judged) span() (from, to int64, err error) {
	if from, err = micro(j.From); err == nil {
		to, err = micro(j.To)
	}
	return from, to, err
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

// list writes texts as a column has them.
func list(texts []string) (string, error) {
	if len(texts) == 0 {
		return "[]", nil
	}
	data, err := json.Marshal(texts)
	return string(data), err
}
