package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

const columns = `id, model, version, environment, title, severity, state, source, opened_by, lead, (SELECT count(*) FROM incident_alerts WHERE incident = i.id),
	first_from_ms, first_to_ms, detected_ms, opened_ms, acknowledged_ms, mitigated_ms, resolved_ms, closed_ms, means, cause, reopened, brief, runbook, runbook_digest,
	report, reported_by, minter, closed_by, event, last_event`

func scan(row state.Scanner) (i Incident, err error) {
	var firstFrom, firstTo, detected, opened int64
	var acknowledged, mitigated, resolved, closed sql.NullInt64
	err = row.Scan(&i.ID, &i.Model, &i.Version, &i.Environment, &i.Title, &i.Severity, &i.State, &i.Source, &i.OpenedBy, &i.Lead, &i.Alerts,
		&firstFrom, &firstTo, &detected, &opened, &acknowledged, &mitigated, &resolved, &closed, &i.Means, &i.Cause, &i.Reopened, &i.Brief, &i.Runbook, &i.RunbookAs,
		&i.Report, &i.ReportedBy, &i.minter, &i.ClosedBy, &i.Event, &i.LastEvent)
	i.FirstFrom, i.FirstTo, i.Detected, i.Opened = moment(firstFrom), moment(firstTo), moment(detected), moment(opened)
	i.Acknowledged, i.Mitigated, i.Resolved, i.Closed = moment(acknowledged.Int64), moment(mitigated.Int64), moment(resolved.Int64), moment(closed.Int64)
	return i, err
}

// moment returns the time of milliseconds since 1970, the zero time for 0.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// IncidentIn returns an incident as the transaction sees it, or a NotFound error.
func (o *Office) IncidentIn(tx *state.Tx, id string) (Incident, error) {
	i, err := scan(tx.QueryRow("SELECT "+columns+" FROM incidents i WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return i, tallystick.Errorf(tallystick.NotFound, "there is no incident %.80q", id).WithHint("`tallystick incident list --all` has those that there are")
	}
	if err != nil {
		return i, fmt.Errorf("incident %.80q: %w", id, err)
	}
	holds, err := archive.Holds(tx, archive.HoldFilter{Incident: i.ID, InForce: true})
	for _, h := range holds {
		i.Holds = append(i.Holds, h.ID)
	}
	return i, err
}

// maxSteps bounds the steps and the alerts of an incident that are told.
const maxSteps = 1000

// Whole is an incident with what became of it.
type Whole struct {
	Incident
	Joined []Joined `json:"joined,omitempty" doc:"the alerts that are part of it, the oldest first"`
	Steps  []Deed   `json:"steps" doc:"what became of it, the oldest first"`
}

// Incident returns an incident with its alerts and steps, or a NotFound error.
func (o *Office) Incident(ctx context.Context, id string) (w Whole, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if w.Incident, err = o.IncidentIn(tx, id); err != nil {
			return err
		}
		if w.Joined, err = joinedIn(tx, id); err != nil {
			return err
		}
		w.Steps, err = stepsIn(tx, id)
		return err
	})
	return w, err
}

func joinedIn(tx *state.Tx, id string) ([]Joined, error) {
	return state.Collect(tx, func(row state.Scanner) (j Joined, err error) {
		var at int64
		err = row.Scan(&j.Alert, &j.Rule, &j.Subject, &j.Segment, &j.AlertEvent, &j.WindowFrom, &j.WindowTo, &j.Judgement, &j.Words, &at, &j.Event)
		j.At = moment(at)
		return j, err
	}, "SELECT alert, rule, subject, segment, alert_event, window_from_ms, window_to_ms, judgement, words, joined_ms, event FROM incident_alerts WHERE incident = ? ORDER BY event "+state.Limit, id, maxSteps)
}

func stepsIn(tx *state.Tx, id string) ([]Deed, error) {
	return state.Collect(tx, func(row state.Scanner) (s Deed, err error) {
		var at int64
		err = row.Scan(&s.Step, &s.By, &at, &s.Kind, &s.Target, &s.Note, &s.Digest, &s.Event)
		s.At = moment(at)
		return s, err
	}, "SELECT step, by_id, at_ms, kind, target, note, digest, event FROM incident_steps WHERE incident = ? ORDER BY event "+state.Limit, id, maxSteps)
}

// Filter chooses incidents. Zero fields choose all.
type Filter struct {
	Model, Version, Environment string
	Severity                    catalog.Severity
	State                       State
	Open                        bool      // only those that are not closed, the most severe first
	From, To                    time.Time // when it was opened
	Before                      uint64    // event of the last one that the caller has; of the open ones it bounds nothing
	Limit                       int       // 0 means 100; at most 1,000
}

// Incidents returns incidents, the newest first, or of those that are open the most severe first.
func (o *Office) Incidents(ctx context.Context, f Filter) (all []Incident, err error) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(use bool, condition string, arg any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg)
		}
	}
	add(f.Model != "", "model = ?", f.Model)
	add(f.Version != "", "version = ?", f.Version)
	add(f.Environment != "", "environment = ?", f.Environment)
	add(f.Severity != "", "severity = ?", string(f.Severity))
	add(f.State != "", "state = ?", string(f.State))
	add(!f.From.IsZero(), "opened_ms >= ?", f.From.UnixMilli())
	add(!f.To.IsZero(), "opened_ms < ?", f.To.UnixMilli())
	add(f.Before > 0 && !f.Open, "event < ?", int64(f.Before))
	order := "event DESC"
	if f.Open {
		conditions = append(conditions, "state <> 'closed'")
		order = "urgency, event DESC"
	}
	limit := min(f.Limit, maxListed)
	if f.Limit <= 0 {
		limit = 100
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scan, "SELECT "+columns+" FROM incidents i WHERE "+strings.Join(conditions, " AND ")+" ORDER BY "+order+" "+state.Limit, append(args, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return all, nil
}

const maxListed = 1000

// openOf returns the newest incident of a model, version and environment that is not closed or resolved, or a NotFound error.
func openOf(tx *state.Tx, model, version, environment string) (Incident, error) {
	i, err := scan(tx.QueryRow("SELECT "+columns+" FROM incidents i WHERE model = ? AND version = ? AND environment = ? AND state IN ('open', 'acknowledged', 'mitigated') ORDER BY event DESC LIMIT 1", model, version, environment))
	if errors.Is(err, sql.ErrNoRows) {
		return i, tallystick.Errorf(tallystick.NotFound, "no incident of %s is open", model)
	}
	return i, err
}

// Newest returns the newest incident of a model, as the transaction sees it: the one that it has opened.
func (o *Office) Newest(tx *state.Tx, model string) (Incident, error) {
	return scan(tx.QueryRow("SELECT "+columns+" FROM incidents i WHERE model = ? ORDER BY event DESC LIMIT 1", model))
}

// Ticked returns what was said last of each step of the runbook, by its number.
func Ticked(steps []Deed) map[int64]Deed {
	last := map[int64]Deed{}
	for _, s := range steps {
		if n, err := strconv.ParseInt(s.Kind, 10, 64); err == nil && (s.Step == "done" || s.Step == "skipped") {
			last[n] = s
		}
	}
	return last
}
