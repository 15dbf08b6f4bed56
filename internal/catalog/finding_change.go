package catalog

import (
	"cmp"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func findingChanges() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.FindingRaised:     func() trail.Change { return new(FindingRaised) },
		trail.FindingSeen:       func() trail.Change { return new(FindingSeen) },
		trail.FindingTriaged:    func() trail.Change { return new(FindingTriaged) },
		trail.FindingRemediated: func() trail.Change { return new(FindingRemediated) },
		trail.FindingReopened:   func() trail.Change { return new(FindingReopened) },
		trail.FindingDismissed:  func() trail.Change { return new(FindingDismissed) },
		trail.FindingResolved:   func() trail.Change { return new(FindingResolved) },
		trail.FindingOverdue:    func() trail.Change { return new(FindingOverdue) },
	}
}

func findingTables() []trail.Table {
	return []trail.Table{
		{
			Name: "findings", Key: []string{"id"},
			Columns: []string{
				"fingerprint", "kind", "severity", "state", "urgency", "due_ms", "overdue_ms", "reopened", "environment", "model", "version", "subject",
				"expected", "observed", "run", "first_ms", "last_ms", "resolved_ms", "agrees", "event", "last_event",
			},
			Sealed: []string{"summary", "resolution", "owner", "suspect", "minter"},
		},
		{
			Name: "finding_steps", Key: []string{"event"},
			Columns: []string{"finding", "step", "at_ms", "severity", "due_ms", "version", "run"},
			Sealed:  []string{"actor", "owner", "ticket", "note"},
		},
	}
}

// FindingRef names the finding that an event is about.
type FindingRef struct {
	Finding     string `json:"finding"` // its fingerprint
	Environment string `json:"environment,omitempty"`
	Model       string `json:"model,omitempty"`
}

func (r FindingRef) resource() trail.Resource { return trail.Resource{Type: "finding", ID: r.Finding} }

// step writes down what became of the finding. It is read by its fingerprint, so that the row that is
// open is still so.
func (r FindingRef) step(tx *state.Tx, at trail.Mark, s FindingStep) error {
	var id string
	if err := tx.QueryRow("SELECT id FROM findings WHERE fingerprint = ? AND resolved_ms IS NULL", r.Finding).Scan(&id); err != nil {
		return fmt.Errorf("read finding %.20s: %w", r.Finding, err)
	}
	return s.write(tx, at, id)
}

func (s FindingStep) write(tx *state.Tx, at trail.Mark, id string) error {
	var due int64
	if !s.Due.IsZero() {
		due = s.Due.UnixMilli()
	}
	_, err := tx.Exec(`INSERT INTO finding_steps (event, finding, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.Sequence, id, s.Step, at.Time.UnixMilli(), at.Actor, string(s.Severity), due, s.Owner, s.Version, s.Ticket, string(s.Run), s.Note)
	return err
}

// FindingRaised opens a finding.
type FindingRaised struct {
	Finding     string            `json:"finding"` // its fingerprint
	Kind        FindingKind       `json:"kind"`
	Severity    Severity          `json:"severity"`
	DueMS       int64             `json:"due_ms,omitempty"` // the usual date if absent
	Environment string            `json:"environment,omitempty"`
	Model       string            `json:"model,omitempty"`
	Version     string            `json:"version,omitempty"`
	About       string            `json:"subject,omitempty"`
	Expected    string            `json:"expected,omitempty"`
	Observed    string            `json:"observed,omitempty"`
	Run         tallystick.Digest `json:"run_digest,omitempty"`
	Summary     string            `json:"summary,omitempty"`
	Suspect     string            `json:"attempted_by,omitempty"`
	Minter      string            `json:"minter,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingRaised) Subject() (trail.Type, trail.Resource) {
	return trail.FindingRaised, trail.Resource{Type: "finding", ID: f.Finding}
}

// Apply implements trail.Change.
func (f *FindingRaised) Apply(tx *state.Tx, at trail.Mark) error {
	ms := at.Time.UnixMilli()
	due := cmp.Or(f.DueMS, at.Time.Add(f.Severity.Term()).UnixMilli())
	_, err := tx.Exec(`INSERT INTO findings (id, fingerprint, kind, severity, state, urgency, due_ms, environment, model, version, subject, expected, observed,
		summary, run, suspect, minter, first_ms, last_ms, agrees, resolution, event, last_event)
		VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?)`,
		at.ID, f.Finding, string(f.Kind), string(f.Severity), f.Severity.urgency(), due, f.Environment, f.Model, f.Version, f.About, f.Expected, f.Observed,
		f.Summary, string(f.Run), f.Suspect, f.Minter, ms, ms, at.Sequence, at.Sequence)
	if err != nil {
		return err
	}
	return FindingStep{Step: "raised", Severity: f.Severity, Due: moment(due), Version: f.Version, Run: f.Run}.write(tx, at, at.ID)
}

// FindingSeen says that an open finding is still so.
type FindingSeen struct {
	FindingRef
	Observed string `json:"observed,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingSeen) Subject() (trail.Type, trail.Resource) { return trail.FindingSeen, f.resource() }

// Apply implements trail.Change.
func (f *FindingSeen) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE findings SET observed = ?, summary = ?, last_ms = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		f.Observed, f.Summary, at.Time.UnixMilli(), at.Sequence, f.Finding)
}

// FindingReopened says that what was said to be put right is wrong still.
type FindingReopened struct {
	FindingRef
	Version  string            `json:"version,omitempty"`
	Observed string            `json:"observed,omitempty"`
	Run      tallystick.Digest `json:"run_digest,omitempty"`
	Summary  string            `json:"summary,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingReopened) Subject() (trail.Type, trail.Resource) {
	return trail.FindingReopened, f.resource()
}

// Apply implements trail.Change. Owner and date stay as they were.
func (f *FindingReopened) Apply(tx *state.Tx, at trail.Mark) error {
	if err := f.step(tx, at, FindingStep{Step: "reopened", Version: f.Version, Run: f.Run, Note: f.Summary}); err != nil {
		return err
	}
	return state.ExecOne(tx, `UPDATE findings SET state = 'open', reopened = reopened + 1, observed = ?, summary = ?, run = ?, last_ms = ?, last_event = ?
		WHERE fingerprint = ? AND resolved_ms IS NULL`,
		f.Observed, f.Summary, string(f.Run), at.Time.UnixMilli(), at.Sequence, f.Finding)
}

// FindingResolved settles a finding.
type FindingResolved struct {
	FindingRef
	Agrees  bool              `json:"agrees"`
	Version string            `json:"version,omitempty"`
	Run     tallystick.Digest `json:"run_digest,omitempty"`
	Reason  string            `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingResolved) Subject() (trail.Type, trail.Resource) {
	return trail.FindingResolved, f.resource()
}

// Apply implements trail.Change.
func (f *FindingResolved) Apply(tx *state.Tx, at trail.Mark) error {
	as := FindingIsResolved
	if f.Agrees {
		as = FindingIsVerified
	}
	if err := f.step(tx, at, FindingStep{Step: string(as), Version: f.Version, Run: f.Run, Note: f.Reason}); err != nil {
		return err
	}
	return state.ExecOne(tx, "UPDATE findings SET state = ?, resolved_ms = ?, agrees = ?, run = ?, resolution = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		string(as), at.Time.UnixMilli(), f.Agrees, string(f.Run), f.Reason, at.Sequence, f.Finding)
}
