package incident

import (
	"cmp"
	"context"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxText  = 4096 // bytes of a note
	maxTitle = 256
)

// worked returns the incident, or a Conflict error if it is closed.
func (o *Office) worked(tx *state.Tx, id, note string) (Incident, Ref, error) {
	if err := tallystick.ValidateText("note", note, maxText); err != nil {
		return Incident{}, Ref{}, err
	}
	i, err := o.IncidentIn(tx, id)
	if err == nil && i.State == Closed {
		err = tallystick.Errorf(tallystick.Conflict, "incident %s is closed", i.ID).WithHint("open another: `tallystick incident open %s`", i.Model)
	}
	return i, Ref{i.ID, i.Model}, err
}

// said refuses an act that says nothing.
func said(note, what string) error {
	if note == "" {
		return tallystick.Errorf(tallystick.Invalid, "%s is not said", what).WithHint("add --note TEXT")
	}
	return nil
}

// Triage is who leads an incident, and how severe it is. What is empty stays as it is.
type Triage struct {
	Lead     string           `json:"lead,omitempty" maxLength:"256" doc:"who leads it: the name or id of a user, or another name"`
	Severity catalog.Severity `json:"severity,omitempty" enum:"low,medium,high,critical" doc:"how soon somebody must act"`
	Note     string           `json:"note,omitempty" maxLength:"4096" doc:"why; needed for another severity"`
}

// Triage returns the change by which an incident gets a lead or another severity, nil if it has them.
func (o *Office) Triage(tx *state.Tx, id string, t Triage) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, t.Note)
	if err != nil {
		return nil, err
	}
	change := &Triaged{Ref: ref, Severity: cmp.Or(t.Severity, i.Severity), Lead: cmp.Or(t.Lead, i.Lead), Note: t.Note}
	if err := checkSeverity(change.Severity); err != nil {
		return nil, err
	}
	if err := tallystick.ValidateText("lead", t.Lead, maxTitle); err != nil {
		return nil, err
	}
	if change.Severity == i.Severity && change.Lead == i.Lead {
		return nil, nil
	}
	if change.Severity != i.Severity {
		if err := said(t.Note, "why the severity is "+string(change.Severity)+" and not "+string(i.Severity)); err != nil {
			return nil, err
		}
	}
	return change, nil
}

func checkSeverity(s catalog.Severity) error {
	if !slices.Contains(catalog.Severities(), s) {
		return tallystick.Errorf(tallystick.Invalid, "severity %.20q is not critical, high, medium or low", s)
	}
	return nil
}

// Acknowledge returns the change by which somebody says that they work on an incident, nil if somebody has.
func (o *Office) Acknowledge(tx *state.Tx, id, note string) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, note)
	if err != nil || i.State != Open {
		return nil, err
	}
	return &Acknowledgement{ref, note}, nil
}

// Note returns the change by which somebody writes down what was seen or done.
func (o *Office) Note(tx *state.Tx, id, note string) (trail.Change, error) {
	_, ref, err := o.worked(tx, id, note)
	if err == nil {
		err = said(note, "what was seen or done")
	}
	return &Noted{ref, note}, err
}

// Link says what belongs to an incident.
type Link struct {
	Kind   string `json:"kind" enum:"test,rule,audit,monitor,finding,release,version,ticket" doc:"what it is; test, rule, audit and monitor would find the same again"`
	Target string `json:"target" minLength:"1" maxLength:"1024" doc:"which one: a name, an id, a digest, or for a ticket or test where it is"`
	Note   string `json:"note,omitempty" maxLength:"4096" doc:"what it is to the incident"`
}

// LinkKinds returns what can be linked with an incident.
func LinkKinds() []string {
	return []string{"test", "rule", "audit", "monitor", "finding", "release", "version", "ticket"}
}

// preventive are the kinds of links that would find the same again.
var preventive = []string{"test", "rule", "audit", "monitor"}

// PrepareLink looks whether what is to be linked is on record, as far as it is kept here.
func (o *Office) PrepareLink(ctx context.Context, l Link) (err error) {
	switch l.Kind {
	case "monitor":
		_, _, err = o.config.Monitors.Monitor(ctx, l.Target)
	case "finding":
		_, err = o.config.Catalog.Finding(ctx, l.Target)
	case "release":
		_, _, err = o.config.Releases.Request(ctx, l.Target)
	case "version":
		var model, version string
		if model, version, err = catalog.ParseVersionName(l.Target); err == nil {
			_, err = o.config.Catalog.Version(ctx, model, version)
		}
	}
	return err
}

// Link returns the change that links something with an incident, nil if it is linked.
func (o *Office) Link(tx *state.Tx, id string, l Link) (trail.Change, error) {
	_, ref, err := o.worked(tx, id, l.Note)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(LinkKinds(), l.Kind):
		return nil, tallystick.Errorf(tallystick.Invalid, "%.40q is nothing that can be linked", l.Kind).WithHint("use test, rule, audit, monitor, finding, release, version or ticket")
	case l.Target == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "which %s is linked is not said", l.Kind)
	}
	if err := tallystick.ValidateText("target", l.Target, 1024); err != nil {
		return nil, err
	}
	var there bool
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM incident_steps WHERE incident = ? AND step = 'linked' AND kind = ? AND target = ? AND note = ?)", id, l.Kind, l.Target, l.Note).Scan(&there)
	if err != nil || there {
		return nil, err
	}
	return &Linked{ref, l.Kind, l.Target, l.Note}, nil
}

// Mitigate returns the change by which somebody says that the harm has stopped, nil if that is said.
func (o *Office) Mitigate(tx *state.Tx, id, means, note string) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, note)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(Means(), means):
		return nil, tallystick.Errorf(tallystick.Invalid, "%.40q is no way in which harm is stopped", means).WithHint("use rollback, pause, traffic, fix, none_needed or other")
	case i.State == Mitigated && i.Means == means || i.State == Resolved:
		return nil, nil
	}
	if err := said(note, "what was done"); err != nil {
		return nil, err
	}
	return &Mitigation{ref, means, note}, nil
}

// Resolve returns the change by which somebody says that the cause is removed, nil if that is said.
func (o *Office) Resolve(tx *state.Tx, id string, cause Cause, note string) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, note)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(Causes(), cause):
		return nil, tallystick.Errorf(tallystick.Invalid, "%.40q is no kind of cause", cause).WithHint("use data_drift, concept_drift, feature_bug, metric_flaw, model, release, infrastructure, false_alarm or other")
	case i.State == Resolved && i.Cause == cause:
		return nil, nil
	}
	if err := said(note, "what the cause was, and what was done"); err != nil {
		return nil, err
	}
	return &Resolution{ref, cause, note}, nil
}

// Reopen returns the change by which somebody says that an incident is not resolved.
func (o *Office) Reopen(tx *state.Tx, id, note string) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, note)
	switch {
	case err != nil:
		return nil, err
	case i.State != Resolved && i.State != Mitigated:
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s is %s: nobody said that it is over", i.ID, i.State)
	}
	return &Reopening{ref, note}, said(note, "why it is not over")
}

// Close returns the change by which the post-mortem is accepted and the incident is closed. Of a model whose tier is not
// low the post-mortem is owed, and accepted by somebody else than who wrote it. Where nothing is linked that would find the
// same again, the note says why.
func (o *Office) Close(tx *state.Tx, id, note string, who access.Principal) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, note)
	if err != nil {
		return nil, err
	}
	if i.State != Resolved {
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s is %s, not resolved", i.ID, i.State).WithHint("`tallystick incident resolve %s --cause KIND --note TEXT`", i.ID)
	}
	m, err := o.config.Catalog.ModelIn(tx, i.Model)
	if err != nil {
		return nil, err
	}
	low := m.Tier == tallystick.TierLow
	switch {
	case i.Report == "" && !low:
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s has no post-mortem, which a model of tier %s owes", i.ID, cmp.Or(string(m.Tier), "unknown")).WithHint("`tallystick incident report %s`", i.ID)
	case i.Report != "" && !low && (who.ID == i.ReportedBy || who.Minter != "" && (who.Minter == i.ReportedBy || who.Minter == i.minter) || i.minter != "" && who.ID == i.minter):
		return nil, tallystick.Errorf(tallystick.Forbidden, "you wrote the post-mortem of incident %s: somebody else accepts it", i.ID).WithHint("ask another validator, approver or auditor")
	}
	change := &Closing{Ref: ref, Report: i.Report, Note: note}
	links, err := stepsIn(tx, i.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range links {
		if s.Step == "linked" && slices.Contains(preventive, s.Kind) {
			change.Prevented++
		}
	}
	if change.Prevented == 0 && note == "" {
		return nil, tallystick.Errorf(tallystick.Conflict, "nothing is linked that would find incident %s again", i.ID).
			WithHint("`tallystick incident link %s --kind test --target WHERE`, or say with --note why nothing can", i.ID)
	}
	return change, nil
}

// Add returns the change that adds a document to the evidence of an incident, nil if it has that already.
func (o *Office) Add(tx *state.Tx, id string, change *EvidenceAdded) (trail.Change, error) {
	_, ref, err := o.worked(tx, id, change.Note)
	if err != nil {
		return nil, err
	}
	var there bool
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM incident_steps WHERE incident = ? AND step = 'evidence' AND digest = ?)", id, string(change.Evidence)).Scan(&there)
	if err != nil || there {
		return nil, err
	}
	change.Ref = ref
	return change, nil
}
