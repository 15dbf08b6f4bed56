package catalog

import (
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// FindingRaised opens a finding.
type FindingRaised struct {
	Finding     string      `json:"finding"` // its fingerprint
	Kind        FindingKind `json:"kind"`
	Severity    Severity    `json:"severity"`
	Environment string      `json:"environment,omitempty"`
	Model       string      `json:"model,omitempty"`
	Version     string      `json:"version,omitempty"`
	About       string      `json:"subject,omitempty"`
	Expected    string      `json:"expected,omitempty"`
	Observed    string      `json:"observed,omitempty"`
	Summary     string      `json:"summary,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingRaised) Subject() (trail.Type, trail.Resource) {
	return trail.FindingRaised, trail.Resource{Type: "finding", ID: f.Finding}
}

// Apply implements trail.Change.
func (f *FindingRaised) Apply(tx *state.Tx, at trail.Mark) error {
	ms := at.Time.UnixMilli()
	_, err := tx.Exec(`INSERT INTO findings (id, fingerprint, kind, severity, environment, model, version, subject, expected, observed, summary,
		first_ms, last_ms, agrees, resolution, event, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?)`,
		at.ID, f.Finding, string(f.Kind), string(f.Severity), f.Environment, f.Model, f.Version, f.About, f.Expected, f.Observed, f.Summary, ms, ms, at.Sequence, at.Sequence)
	return err
}

// FindingSeen says that an open finding is still so.
type FindingSeen struct {
	Finding  string `json:"finding"`
	Model    string `json:"model,omitempty"`
	Observed string `json:"observed,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingSeen) Subject() (trail.Type, trail.Resource) {
	return trail.FindingSeen, trail.Resource{Type: "finding", ID: f.Finding}
}

// Apply implements trail.Change.
func (f *FindingSeen) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE findings SET observed = ?, summary = ?, last_ms = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		f.Observed, f.Summary, at.Time.UnixMilli(), at.Sequence, f.Finding)
}

// FindingResolved settles a finding.
type FindingResolved struct {
	Finding string `json:"finding"`
	Model   string `json:"model,omitempty"`
	Agrees  bool   `json:"agrees"`
	Reason  string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (f *FindingResolved) Subject() (trail.Type, trail.Resource) {
	return trail.FindingResolved, trail.Resource{Type: "finding", ID: f.Finding}
}

// Apply implements trail.Change.
func (f *FindingResolved) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE findings SET resolved_ms = ?, agrees = ?, resolution = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		at.Time.UnixMilli(), f.Agrees, f.Reason, at.Sequence, f.Finding)
}
