package catalog

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// AssignmentRecorded begins an assignment and ends those that it replaces.
type AssignmentRecorded struct{ AssignmentRequest }

// Subject implements trail.Change.
func (a *AssignmentRecorded) Subject() (trail.Type, trail.Resource) {
	return trail.AssignmentRecorded, trail.Resource{Type: "environment", ID: a.Environment + "/" + a.Model}
}

// Apply implements trail.Change.
func (a *AssignmentRecorded) Apply(tx *state.Tx, at trail.Mark) error {
	replaced := ""
	if a.Role.alone() {
		replaced = string(a.Role)
	}
	if _, err := endAssignments(tx, at, a.Environment, a.Model, a.Version, replaced); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO assignments (id, environment, model, version, role, percent, observed, reason, from_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.ID, a.Environment, a.Model, a.Version, string(a.Role), a.Percent, a.Observed, a.Reason, at.Time.UnixMilli(), at.Sequence)
	return err
}

// AssignmentEnded ends an assignment.
type AssignmentEnded struct{ AssignmentEnd }

// Subject implements trail.Change.
func (a *AssignmentEnded) Subject() (trail.Type, trail.Resource) {
	return trail.AssignmentEnded, trail.Resource{Type: "environment", ID: a.Environment + "/" + a.Model}
}

// Apply implements trail.Change.
func (a *AssignmentEnded) Apply(tx *state.Tx, at trail.Mark) error {
	n, err := endAssignments(tx, at, a.Environment, a.Model, a.Version, "")
	if err == nil && n != 1 {
		err = fmt.Errorf("%d assignments of %s@%s in %s are in force, want 1", n, a.Model, a.Version, a.Environment)
	}
	return err
}

// endAssignments ends the assignment of a version, and that of a role. A clock that went back ends none
// before it began.
func endAssignments(tx *state.Tx, at trail.Mark, environment, model, version, role string) (int64, error) {
	ms := at.Time.UnixMilli()
	result, err := tx.Exec(`UPDATE assignments SET until_ms = CASE WHEN from_ms > ? THEN from_ms ELSE CAST(? AS BIGINT) END, end_event = ?
		WHERE environment = ? AND model = ? AND until_ms IS NULL AND (version = ? OR role = ?)`, ms, ms, at.Sequence, environment, model, version, role)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
