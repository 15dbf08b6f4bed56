package release

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Filter chooses rows of a list. Zero fields choose all.
type Filter struct {
	Model, Version, Environment string
	Open                        bool   // only requests that are open, waivers that are asked for or count, freezes in force
	Asked                       bool   // only waivers that wait for a review
	Ending                      bool   // only waivers that end soon, or have ended of late
	Before                      uint64 // sequence of the event of the last one that the caller has
	Limit                       int    // 0 means 100; at most 1,000
}

const maxPage = 1000

// where returns the condition and its arguments, but for Open.
func (f Filter) where(columns ...string) (string, []any) {
	conditions, args := []string{"1 = 1"}, []any{}
	for _, c := range columns {
		value := map[string]string{"model": f.Model, "version": f.Version, "environment": f.Environment}[c]
		if value != "" {
			conditions, args = append(conditions, c+" = ?"), append(args, value)
		}
	}
	if f.Before > 0 {
		conditions, args = append(conditions, "event < ?"), append(args, f.Before)
	}
	return strings.Join(conditions, " AND "), args
}

func (f Filter) limit() int {
	if f.Limit <= 0 {
		return 100
	}
	return min(f.Limit, maxPage)
}

const requestColumns = `id, kind, model, version, digest, environment, role, percent, requester, minter, reason, created_ms, expires_ms, state,
	closed_ms, closed_by, event, last_event`

func scanRequest(row state.Scanner) (r Request, err error) {
	var created, expires int64
	var closed sql.NullInt64
	err = row.Scan(&r.ID, &r.Kind, &r.Model, &r.Version, &r.Digest, &r.Environment, &r.Role, &r.Percent, &r.Requester, &r.Minter, &r.Reason,
		&created, &expires, &r.State, &closed, &r.ClosedBy, &r.Event, &r.LastEvent)
	r.Created, r.Expires = moment(created), moment(expires)
	if closed.Valid {
		r.Closed = moment(closed.Int64)
	}
	return r, err
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// request returns the request of that id, or a NotFound error.
func request(tx *state.Tx, id string) (Request, error) {
	r, err := scanRequest(tx.QueryRow("SELECT "+requestColumns+" FROM release_requests WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Request{}, tallystick.Errorf(tallystick.NotFound, "there is no release request %q", id).WithHint("`tallystick release list` lists them")
	}
	if err != nil {
		return Request{}, fmt.Errorf("read release request %q: %w", id, err)
	}
	return r, nil
}

// openRequest returns the open request for the same, or sql.ErrNoRows.
func openRequest(tx *state.Tx, t Target) (Request, error) {
	return scanRequest(tx.QueryRow("SELECT "+requestColumns+" FROM release_requests WHERE model = ? AND version = ? AND environment = ? AND role = ? AND state = 'open'",
		t.Model, t.Version, t.Environment, string(t.Role)))
}

// RequestIn returns the request as the transaction sees it, or a NotFound error.
func (o *Office) RequestIn(tx *state.Tx, id string) (Request, error) { return request(tx, id) }

// OpenRequestIn returns the open request for the same, as the transaction sees it.
func (o *Office) OpenRequestIn(tx *state.Tx, a Asking) (Request, error) {
	t, err := o.target(tx, a)
	if err != nil {
		return Request{}, err
	}
	return openRequest(tx, t)
}

// Request returns the request of that id with its reviews, the oldest first, or a NotFound error.
func (o *Office) Request(ctx context.Context, id string) (r Request, reviews []Review, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if r, err = request(tx, id); err != nil {
			return err
		}
		reviews, err = reviewsOf(tx, id)
		return err
	})
	return r, reviews, err
}

// Requests returns requests, the newest first.
func (o *Office) Requests(ctx context.Context, f Filter) (list []Request, err error) {
	condition, args := f.where("model", "version", "environment")
	if f.Open {
		condition += " AND state = 'open'"
	}
	return listed(ctx, o, scanRequest, "SELECT "+requestColumns+" FROM release_requests WHERE "+condition, args, f)
}

// listed returns one page, the newest first.
func listed[T any](ctx context.Context, o *Office, scan func(state.Scanner) (T, error), query string, args []any, f Filter) (list []T, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		list, err = state.Collect(tx, scan, query+" ORDER BY event DESC "+state.Limit, append(args, f.limit())...)
		return err
	})
	return list, err
}

const maxReviews = 1000 // of one request

const reviewColumns = "id, request, reviewer, minter, verdict, digest, conflict, comment, created_ms, expires_ms, event"

func scanReview(row state.Scanner) (r Review, err error) {
	var created, expires int64
	err = row.Scan(&r.ID, &r.Request, &r.Reviewer, &r.Minter, &r.Verdict, &r.Digest, &r.Conflict, &r.Comment, &created, &expires, &r.Event)
	r.Created, r.Expires = moment(created), moment(expires)
	return r, err
}

func reviewsOf(tx *state.Tx, request string) ([]Review, error) {
	return state.Collect(tx, scanReview, "SELECT "+reviewColumns+" FROM release_reviews WHERE request = ? ORDER BY event "+state.Limit, request, maxReviews)
}

const freezeColumns = "id, environment, model, reason, declared_by, from_ms, until_ms, lifted_ms, lifted_by, event"

func scanFreeze(row state.Scanner) (f Freeze, err error) {
	var from, until int64
	var lifted sql.NullInt64
	err = row.Scan(&f.ID, &f.Environment, &f.Model, &f.Reason, &f.By, &from, &until, &lifted, &f.LiftedBy, &f.Event)
	f.From = moment(from)
	if until != 0 {
		f.Until = moment(until)
	}
	if lifted.Valid {
		f.Lifted = moment(lifted.Int64)
	}
	return f, err
}

// FreezeIn returns the freeze as the transaction sees it, or a NotFound error.
func (o *Office) FreezeIn(tx *state.Tx, id string) (Freeze, error) { return freeze(tx, id) }

func freeze(tx *state.Tx, id string) (Freeze, error) {
	f, err := scanFreeze(tx.QueryRow("SELECT "+freezeColumns+" FROM freezes WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Freeze{}, tallystick.Errorf(tallystick.NotFound, "there is no freeze %q", id).WithHint("`tallystick release freezes` lists them")
	}
	return f, err
}

// Freezes returns freezes, the newest first. Model and environment choose those that are named there.
func (o *Office) Freezes(ctx context.Context, f Filter) ([]Freeze, error) {
	condition, args := f.where("model", "environment")
	if f.Open {
		condition += " AND lifted_ms IS NULL AND (until_ms = 0 OR until_ms > ?)"
		args = append(args, o.config.Now().UnixMilli())
	}
	return listed(ctx, o, scanFreeze, "SELECT "+freezeColumns+" FROM freezes WHERE "+condition, args, f)
}

// freezesOver returns the freezes in force that hold for a model in an environment.
func freezesOver(tx *state.Tx, model, environment string) ([]Freeze, error) {
	now := tx.Now().UnixMilli()
	return state.Collect(tx, scanFreeze, "SELECT "+freezeColumns+` FROM freezes WHERE lifted_ms IS NULL AND from_ms <= ? AND (until_ms = 0 OR until_ms > ?)
		AND (environment = '' OR environment = ?) AND (model = '' OR model = ?) ORDER BY event `+state.Limit, now, now, environment, model, maxPage)
}

const waiverColumns = `id, model, version, digest, environment, rule, owner, requester, reason, control, created_ms, expires_ms, state, reviewer, comment,
	event, last_event`

func scanWaiver(row state.Scanner) (w Waiver, err error) {
	var created, expires int64
	err = row.Scan(&w.ID, &w.Model, &w.Version, &w.Digest, &w.Environment, &w.Rule, &w.Owner, &w.Requester, &w.Reason, &w.Control,
		&created, &expires, &w.State, &w.Reviewer, &w.Comment, &w.Event, &w.LastEvent)
	w.Created, w.Expires = moment(created), moment(expires)
	return w, err
}

// WaiverIn returns the waiver as the transaction sees it, or a NotFound error.
func (o *Office) WaiverIn(tx *state.Tx, id string) (Waiver, error) { return waiver(tx, id) }

func waiver(tx *state.Tx, id string) (Waiver, error) {
	w, err := scanWaiver(tx.QueryRow("SELECT "+waiverColumns+" FROM waivers WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Waiver{}, tallystick.Errorf(tallystick.NotFound, "there is no waiver %q", id).WithHint("`tallystick waiver list` lists them")
	}
	return w, err
}

// Waiver returns the waiver of that id, or a NotFound error.
func (o *Office) Waiver(ctx context.Context, id string) (w Waiver, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		w, err = waiver(tx, id)
		return err
	})
	return w, err
}

// Waivers returns waivers, the newest first.
func (o *Office) Waivers(ctx context.Context, f Filter) ([]Waiver, error) {
	condition, args := f.where("model", "version", "environment")
	if f.Open {
		condition += " AND state IN ('requested', 'approved') AND expires_ms > ?"
		args = append(args, o.config.Now().UnixMilli())
	}
	if f.Asked {
		condition += " AND state = 'requested' AND expires_ms > ?"
		args = append(args, o.config.Now().UnixMilli())
	}
	if f.Ending {
		ends, these := waiverEnds(o.config.Now())
		condition, args = condition+" AND "+ends, append(args, these...)
	}
	return listed(ctx, o, scanWaiver, "SELECT "+waiverColumns+" FROM waivers WHERE "+condition, args, f)
}

// waiversOf returns the approved waivers of what is to be let in, expired ones too: the gate says so.
func waiversOf(tx *state.Tx, t Target) ([]Waiver, error) {
	return state.Collect(tx, scanWaiver, "SELECT "+waiverColumns+` FROM waivers WHERE model = ? AND version = ? AND digest = ? AND environment = ?
		AND state = 'approved' ORDER BY event `+state.Limit, t.Model, t.Version, string(t.Digest), t.Environment, maxPage)
}

const decisionColumns = "id, request, kind, model, version, digest, environment, role, verdict, input, policy, engine, tier, denied, waived, time_ms, event"

func scanDecision(row state.Scanner) (d GateDecision, err error) {
	var at int64
	var denied, waived string
	err = row.Scan(&d.ID, &d.Request, &d.Kind, &d.Model, &d.Version, &d.Digest, &d.Environment, &d.Role, &d.Verdict, &d.Input, &d.Policy, &d.Engine, &d.Tier,
		&denied, &waived, &at, &d.Event)
	d.At = moment(at)
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(denied), &d.Denied), json.Unmarshal([]byte(waived), &d.Waived))
	}
	return d, err
}

// Decisions returns what the gate decided, the newest first.
func (o *Office) Decisions(ctx context.Context, f Filter) ([]GateDecision, error) {
	condition, args := f.where("model", "version", "environment")
	return listed(ctx, o, scanDecision, "SELECT "+decisionColumns+" FROM gate_decisions WHERE "+condition, args, f)
}

// Decision returns a decision by its id, or a NotFound error.
func (o *Office) Decision(ctx context.Context, id string) (d GateDecision, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		d, err = o.DecisionIn(tx, id)
		return err
	})
	return d, err
}

// DecisionIn does the same in a transaction.
func (o *Office) DecisionIn(tx *state.Tx, id string) (GateDecision, error) {
	d, err := scanDecision(tx.QueryRow("SELECT "+decisionColumns+" FROM gate_decisions WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return GateDecision{}, tallystick.Errorf(tallystick.NotFound, "there is no decision %q", id).WithHint("`tallystick release decisions MODEL` lists them")
	}
	return d, err
}

func checkWords(what, text string) error { return tallystick.ValidateText(what, text, maxWords) }
