package catalog

import (
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// FindingTriaged says who is to put a finding right until when.
type FindingTriaged struct {
	FindingRef
	Severity Severity `json:"severity"`
	DueMS    int64    `json:"due_ms"`
	Owner    string   `json:"owner,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingTriaged) Subject() (trail.Type, trail.Resource) {
	return trail.FindingTriaged, f.resource()
}

// Apply implements trail.Change.
func (f *FindingTriaged) Apply(tx *state.Tx, at trail.Mark) error {
	if err := f.step(tx, at, FindingStep{Step: "triaged", Severity: f.Severity, Due: moment(f.DueMS), Owner: f.Owner, Note: f.Note}); err != nil {
		return err
	}
	return state.ExecOne(tx, "UPDATE findings SET state = 'triaged', severity = ?, urgency = ?, due_ms = ?, owner = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		string(f.Severity), f.Severity.urgency(), f.DueMS, f.Owner, at.Sequence, f.Finding)
}

// FindingRemediated says that a finding is put right.
type FindingRemediated struct {
	FindingRef
	Version string `json:"version,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	Note    string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingRemediated) Subject() (trail.Type, trail.Resource) {
	return trail.FindingRemediated, f.resource()
}

// Apply implements trail.Change.
func (f *FindingRemediated) Apply(tx *state.Tx, at trail.Mark) error {
	if err := f.step(tx, at, FindingStep{Step: "remediated", Version: f.Version, Ticket: f.Ticket, Note: f.Note}); err != nil {
		return err
	}
	return state.ExecOne(tx, "UPDATE findings SET state = 'remediated', last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL", at.Sequence, f.Finding)
}

// FindingDismissed says that nothing is to be done about a finding.
type FindingDismissed struct {
	FindingRef
	Reason string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingDismissed) Subject() (trail.Type, trail.Resource) {
	return trail.FindingDismissed, f.resource()
}

// Apply implements trail.Change.
func (f *FindingDismissed) Apply(tx *state.Tx, at trail.Mark) error {
	if err := f.step(tx, at, FindingStep{Step: "dismissed", Note: f.Reason}); err != nil {
		return err
	}
	return state.ExecOne(tx, "UPDATE findings SET state = 'dismissed', resolved_ms = ?, resolution = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		at.Time.UnixMilli(), f.Reason, at.Sequence, f.Finding)
}

// FindingOverdue tells that the date of a finding has passed.
type FindingOverdue struct {
	FindingRef
	Severity Severity `json:"severity"`
	DueMS    int64    `json:"due_ms"`
}

// Subject implements trail.Change.
func (f *FindingOverdue) Subject() (trail.Type, trail.Resource) {
	return trail.FindingOverdue, f.resource()
}

// Apply implements trail.Change.
func (f *FindingOverdue) Apply(tx *state.Tx, at trail.Mark) error {
	if err := f.step(tx, at, FindingStep{Step: "overdue", Severity: f.Severity, Due: moment(f.DueMS)}); err != nil {
		return err
	}
	return state.ExecOne(tx, "UPDATE findings SET overdue_ms = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL", f.DueMS, at.Sequence, f.Finding)
}
