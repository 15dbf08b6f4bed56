package reaction

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

const maxListed = 1000

// Try is what became of a deed of a reaction for a cause.
type Try struct {
	ID          string            `json:"id"`
	Reaction    string            `json:"reaction"`
	Document    tallystick.Digest `json:"document_digest" doc:"of the reaction as it was written"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty" doc:"that the cause is about"`
	Environment string            `json:"environment,omitempty"`
	Deed        Kind              `json:"deed" enum:"retrain,rollback,pause"`
	Mode        Mode              `json:"mode" enum:"propose,act" doc:"as it counted then"`
	Cause       string            `json:"cause" doc:"what came true: alert/ID or comparison/NAME@VERSION"`
	Rule        string            `json:"rule,omitempty" doc:"of the alert, or name of the comparison"`
	Incident    string            `json:"incident,omitempty"`
	State       State             `json:"state" enum:"proposed,begun,done,refused,lapsed,skipped"`
	Target      string            `json:"target,omitempty" doc:"version to which a rollback goes"`
	Release     string            `json:"release,omitempty" doc:"id of the request for the rollback"`
	Retrain     string            `json:"retrain,omitempty" doc:"id of the request to train anew"`
	Command     string            `json:"command,omitempty" doc:"what a person would do"`
	Reason      string            `json:"reason,omitempty" doc:"why it came so far and no further"`
	Tried       time.Time         `json:"tried"`
	Ended       time.Time         `json:"ended,omitzero"`
	Event       uint64            `json:"event" doc:"sequence of its first event"`
	LastEvent   uint64            `json:"last_event"`
}

const tryColumns = `id, event, reaction, digest, model, version, environment, deed, mode, cause, rule, incident, state, target, request, retrain, command, reason, tried_ms, ended_ms, last_event`

func scanTry(row state.Scanner) (t Try, err error) {
	var tried, ended int64
	err = row.Scan(&t.ID, &t.Event, &t.Reaction, &t.Document, &t.Model, &t.Version, &t.Environment, &t.Deed, &t.Mode, &t.Cause, &t.Rule, &t.Incident, &t.State, &t.Target, &t.Release, &t.Retrain, &t.Command,
		&t.Reason, &tried, &ended, &t.LastEvent)
	t.Tried, t.Ended = moment(tried), moment(ended)
	return t, err
}

// TryFilter chooses tries. Zero fields choose all.
type TryFilter struct {
	Reaction, Model, Incident string
	State                     State
	Before                    uint64
	Limit                     int // 0 means 100; at most 1,000
}

// Tries returns what was tried, the newest first.
func (o *Office) Tries(ctx context.Context, f TryFilter) ([]Try, error) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(use bool, condition string, arg any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg)
		}
	}
	add(f.Reaction != "", "reaction = ?", f.Reaction)
	add(f.Model != "", "model = ?", f.Model)
	add(f.Incident != "", "incident = ?", f.Incident)
	add(f.State != "", "state = ?", string(f.State))
	add(f.Before > 0, "event < ?", int64(f.Before))
	return o.tries(ctx, strings.Join(conditions, " AND ")+" ORDER BY event DESC", args, bounded(f.Limit))
}

func bounded(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, maxListed)
}

func (o *Office) tries(ctx context.Context, where string, args []any, limit int) (all []Try, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanTry, "SELECT "+tryColumns+" FROM reaction_tries WHERE "+where+" "+state.Limit, append(args, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what reactions tried: %w", err)
	}
	return all, nil
}

// Try returns what was tried by its id, or a NotFound error.
func (o *Office) Try(ctx context.Context, id string) (t Try, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		t, err = tryIn(tx, id)
		return err
	})
	return t, err
}

func tryIn(tx *state.Tx, id string) (Try, error) {
	t, err := scanTry(tx.QueryRow("SELECT "+tryColumns+" FROM reaction_tries WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return t, tallystick.Errorf(tallystick.NotFound, "no reaction has tried %.80q", id).WithHint("`tallystick reaction history` lists what was tried")
	}
	if err != nil {
		return t, fmt.Errorf("try %.80q: %w", id, err)
	}
	return t, nil
}

// Retraining is a request to train a model anew.
type Retraining struct {
	ID          string            `json:"id"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty" doc:"that is to be replaced"`
	Environment string            `json:"environment,omitempty"`
	Reaction    string            `json:"reaction,omitempty" doc:"that asked; absent: a person"`
	Cause       string            `json:"cause,omitempty" doc:"alert/ID or comparison/NAME@VERSION"`
	Rule        string            `json:"rule,omitempty"`
	Incident    string            `json:"incident,omitempty"`
	Report      tallystick.Digest `json:"report_digest" doc:"of the report: what drifted, the data that the version learned from, the predictions to learn from"`
	From        time.Time         `json:"from" doc:"predictions from this time on are meant"`
	To          time.Time         `json:"to" doc:"exclusive"`
	Predictions int64             `json:"predictions"`
	Known       uint64            `json:"known_event" doc:"sequence of the newest event by which they came on record"`
	Requested   time.Time         `json:"requested"`
	Reason      string            `json:"reason,omitempty" doc:"what a person said"`
	Event       uint64            `json:"event"`
}

const retrainColumns = "id, event, model, version, environment, reaction, cause, rule, incident, report, from_ms, to_ms, predictions, known_event, requested_ms, reason"

func scanRetrain(row state.Scanner) (r Retraining, err error) {
	var from, to, requested int64
	err = row.Scan(&r.ID, &r.Event, &r.Model, &r.Version, &r.Environment, &r.Reaction, &r.Cause, &r.Rule, &r.Incident, &r.Report, &from, &to, &r.Predictions, &r.Known, &requested, &r.Reason)
	r.From, r.To, r.Requested = moment(from), moment(to), moment(requested)
	return r, err
}

// Retrainings returns the requests to train a model anew, or those of all models, the newest first: those by events before one, 0
// for all.
func (o *Office) Retrainings(ctx context.Context, model string, before uint64, limit int) (all []Retraining, err error) {
	conditions, args := []string{"1 = 1"}, []any{}
	if model != "" {
		conditions, args = append(conditions, "model = ?"), append(args, model)
	}
	if before > 0 {
		conditions, args = append(conditions, "event < ?"), append(args, int64(before))
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanRetrain, "SELECT "+retrainColumns+" FROM retrain_requests WHERE "+strings.Join(conditions, " AND ")+" ORDER BY event DESC "+state.Limit, append(args, bounded(limit))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list requests to train anew: %w", err)
	}
	return all, nil
}

// Retraining returns a request to train a model anew with its report as it was kept, or a NotFound error.
func (o *Office) Retraining(ctx context.Context, id string) (r Retraining, report []byte, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err = retrainIn(tx, id)
		return err
	})
	if err != nil {
		return r, nil, err
	}
	if report, err = o.config.Evidence.Get(ctx, r.Report); err != nil {
		return r, nil, fmt.Errorf("report of the request %s: %w", id, err)
	}
	return r, report, nil
}

func retrainIn(tx *state.Tx, id string) (Retraining, error) {
	r, err := scanRetrain(tx.QueryRow("SELECT "+retrainColumns+" FROM retrain_requests WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, tallystick.Errorf(tallystick.NotFound, "nobody has asked for training by %.80q", id).WithHint("`tallystick retrain list` has those requests that there are")
	}
	if err != nil {
		return r, fmt.Errorf("request %.80q to train anew: %w", id, err)
	}
	return r, nil
}

// NewestRetraining returns the newest request of a model as the transaction sees it: the one that it has made.
func (o *Office) NewestRetraining(tx *state.Tx, model string) (Retraining, error) {
	return scanRetrain(tx.QueryRow("SELECT "+retrainColumns+" FROM retrain_requests WHERE model = ? ORDER BY event DESC LIMIT 1", model))
}
