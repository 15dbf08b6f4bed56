package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Role is what a version does where it serves.
type Role string

// The roles. An environment has at most one champion and one canary of a model; a version has one role.
const (
	Champion   Role = "champion"   // it answers
	Challenger Role = "challenger" // it is compared with the champion
	Shadow     Role = "shadow"     // it sees the requests and answers nobody
	Canary     Role = "canary"     // it answers a share of the requests
)

// alone reports whether only one version of a model can have the role in an environment.
func (r Role) alone() bool { return r == Champion || r == Canary }

// Assignment says which version serves where, as what and when: from From until just before Until.
type Assignment struct {
	ID          string    `json:"id" doc:"Id of the assignment."`
	Environment string    `json:"environment" doc:"Name of the environment."`
	Model       string    `json:"model" doc:"Name of the model."`
	Version     string    `json:"version" doc:"Name of the version."`
	Role        Role      `json:"role" enum:"champion,challenger,shadow,canary" doc:"What the version does there."`
	Percent     int64     `json:"percent,omitempty" doc:"Share of the requests that a canary answers."`
	Observed    bool      `json:"observed,omitempty" doc:"True: it was found to be so, nobody was asked."`
	Reason      string    `json:"reason,omitempty" doc:"Why."`
	From        time.Time `json:"from" doc:"When it began."`
	Until       time.Time `json:"until,omitzero" doc:"When it ended; absent while the version serves."`
	Event       uint64    `json:"event" doc:"Sequence of the event that began it."`
	EndEvent    uint64    `json:"end_event,omitempty" doc:"Sequence of the event that ended it."`
}

// Serving reports whether the assignment has not ended.
func (a Assignment) Serving() bool { return a.Until.IsZero() }

// AssignmentRequest is what somebody wants to serve, or has found to serve, in an environment.
type AssignmentRequest struct {
	Environment string `json:"environment" doc:"Name of the environment."`
	Model       string `json:"model" doc:"Name of the model."`
	Version     string `json:"version" doc:"Name of the version."`
	Role        Role   `json:"role" enum:"champion,challenger,shadow,canary" doc:"What the version does there."`
	Percent     int64  `json:"percent,omitempty" doc:"Share of the requests that a canary answers, 1 to 99."`
	Observed    bool   `json:"observed,omitempty" doc:"True: it is so already; nobody is asked."`
	Reason      string `json:"reason,omitempty" doc:"Why."`
}

// RecordAssignment returns the changes by which a version begins to serve, none if it does already.
// It ends what the version was before, and the champion or canary that it replaces. What the
// environment's strictness forbids is a Forbidden or Conflict error; told as observed, it is recorded
// as a fact, with a finding.
func (c *Catalog) RecordAssignment(tx *state.Tx, a AssignmentRequest) ([]trail.Change, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	where, err := environment(tx, a.Environment)
	if err != nil {
		return nil, err
	}
	v, err := findVersion(tx, a.Model, a.Version)
	if err != nil {
		return nil, err
	}
	is, err := serving(tx, a.Environment, a.Model, a.Version)
	if err == nil && is.Role == a.Role && is.Percent == a.Percent {
		return nil, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the assignment of %s@%s in %s: %w", a.Model, a.Version, a.Environment, err)
	}
	refusal := where.admits(tx, v)
	if refusal != nil && (!a.Observed || tallystick.CodeOf(refusal) == tallystick.Internal) {
		return nil, refusal
	}
	changes := []trail.Change{&AssignmentRecorded{a}}
	if refusal == nil {
		return changes, nil
	}
	return withFinding(tx, changes, FindingRaised{
		Kind: OutOfBand, Environment: a.Environment, Model: a.Model, Version: a.Version, About: a.Version, Observed: string(a.Role),
		Summary: fmt.Sprintf("%s@%s was found as %s in %s, and nobody was asked: %s", a.Model, a.Version, a.Role, a.Environment, plainly(refusal)),
	})
}

// Let returns the change by which a version begins to serve because a release lets it in, nil if it does
// already. It asks for nothing that the release has settled; what is retired or withdrawn is a Conflict
// error.
func (c *Catalog) Let(tx *state.Tx, a AssignmentRequest) (trail.Change, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	v, err := findVersion(tx, a.Model, a.Version)
	if err != nil {
		return nil, err
	}
	if err := v.usable(tx); err != nil {
		return nil, err
	}
	is, err := serving(tx, a.Environment, a.Model, a.Version)
	switch {
	case err == nil && is.Role == a.Role && is.Percent == a.Percent:
		return nil, nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("read the assignment of %s@%s in %s: %w", a.Model, a.Version, a.Environment, err)
	}
	return &AssignmentRecorded{a}, nil
}

// AssignmentEnd is what somebody wants to serve no more, or has found to.
type AssignmentEnd struct {
	Environment string `json:"environment" doc:"Name of the environment."`
	Model       string `json:"model" doc:"Name of the model."`
	Version     string `json:"version" doc:"Name of the version."`
	Observed    bool   `json:"observed,omitempty" doc:"True: it is so already; nobody is asked."`
	Reason      string `json:"reason,omitempty" doc:"Why."`
}

// EndAssignment returns the changes by which a version is withdrawn, none if it does not serve. From
// a gated environment it is a Forbidden error unless told as observed, which raises a finding.
func (c *Catalog) EndAssignment(tx *state.Tx, a AssignmentEnd) ([]trail.Change, error) {
	if err := tallystick.ValidateText("reason", a.Reason, maxWords); err != nil {
		return nil, err
	}
	where, err := environment(tx, a.Environment)
	if err != nil {
		return nil, err
	}
	if _, err := findVersion(tx, a.Model, a.Version); err != nil {
		return nil, err
	}
	is, err := serving(tx, a.Environment, a.Model, a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the assignment of %s@%s in %s: %w", a.Model, a.Version, a.Environment, err)
	}
	changes := []trail.Change{&AssignmentEnded{a}}
	switch {
	case where.Strictness != Gated:
		return changes, nil
	case !a.Observed:
		return nil, errGated(where.Name)
	}
	return withFinding(tx, changes, FindingRaised{
		Kind: OutOfBand, Environment: a.Environment, Model: a.Model, Version: a.Version, About: a.Version, Expected: string(is.Role), Observed: "withdrawn",
		Summary: fmt.Sprintf("%s@%s was found withdrawn from %s, which is gated, and nobody was asked", a.Model, a.Version, a.Environment),
	})
}

// plainly returns what an error says, without its hint.
func plainly(err error) string {
	var e *tallystick.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

func errGated(environment string) error {
	return tallystick.Errorf(tallystick.Forbidden, "environment %q is gated: what serves there is not changed by hand", environment).
		WithHint("a release changes it; what is so already is recorded as observed")
}

// admits returns the error by which the environment refuses a version, or nil.
func (e Environment) admits(tx *state.Tx, v Version) error {
	if err := v.usable(tx); err != nil {
		return err
	}
	switch {
	case e.Strictness == Gated:
		return errGated(e.Name)
	case e.Strictness == Free:
		return nil
	case v.State == Draft:
		return tallystick.Errorf(tallystick.Conflict, "environment %q is checked, and %s is a draft: nobody could tell what runs", e.Name, v.Name()).
			WithHint("register its files: `tallystick register %s PATH`", v.Name())
	}
	verdict, err := lastVerdict(tx, v.Model, v.Version, 0)
	switch {
	case err != nil:
		return err
	case verdict == "":
		return tallystick.Errorf(tallystick.Conflict, "environment %q is checked, and %s has never been audited", e.Name, v.Name()).
			WithHint("audit it: `tallystick audit FILE --model %s`", v.Name())
	case verdict != tallystick.Pass:
		return tallystick.Errorf(tallystick.Conflict, "environment %q is checked, and the last audit of %s ended in %s", e.Name, v.Name(), verdict).
			WithHint("read its report, and audit the version again or assign another")
	}
	return nil
}

// usable returns the error by which every environment refuses a version, or nil.
func (v Version) usable(tx *state.Tx) error {
	m, err := model(tx, v.Model)
	switch {
	case err != nil:
		return err
	case m.State == Retired:
		return tallystick.Errorf(tallystick.Conflict, "model %q is retired and serves nowhere", m.Name)
	case v.State == Withdrawn:
		return tallystick.Errorf(tallystick.Conflict, "version %s is withdrawn and serves nowhere", v.Name())
	}
	return nil
}

// lastVerdict returns how the last audit of a version after an event ended, nothing if there is none.
func lastVerdict(tx *state.Tx, model, version string, since uint64) (verdict tallystick.Verdict, err error) {
	err = tx.QueryRow("SELECT verdict FROM evaluations WHERE model = ? AND version = ? AND event > ? ORDER BY event DESC LIMIT 1", model, version, since).Scan(&verdict)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the last audit of %s@%s: %w", model, version, err)
	}
	return verdict, nil
}

func (a AssignmentRequest) validate() error {
	switch a.Role {
	case Champion, Challenger, Shadow, Canary:
	default:
		return tallystick.Errorf(tallystick.Invalid, "role %q is not champion, challenger, shadow or canary", a.Role)
	}
	if a.Role == Canary && (a.Percent < 1 || a.Percent > 99) {
		return tallystick.Errorf(tallystick.Invalid, "a canary answers 1 to 99 percent of the requests, not %d", a.Percent)
	}
	if a.Role != Canary && a.Percent != 0 {
		return tallystick.Errorf(tallystick.Invalid, "only a canary has a percentage, not a %s", a.Role)
	}
	return tallystick.ValidateText("reason", a.Reason, maxWords)
}

// AssignmentFilter chooses assignments.
type AssignmentFilter struct {
	Environment string
	Model       string
	Version     string
	At          time.Time // only those in force then; zero: whenever
	Serving     bool      // only those that have not ended
	After       string    // the event of the last one that the caller has; empty begins with the newest
	Limit       int       // 0 means 100; at most 1,000
}

// Assignments returns what serves or has served where, newest first.
func (c *Catalog) Assignments(ctx context.Context, f AssignmentFilter) (list []Assignment, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		var w where
		if err := w.serving(tx, f.Environment, f.Model, f.Version, f.Serving, f.At); err != nil {
			return err
		}
		list, err = recent(tx, scanAssignment, "SELECT "+assignmentColumns+" FROM assignments", w, f.After, f.Limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	return list, nil
}

const assignmentColumns = "id, environment, model, version, role, percent, observed, reason, from_ms, until_ms, event, end_event"

// serving returns the assignment of a version that has not ended, or sql.ErrNoRows.
func serving(tx *state.Tx, environment, model, version string) (Assignment, error) {
	return scanAssignment(tx.QueryRow("SELECT "+assignmentColumns+" FROM assignments WHERE environment = ? AND model = ? AND version = ? AND until_ms IS NULL", environment, model, version))
}

func scanAssignment(row state.Scanner) (a Assignment, err error) {
	var from int64
	var until, end sql.NullInt64
	err = row.Scan(&a.ID, &a.Environment, &a.Model, &a.Version, &a.Role, &a.Percent, &a.Observed, &a.Reason, &from, &until, &a.Event, &end)
	a.From = moment(from)
	if until.Valid {
		a.Until, a.EndEvent = moment(until.Int64), uint64(end.Int64)
	}
	return a, err
}

// withFinding adds the change that a difference makes, if it makes one.
func withFinding(tx *state.Tx, changes []trail.Change, f FindingRaised) ([]trail.Change, error) {
	change, err := raise(tx, f)
	if change != nil {
		changes = append(changes, change)
	}
	return changes, err
}
