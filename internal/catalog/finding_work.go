package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// FindingHand is who works on a finding.
type FindingHand struct {
	ID, Minter string
	Reviewer   bool // has the right to close findings
}

// FindingTriage says who is to put a finding right until when. What is empty stays as it is.
type FindingTriage struct {
	Owner      string    `json:"owner,omitempty" maxLength:"256" doc:"who is to put it right: the name or id of a user, or another name"`
	Severity   Severity  `json:"severity,omitempty" enum:"low,medium,high,critical" doc:"how soon; lowered by a reviewer alone"`
	Due        time.Time `json:"due,omitzero" doc:"until when; later than is usual for the severity by a reviewer alone"`
	Note       string    `json:"note,omitempty" maxLength:"4096" doc:"why; needed for another severity"`
	IfRevision uint64    `json:"if_revision,omitempty" doc:"revision that this is based on"`
}

// FindingRemedy says what was done about a finding.
type FindingRemedy struct {
	Note       string `json:"note" maxLength:"4096" doc:"what was done"`
	Version    string `json:"version,omitempty" maxLength:"128" doc:"version in which it is put right"`
	Ticket     string `json:"ticket,omitempty" maxLength:"1024" doc:"where the work is tracked"`
	IfRevision uint64 `json:"if_revision,omitempty" doc:"revision that this is based on"`
}

// FindingEnd is why a reviewer settles a finding.
type FindingEnd struct {
	Reason     string `json:"reason" minLength:"1" maxLength:"4096" doc:"what was done about it, or why nothing is"`
	IfRevision uint64 `json:"if_revision,omitempty" doc:"revision that this is based on"`
}

// unsettled returns the finding, or a Conflict error if it is settled or has another revision.
func (c *Catalog) unsettled(tx *state.Tx, id string, revision uint64) (Finding, error) {
	f, err := c.FindingIn(tx, id)
	switch {
	case err != nil:
		return f, err
	case !f.Open():
		return f, tallystick.Errorf(tallystick.Conflict, "finding %s was %s on %s", f.ID, f.State, f.Resolved.Format(time.DateTime)).
			WithHint("if the same is wrong again, another finding is raised")
	case revision != 0 && revision != f.Revision:
		return f, tallystick.Errorf(tallystick.Conflict, "finding %s has revision %d, not %d: somebody has changed it", f.ID, f.Revision, revision).
			WithHint("look at it again: `tallystick finding show %s`", f.ID)
	}
	return f, nil
}

// TriageFinding returns the change by which a finding gets an owner and a date, nil if it has them.
func (c *Catalog) TriageFinding(tx *state.Tx, id string, t FindingTriage, by FindingHand) (trail.Change, error) {
	if err := cmp.Or(tallystick.ValidateText("owner", t.Owner, maxOwner), tallystick.ValidateText("note", t.Note, maxWords)); err != nil {
		return nil, err
	}
	f, err := c.unsettled(tx, id, t.IfRevision)
	if err != nil {
		return nil, err
	}
	change := &FindingTriaged{FindingRef: f.ref(), Owner: cmp.Or(t.Owner, f.Owner), Severity: cmp.Or(t.Severity, f.Severity), Note: t.Note}
	due := t.Due.UTC().Truncate(time.Millisecond)
	usual := f.First.Add(change.Severity.Term())
	switch {
	case t.Due.IsZero() && change.Severity == f.Severity:
		due = f.Due
	case t.Due.IsZero():
		due = usual
	}
	change.DueMS = due.UnixMilli()
	same := change.Owner == f.Owner && change.Severity == f.Severity && due.Equal(f.Due)
	switch {
	case !slices.Contains(Severities(), change.Severity):
		return nil, tallystick.Errorf(tallystick.Invalid, "severity %.20q is not critical, high, medium or low", change.Severity)
	case change.Owner == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "finding %s has no owner: nobody is to put it right", f.ID).WithHint("add --owner NAME")
	case f.State == FindingIsTriaged && same && t.Note == "":
		return nil, nil
	case f.State == FindingIsRemediated:
		return nil, tallystick.Errorf(tallystick.Conflict, "finding %s is said to be put right, and waits for a run that shows it", f.ID).
			WithHint("a run that fails reopens it")
	case change.Severity != f.Severity && t.Note == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "severity %s instead of %s needs a reason", change.Severity, f.Severity).WithHint("add --note TEXT")
	case !by.Reviewer && change.Severity.urgency() > f.Severity.urgency():
		return nil, tallystick.Errorf(tallystick.Forbidden, "the severity of finding %s is lowered by a reviewer alone", f.ID).
			WithHint("ask a validator or auditor; to raise it is open to you")
	case !by.Reviewer && due.After(f.Due) && due.After(usual):
		return nil, tallystick.Errorf(tallystick.Forbidden, "finding %s is due on %s; a reviewer alone gives it longer than that", f.ID, f.Due.Format(time.DateOnly)).
			WithHint("ask a validator or auditor, or say an earlier date")
	case !t.Due.IsZero() && due.Before(f.First):
		return nil, tallystick.Errorf(tallystick.Invalid, "finding %s was raised on %s and cannot be due on %s", f.ID, f.First.Format(time.DateOnly), due.Format(time.DateOnly))
	case due.After(tx.Now().AddDate(3, 0, 0)):
		return nil, tallystick.Errorf(tallystick.Invalid, "a date more than three years ahead is none: %s", due.Format(time.DateOnly))
	}
	return change, nil
}

const maxOwner = 256

// RemediateFinding returns the change by which somebody says that a finding is put right. Only a run shows
// whether it is.
func (c *Catalog) RemediateFinding(tx *state.Tx, id string, r FindingRemedy) (trail.Change, error) {
	if r.Note == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "finding %.40q is put right by nothing that was done", id).WithHint("say what was done: --note TEXT")
	}
	if err := cmp.Or(tallystick.ValidateText("note", r.Note, maxWords), tallystick.ValidateText("ticket", r.Ticket, 1024)); err != nil {
		return nil, err
	}
	f, err := c.unsettled(tx, id, r.IfRevision)
	if err != nil {
		return nil, err
	}
	if r.Version != "" {
		if _, err := findVersion(tx, f.Model, r.Version); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Kind.waitsForReviewer():
		return nil, tallystick.Errorf(tallystick.Conflict, "finding %s is about what somebody did: nothing puts it right, a reviewer looks into it", f.ID).
			WithHint("a validator or auditor closes it: `tallystick finding resolve %s --reason TEXT`", f.ID)
	case f.State == FindingIsRemediated:
		if same, err := c.saidBefore(tx, f, r); same || err != nil {
			return nil, err
		}
		return nil, tallystick.Errorf(tallystick.Conflict, "finding %s is said to be put right already", f.ID).WithHint("a run shows whether it is")
	case f.State != FindingIsTriaged:
		return nil, tallystick.Errorf(tallystick.Conflict, "finding %s is %s: nobody has said who is to put it right", f.ID, f.State).
			WithHint("`tallystick finding triage %s --owner NAME`", f.ID)
	}
	return &FindingRemediated{FindingRef: f.ref(), Version: r.Version, Ticket: r.Ticket, Note: r.Note}, nil
}

// saidBefore reports whether the same was said when the finding was put right.
func (c *Catalog) saidBefore(tx *state.Tx, f Finding, r FindingRemedy) (same bool, err error) {
	err = tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM finding_steps WHERE event = (SELECT max(event) FROM finding_steps WHERE finding = ? AND step = 'remediated')
		AND note = ? AND version = ? AND ticket = ?)`, f.ID, r.Note, r.Version, r.Ticket).Scan(&same)
	return same, err
}

// DismissFinding returns the change by which a reviewer answers for it that nothing is to be done about a
// finding, nil if one has.
func (c *Catalog) DismissFinding(tx *state.Tx, id string, e FindingEnd, by FindingHand) (trail.Change, error) {
	f, err := c.ended(tx, id, e, by, FindingIsDismissed)
	if err != nil || !f.Open() {
		return nil, err
	}
	return &FindingDismissed{FindingRef: f.ref(), Reason: e.Reason}, nil
}

// ResolveFinding returns the change by which a reviewer settles a finding, nil if one has. One about a rule
// is settled by a run alone.
func (c *Catalog) ResolveFinding(tx *state.Tx, id string, e FindingEnd, by FindingHand) (trail.Change, error) {
	f, err := c.ended(tx, id, e, by, FindingIsResolved)
	if err != nil || !f.Open() {
		return nil, err
	}
	if f.Kind == RuleFailed {
		return nil, tallystick.Errorf(tallystick.Conflict, "finding %s is about the rule %s: only a run in which it passes settles it", f.ID, f.Subject).
			WithHint("say what was done with `tallystick finding remediate %s --note TEXT`, or answer for it with `tallystick finding dismiss`", f.ID)
	}
	return &FindingResolved{FindingRef: f.ref(), Reason: e.Reason}, nil
}

// ended returns the finding that a reviewer wants to settle; one that was settled so already is no error.
func (c *Catalog) ended(tx *state.Tx, id string, e FindingEnd, by FindingHand, as FindingState) (Finding, error) {
	if e.Reason == "" {
		return Finding{}, tallystick.Errorf(tallystick.Invalid, "finding %.40q cannot be %s without a reason", id, as).WithHint("say what was done about it, or why nothing is")
	}
	if err := tallystick.ValidateText("reason", e.Reason, maxWords); err != nil {
		return Finding{}, err
	}
	if f, err := c.FindingIn(tx, id); err != nil || f.State == as {
		return f, err
	}
	f, err := c.unsettled(tx, id, e.IfRevision)
	if err != nil {
		return f, err
	}
	if f.Suspect != "" && (slices.Contains([]string{by.ID, by.Minter}, f.Suspect) || f.minter != "" && slices.Contains([]string{by.ID, by.Minter}, f.minter)) {
		return f, tallystick.Errorf(tallystick.Forbidden, "finding %s is about what you did: somebody else looks into it", f.ID).
			WithHint("ask another validator or auditor")
	}
	return f, nil
}

// OverdueFindings returns the changes by which it is told that dates have passed, each once, at most 100.
func (c *Catalog) OverdueFindings(tx *state.Tx) (changes []trail.Change, err error) {
	late, err := state.Collect(tx, scanFinding, "SELECT "+findingColumns+` FROM findings WHERE resolved_ms IS NULL AND due_ms < ? AND overdue_ms <> due_ms
		ORDER BY due_ms, event `+state.Limit, tx.Now().UnixMilli(), limit(0))
	if err != nil {
		return nil, fmt.Errorf("look for overdue findings: %w", err)
	}
	for _, f := range late {
		changes = append(changes, &FindingOverdue{FindingRef: f.ref(), Severity: f.Severity, DueMS: f.Due.UnixMilli()})
	}
	return changes, nil
}
