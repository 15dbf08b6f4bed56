package release

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Direction says in which direction a release goes.
type Direction string

// The kinds.
const (
	Promotion Direction = "promotion" // a version comes in
	Rollback  Direction = "rollback"  // a version that has served before comes back
)

// RequestState is where a request stands. One that has expired stays open, and nothing comes of it.
type RequestState string

// The states of a request.
const (
	Open      RequestState = "open"
	Rejected  RequestState = "rejected"
	Withdrawn RequestState = "withdrawn"
	Done      RequestState = "promoted"
)

// Target is what is to be let in, and where.
type Target struct {
	Kind        Direction         `json:"kind" enum:"promotion,rollback" doc:"whether a version comes in, or comes back"`
	Model       string            `json:"model" doc:"name of the model"`
	Version     string            `json:"version" doc:"name of the version"`
	Digest      tallystick.Digest `json:"version_digest" doc:"digest of the version, to which everything is bound"`
	Environment string            `json:"environment" doc:"name of the environment"`
	Role        catalog.Role      `json:"role" enum:"champion,challenger,shadow,canary" doc:"what the version is to do there"`
	Percent     int64             `json:"percent,omitempty" doc:"share of the requests that a canary answers"`
}

// Name returns the target in words, as in "credit@3 as champion in production".
func (t Target) Name() string {
	return fmt.Sprintf("%s@%s as %s in %s", t.Model, t.Version, t.Role, t.Environment)
}

// Request is what somebody has asked for.
type Request struct {
	ID string `json:"id" doc:"id of the request"`
	Target
	Requester string       `json:"requester" doc:"id of who asked"`
	Minter    string       `json:"minter,omitempty" doc:"id of who made the token by which it was asked"`
	Reason    string       `json:"reason,omitempty" doc:"why"`
	State     RequestState `json:"state" enum:"open,rejected,withdrawn,promoted" doc:"where it stands"`
	Created   time.Time    `json:"created" doc:"when it was asked"`
	Expires   time.Time    `json:"expires" doc:"until when it can be carried out"`
	Closed    time.Time    `json:"closed,omitzero" doc:"when it ceased to be open"`
	ClosedBy  string       `json:"closed_by,omitempty" doc:"id of who closed it"`
	Event     uint64       `json:"event" doc:"sequence of the event that asked"`
	LastEvent uint64       `json:"last_event" doc:"sequence of the last event that changed it"`

	asOf revision // as of which it was looked up; nil if nobody asked
}

// Asking is what somebody wants. An empty Kind is a promotion, an empty Role the champion.
type Asking struct {
	Kind        Direction     `json:"kind,omitempty" enum:"promotion,rollback" doc:"promotion if absent"`
	Model       string        `json:"model" doc:"name of the model"`
	Version     string        `json:"version" doc:"name of the version"`
	Environment string        `json:"environment" doc:"name of the environment"`
	Role        catalog.Role  `json:"role,omitempty" enum:"champion,challenger,shadow,canary" doc:"champion if absent"`
	Percent     int64         `json:"percent,omitempty" doc:"share of the requests that a canary answers, 1 to 99"`
	Reason      string        `json:"reason,omitempty" doc:"why"`
	Lasts       time.Duration `json:"-"` // 0: two weeks
}

const (
	usualWait = 14 * 24 * time.Hour
	maxWait   = 90 * 24 * time.Hour
	maxWords  = 4096
)

// Ask returns the change by which somebody asks for a release; nil if the same is being asked already.
// It is a Conflict error if nothing could come of it.
func (o *Office) Ask(tx *state.Tx, a Asking, who access.Principal) (trail.Change, error) {
	t, err := o.target(tx, a)
	if err != nil {
		return nil, err
	}
	if a.Lasts == 0 {
		a.Lasts = usualWait
	}
	if a.Lasts < 0 || a.Lasts > maxWait {
		return nil, tallystick.Errorf(tallystick.Invalid, "a request that lasts %v is not of 0 to %v", a.Lasts, maxWait)
	}
	if err := checkWords("reason", a.Reason); err != nil {
		return nil, err
	}
	switch is, err := openRequest(tx, t); {
	case err == nil && tx.Now().Before(is.Expires):
		return nil, nil
	case err == nil:
		return nil, tallystick.Errorf(tallystick.Conflict, "request %s of %s has expired and is open still", is.ID, t.Name()).
			WithHint("take it back first: `tallystick release withdraw %s`", is.ID)
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	return &Requested{Target: t, Expires: tx.Now().Add(a.Lasts).UnixMilli(), Minter: who.Minter, Reason: a.Reason}, nil
}

// target completes what is asked for, or refuses what could never be let in.
func (o *Office) target(tx *state.Tx, a Asking) (Target, error) {
	t := Target{Kind: a.Kind, Model: a.Model, Version: a.Version, Environment: a.Environment, Role: a.Role, Percent: a.Percent}
	if t.Kind == "" {
		t.Kind = Promotion
	}
	if t.Role == "" {
		t.Role = catalog.Champion
	}
	if t.Kind != Promotion && t.Kind != Rollback {
		return t, tallystick.Errorf(tallystick.Invalid, "kind %q is not promotion or rollback", t.Kind)
	}
	if _, err := o.config.Catalog.EnvironmentIn(tx, t.Environment); err != nil {
		return t, err
	}
	var err error
	if _, t.Digest, err = o.identified(tx, t.Model, t.Version); err != nil {
		return t, err
	}
	_, err = o.config.Catalog.Let(tx, t.assignment(""))
	return t, err
}

// aim is a target as of a revision.
type aim struct {
	target   Target
	revision revision
}

// aimed returns what is asked for as a request without an id: the target that is kept, if it was looked up as of the same revision.
func (o *Office) aimed(tx *state.Tx, a Asking) (Request, error) {
	now, err := revisionOf(tx, "", Target{Model: a.Model, Version: a.Version, Environment: a.Environment})
	if err != nil {
		return Request{}, err
	}
	a.Reason, a.Lasts = "", 0
	if kept, there := o.aims.get(a); there && maps.Equal(kept.revision, now) {
		return Request{Target: kept.target, asOf: now}, nil
	}
	t, err := o.target(tx, a)
	if err == nil {
		o.aims.put(a, aim{t, now})
	}
	return Request{Target: t, asOf: now}, err
}

func (t Target) assignment(reason string) catalog.AssignmentRequest {
	return catalog.AssignmentRequest{Environment: t.Environment, Model: t.Model, Version: t.Version, Role: t.Role, Percent: t.Percent, Reason: reason}
}

// Requested is the change by which somebody asks for a release.
type Requested struct {
	Target
	Expires int64  `json:"expires_ms"`
	Minter  string `json:"minter,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (r *Requested) Subject() (trail.Type, trail.Resource) {
	return trail.ReleaseRequested, trail.Resource{Type: "version", ID: r.Model + "@" + r.Version}
}

// Apply implements trail.Change.
func (r *Requested) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO release_requests (event, id, kind, model, version, digest, environment, role, percent, requester, minter, reason,
		created_ms, expires_ms, state, closed_by, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?)`,
		at.Sequence, at.ID, string(r.Kind), r.Model, r.Version, string(r.Digest), r.Environment, string(r.Role), r.Percent, at.Actor, r.Minter, r.Reason,
		at.Time.UnixMilli(), r.Expires, string(Open), at.Sequence)
	return err
}

// Withdraw returns the change by which a request is taken back, nil if it was already.
func (o *Office) Withdraw(tx *state.Tx, id, reason string) (trail.Change, error) {
	if err := checkWords("reason", reason); err != nil {
		return nil, err
	}
	r, err := request(tx, id)
	switch {
	case err != nil:
		return nil, err
	case r.State == Withdrawn:
		return nil, nil
	case r.State != Open:
		return nil, r.errClosed()
	}
	return &RequestWithdrawn{Request: r.ID, Model: r.Model, Version: r.Version, Environment: r.Environment, Reason: reason}, nil
}

// RequestWithdrawn is the change by which a request is taken back.
type RequestWithdrawn struct {
	Request     string `json:"request"`
	Model       string `json:"model"`
	Version     string `json:"version"`
	Environment string `json:"environment"`
	Reason      string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (w *RequestWithdrawn) Subject() (trail.Type, trail.Resource) {
	return trail.ReleaseWithdrawn, trail.Resource{Type: "release", ID: w.Request}
}

// Apply implements trail.Change.
func (w *RequestWithdrawn) Apply(tx *state.Tx, at trail.Mark) error {
	return closeRequest(tx, at, w.Request, Withdrawn)
}

func closeRequest(tx *state.Tx, at trail.Mark, id string, as RequestState) error {
	return state.ExecOne(tx, "UPDATE release_requests SET state = ?, closed_ms = ?, closed_by = ?, last_event = ? WHERE id = ? AND state = 'open'",
		string(as), at.Time.UnixMilli(), at.Actor, at.Sequence, id)
}

func (r Request) errClosed() error {
	return tallystick.Errorf(tallystick.Conflict, "request %s (%s) was %s on %s", r.ID, r.Name(), r.State, r.Closed.Format(time.DateTime)).
		WithHint("ask again: `tallystick release request %s@%s --to %s`", r.Model, r.Version, r.Environment)
}

// live returns an error unless something can still come of the request.
func (r Request) live(now time.Time) error {
	if r.State != Open {
		return r.errClosed()
	}
	if !now.Before(r.Expires) {
		return tallystick.Errorf(tallystick.Conflict, "request %s (%s) expired on %s", r.ID, r.Name(), r.Expires.Format(time.DateTime)).
			WithHint("take it back and ask again: `tallystick release withdraw %s`", r.ID)
	}
	return nil
}
