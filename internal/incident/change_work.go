package incident

import (
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Triaged says who leads an incident, and how severe it is.
type Triaged struct {
	Ref
	Severity catalog.Severity `json:"severity"`
	Lead     string           `json:"lead,omitempty"`
	Note     string           `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (t *Triaged) Subject() (trail.Type, trail.Resource) { return trail.IncidentTriaged, t.resource() }

// Apply implements trail.Change.
func (t *Triaged) Apply(tx *state.Tx, at trail.Mark) error {
	return t.step(tx, at, Deed{Step: "triaged", Kind: string(t.Severity), Target: t.Lead, Note: t.Note}, "severity = ?, urgency = ?, lead = ?", string(t.Severity), urgency(t.Severity), t.Lead)
}

// Acknowledgement says that somebody works on an incident.
type Acknowledgement struct {
	Ref
	Note string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (a *Acknowledgement) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentAcknowledged, a.resource()
}

// Apply implements trail.Change. Whoever acknowledges leads, if nobody does.
func (a *Acknowledgement) Apply(tx *state.Tx, at trail.Mark) error {
	return a.step(tx, at, Deed{Step: "acknowledged", Note: a.Note}, "state = 'acknowledged', acknowledged_ms = ?, lead = CASE WHEN lead = '' THEN CAST(? AS TEXT) ELSE lead END", at.Time.UnixMilli(), at.Actor)
}

// Noted is what somebody wrote down.
type Noted struct {
	Ref
	Note string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (n *Noted) Subject() (trail.Type, trail.Resource) { return trail.IncidentNoted, n.resource() }

// Apply implements trail.Change.
func (n *Noted) Apply(tx *state.Tx, at trail.Mark) error {
	return n.step(tx, at, Deed{Step: "noted", Note: n.Note}, "")
}

// StepDone says what came of a step of the runbook.
type StepDone struct {
	Ref
	Runbook tallystick.Digest `json:"runbook_digest"`
	Number  int64             `json:"step"`
	As      string            `json:"as"` // done or skipped
	Note    string            `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (s *StepDone) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentStepDone, s.resource()
}

// Apply implements trail.Change.
func (s *StepDone) Apply(tx *state.Tx, at trail.Mark) error {
	return s.step(tx, at, Deed{Step: s.As, Kind: strconv.FormatInt(s.Number, 10), Note: s.Note}, "")
}

// Mitigation says that the harm has stopped.
type Mitigation struct {
	Ref
	Means string `json:"means"`
	Note  string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (m *Mitigation) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentMitigated, m.resource()
}

// Apply implements trail.Change.
func (m *Mitigation) Apply(tx *state.Tx, at trail.Mark) error {
	return m.step(tx, at, Deed{Step: "mitigated", Kind: m.Means, Note: m.Note}, "state = 'mitigated', means = ?, mitigated_ms = ?, acknowledged_ms = coalesce(acknowledged_ms, ?)",
		m.Means, at.Time.UnixMilli(), at.Time.UnixMilli())
}

// Resolution says that the cause is removed.
type Resolution struct {
	Ref
	Cause Cause  `json:"cause"`
	Note  string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (r *Resolution) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentResolved, r.resource()
}

// Apply implements trail.Change.
func (r *Resolution) Apply(tx *state.Tx, at trail.Mark) error {
	ms := at.Time.UnixMilli()
	return r.step(tx, at, Deed{Step: "resolved", Kind: string(r.Cause), Note: r.Note},
		"state = 'resolved', cause = ?, resolved_ms = ?, mitigated_ms = coalesce(mitigated_ms, ?), acknowledged_ms = coalesce(acknowledged_ms, ?)", string(r.Cause), ms, ms, ms)
}

// Reopening says that what was said to be resolved is not.
type Reopening struct {
	Ref
	Note string `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (r *Reopening) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentReopened, r.resource()
}

// Apply implements trail.Change. The harm is there again, so that neither its end nor a cause is known.
func (r *Reopening) Apply(tx *state.Tx, at trail.Mark) error {
	return r.step(tx, at, Deed{Step: "reopened", Note: r.Note},
		"state = 'acknowledged', means = '', cause = '', mitigated_ms = NULL, resolved_ms = NULL, report = '', reported_by = '', minter = '', reopened = reopened + 1")
}

// Reported says that the post-mortem is written.
type Reported struct {
	Ref
	Report tallystick.Digest `json:"report_digest"`
	Minter string            `json:"minter,omitempty"`
}

// Subject implements trail.Change.
func (r *Reported) Subject() (trail.Type, trail.Resource) {
	return trail.IncidentReported, r.resource()
}

// Apply implements trail.Change.
func (r *Reported) Apply(tx *state.Tx, at trail.Mark) error {
	return r.step(tx, at, Deed{Step: "reported", Digest: r.Report}, "report = ?, reported_by = ?, minter = ?", string(r.Report), at.Actor, r.Minter)
}

// Closing says that nothing is left to be done.
type Closing struct {
	Ref
	Report    tallystick.Digest `json:"report_digest,omitempty"`
	Prevented int64             `json:"prevented"`
	Note      string            `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (c *Closing) Subject() (trail.Type, trail.Resource) { return trail.IncidentClosed, c.resource() }

// Apply implements trail.Change.
func (c *Closing) Apply(tx *state.Tx, at trail.Mark) error {
	return c.step(tx, at, Deed{Step: "closed", Digest: c.Report, Note: c.Note}, "state = 'closed', closed_ms = ?, closed_by = ?", at.Time.UnixMilli(), at.Actor)
}
