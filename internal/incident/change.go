package incident

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables of incidents.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.IncidentOpened:       func() trail.Change { return new(Opened) },
		trail.IncidentAlerted:      func() trail.Change { return new(Alerted) },
		trail.IncidentTriaged:      func() trail.Change { return new(Triaged) },
		trail.IncidentAcknowledged: func() trail.Change { return new(Acknowledgement) },
		trail.IncidentNoted:        func() trail.Change { return new(Noted) },
		trail.IncidentStepDone:     func() trail.Change { return new(StepDone) },
		trail.IncidentLinked:       func() trail.Change { return new(Linked) },
		trail.IncidentEvidence:     func() trail.Change { return new(EvidenceAdded) },
		trail.IncidentMitigated:    func() trail.Change { return new(Mitigation) },
		trail.IncidentResolved:     func() trail.Change { return new(Resolution) },
		trail.IncidentReopened:     func() trail.Change { return new(Reopening) },
		trail.IncidentReported:     func() trail.Change { return new(Reported) },
		trail.IncidentClosed:       func() trail.Change { return new(Closing) },
		trail.RunbookApplied:       func() trail.Change { return new(RunbookApplied) },
		trail.RunbookRemoved:       func() trail.Change { return new(RunbookRemoved) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "incidents", Key: []string{"event"}, Columns: []string{
			"id", "model", "version", "environment", "title", "severity", "urgency", "state", "source", "opened_by", "lead", "first_from_ms", "first_to_ms", "detected_ms", "opened_ms",
			"acknowledged_ms", "mitigated_ms", "resolved_ms", "closed_ms", "means", "cause", "reopened", "brief", "runbook", "runbook_digest", "report", "reported_by", "minter", "closed_by", "last_event",
		}},
		{Name: "incident_alerts", Key: []string{"event"}, Columns: []string{"incident", "alert", "rule", "subject", "segment", "alert_event", "window_from_ms", "window_to_ms", "judgement", "words", "joined_ms"}},
		{Name: "incident_steps", Key: []string{"event"}, Columns: []string{"incident", "step", "by_id", "at_ms", "kind", "target", "note", "digest"}},
		kept.Rows(),
	}
}

// Opened begins an incident, whose id is that of the event.
type Opened struct {
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Severity    catalog.Severity  `json:"severity"`
	Source      string            `json:"source"`
	Title       string            `json:"title,omitempty"`
	FirstFrom   int64             `json:"first_from_ms,omitempty"`
	FirstTo     int64             `json:"first_to_ms,omitempty"`
	Detected    int64             `json:"detected_ms"`
	Brief       tallystick.Digest `json:"brief_digest"`
	Runbook     string            `json:"runbook,omitempty"`
	RunbookAs   tallystick.Digest `json:"runbook_digest,omitempty"`
	Signal
}

// Subject implements trail.Change.
func (o *Opened) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentOpened, trail.Resource{Type: "model", ID: o.Model}
}

// Apply implements trail.Change.
func (o *Opened) Apply(tx *state.Tx, at trail.Mark) error {
	by := at.Actor
	_, err := tx.Exec(`INSERT INTO incidents (event, id, model, version, environment, title, severity, urgency, state, source, opened_by, lead, first_from_ms, first_to_ms,
		detected_ms, opened_ms, means, cause, reopened, brief, runbook, runbook_digest, report, reported_by, minter, closed_by, last_event)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, '', ?, ?, ?, ?, '', '', 0, ?, ?, ?, '', '', '', '', ?)`,
		at.Sequence, at.ID, o.Model, o.Version, o.Environment, o.Title, string(o.Severity), urgency(o.Severity), o.Source, by, o.FirstFrom, o.FirstTo,
		o.Detected, at.Time.UnixMilli(), string(o.Brief), o.Runbook, string(o.RunbookAs), at.Sequence)
	if err != nil {
		return err
	}
	if err := insertStep(tx, at, at.ID, Deed{Step: "opened", Note: o.Title}); err != nil || o.Alert == "" {
		return err
	}
	return o.insert(tx, at, at.ID)
}

// urgency sorts incidents, the most urgent first.
func urgency(s catalog.Severity) int64 {
	for i, other := range catalog.Severities() {
		if s == other {
			return int64(i)
		}
	}
	return int64(len(catalog.Severities()))
}

func (s *Signal) insert(tx *state.Tx, at trail.Mark, id string) error {
	_, err := tx.Exec(`INSERT INTO incident_alerts (event, incident, alert, rule, subject, segment, alert_event, window_from_ms, window_to_ms, judgement, words, joined_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.Sequence, id, s.Alert, s.Rule, s.Subject, s.Segment, s.AlertEvent, s.WindowFrom, s.WindowTo, string(s.Judgement), s.Words, at.Time.UnixMilli())
	return err
}

func insertStep(tx *state.Tx, at trail.Mark, id string, s Deed) error {
	_, err := tx.Exec("INSERT INTO incident_steps (event, incident, step, by_id, at_ms, kind, target, note, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, id, s.Step, at.Actor, at.Time.UnixMilli(), s.Kind, s.Target, s.Note, string(s.Digest))
	return err
}

// Ref names an incident in the events that follow its first.
type Ref struct {
	Incident string `json:"incident"`
	Model    string `json:"model"`
}

func (r Ref) resource() trail.Resource { return trail.Resource{Type: "incident", ID: r.Incident} }

// step puts a step on record and sets columns of the incident beside, given as assignments in SQL with their values.
func (r Ref) step(tx *state.Tx, at trail.Mark, s Deed, set string, args ...any) error {
	if err := insertStep(tx, at, r.Incident, s); err != nil {
		return err
	}
	if set != "" {
		set += ", "
	}
	return state.ExecOne(tx, "UPDATE incidents SET "+set+"last_event = ? WHERE id = ?", append(args, at.Sequence, r.Incident)...)
}

// Alerted makes another alert part of an incident.
type Alerted struct {
	Ref
	Signal
}

// Subject implements trail.Change.
func (a *Alerted) Subject() (trail.Type, trail.Resource) { return trail.IncidentAlerted, a.resource() }

// Apply implements trail.Change.
func (a *Alerted) Apply(tx *state.Tx, at trail.Mark) error {
	if err := a.insert(tx, at, a.Incident); err != nil {
		return err
	}
	return a.step(tx, at, Deed{Step: "alerted", Kind: a.Rule, Target: a.Signal.Subject, Note: a.Words, Digest: a.Judgement}, "")
}

// EvidenceAdded adds a document to the evidence of an incident.
type EvidenceAdded struct {
	Ref
	Kind     string            `json:"kind"`
	Evidence tallystick.Digest `json:"evidence_digest"`
	Note     string            `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (e *EvidenceAdded) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentEvidence, e.resource()
}

// Apply implements trail.Change.
func (e *EvidenceAdded) Apply(tx *state.Tx, at trail.Mark) error {
	return e.step(tx, at, Deed{Step: "evidence", Kind: e.Kind, Digest: e.Evidence, Note: e.Note}, "")
}

// Linked says what belongs to an incident.
type Linked struct {
	Ref
	Kind   string `json:"kind"`
	Target string `json:"target,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (l *Linked) Subject() (trail.Type, trail.Resource) { return trail.IncidentLinked, l.resource() }

// Apply implements trail.Change.
func (l *Linked) Apply(tx *state.Tx, at trail.Mark) error {
	return l.step(tx, at, Deed{Step: "linked", Kind: l.Kind, Target: l.Target, Note: l.Note}, "")
}
