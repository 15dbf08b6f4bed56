package alert

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

// State is how far an alert has come.
type State string

// The states of an alert.
const (
	Pending State = "pending"
	Firing  State = "firing"
	Ended   State = "resolved"
)

// Alert is an alert on record.
type Alert struct {
	ID           string             `json:"id"`
	Fingerprint  tallystick.Digest  `json:"fingerprint" doc:"digest of model, version, environment, rule, subject and segment: the same thing has the same one whenever it fires"`
	Rule         string             `json:"rule" doc:"what was judged, such as monitor/credit-hourly/drift"`
	Model        string             `json:"model"`
	Version      string             `json:"version,omitempty" doc:"absent: all"`
	Environment  string             `json:"environment,omitempty" doc:"absent: any"`
	Subject      string             `json:"subject,omitempty" doc:"feature, quantile or group; absent: the whole window"`
	Segment      string             `json:"segment,omitempty" doc:"slice"`
	Severity     Severity           `json:"severity" enum:"page,ticket"`
	State        State              `json:"state" enum:"pending,firing,resolved"`
	Whole        bool               `json:"whole,omitempty" doc:"it is about all data of the window: alerts about single features are kept back while it fires"`
	Labels       []string           `json:"labels,omitempty" doc:"further labels, as name=value"`
	Runbook      string             `json:"runbook,omitempty" doc:"what to do"`
	Verdict      tallystick.Verdict `json:"verdict" doc:"of the judgement that changed the state last"`
	Words        string             `json:"words,omitempty" doc:"what that judgement says; absent for those who may not read predictions"`
	From         time.Time          `json:"from" doc:"of the window that was judged then"`
	To           time.Time          `json:"to" doc:"exclusive"`
	Evidence     tallystick.Digest  `json:"evidence_digest,omitempty" doc:"of that judgement"`
	Judged       uint64             `json:"judged_event,omitempty" doc:"sequence of the event of that judgement"`
	SuppressedBy string             `json:"suppressed_by,omitempty" doc:"what keeps its notifications back: silence or alert, and its id"`
	Cause        string             `json:"cause,omitempty" doc:"why it resolved: judged, replaced, removed, fewer or person"`
	Reason       string             `json:"reason,omitempty" doc:"what the person said who resolved it"`
	Pending      time.Time          `json:"pending,omitzero" doc:"since when it was pending; absent: it fired at once"`
	Fired        time.Time          `json:"fired,omitzero"`
	Resolved     time.Time          `json:"resolved,omitzero"`
	Event        uint64             `json:"event" doc:"sequence of the event that raised it"`
	LastEvent    uint64             `json:"last_event" doc:"sequence of the event that changed it last"`
	Standing     *Course            `json:"standing,omitempty" doc:"how it goes on; absent once it is resolved"`
}

// Course is what was judged since of a thing whose alert is pending or firing.
type Course struct {
	Last          time.Time          `json:"last_window,omitzero" doc:"beginning of the last window with a verdict"`
	Verdict       tallystick.Verdict `json:"last_verdict,omitempty"`
	Evidence      tallystick.Digest  `json:"last_evidence_digest,omitempty"`
	Unjudged      int64              `json:"unjudged" doc:"windows since without a verdict: they neither fire an alert nor resolve it"`
	UnjudgedSince time.Time          `json:"unjudged_since,omitzero"`
}

// Filter chooses alerts. Zero fields choose all.
type Filter struct {
	Model       string
	Environment string
	State       State
	Live        bool // pending or firing
	Severity    Severity
	Fingerprint tallystick.Digest
	Since       uint64 // raised by an event after this one
	Before      uint64 // raised by an event before this one
	// ResolvedSince chooses those that were resolved at this time or later.
	ResolvedSince time.Time
	Limit         int // 0 means 100; at most 1,000
}

const maxListed = 1000

const alertColumns = `a.id, a.fingerprint, a.rule, a.model, a.version, a.environment, a.subject, a.segment, a.severity, a.state, a.whole = 1, a.labels, a.runbook, a.verdict, a.words, a.from_us, a.to_us, a.evidence,
	a.judged_event, a.suppressed_by, a.cause, a.reason, a.pending_ms, a.fired_ms, a.resolved_ms, a.event, a.last_event, s.last_us, s.last_verdict, s.last_evidence, s.unjudged, s.unjudged_us`

const alertTables = "alerts a LEFT JOIN alert_standings s ON s.alert = a.id"

func scanAlert(row state.Scanner) (a Alert, err error) {
	var labels string
	var from, to, pending, fired, resolved int64
	var last, unjudged, since sql.NullInt64
	var verdict, evidence sql.NullString
	err = row.Scan(&a.ID, &a.Fingerprint, &a.Rule, &a.Model, &a.Version, &a.Environment, &a.Subject, &a.Segment, &a.Severity, &a.State, &a.Whole, &labels, &a.Runbook, &a.Verdict, &a.Words, &from, &to, &a.Evidence,
		&a.Judged, &a.SuppressedBy, &a.Cause, &a.Reason, &pending, &fired, &resolved, &a.Event, &a.LastEvent, &last, &verdict, &evidence, &unjudged, &since)
	if err != nil {
		return a, err
	}
	a.From, a.To = time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
	a.Pending, a.Fired, a.Resolved = millis(pending), millis(fired), millis(resolved)
	if last.Valid {
		a.Standing = &Course{Last: micros(last.Int64), Verdict: tallystick.Verdict(verdict.String), Evidence: tallystick.Digest(evidence.String), Unjudged: unjudged.Int64, UnjudgedSince: micros(since.Int64)}
	}
	return a, json.Unmarshal([]byte(labels), &a.Labels)
}

// millis returns a moment of a column; 0 is none.
func millis(ms int64) (t time.Time) {
	if ms == 0 {
		return t
	}
	return time.UnixMilli(ms).UTC()
}

func micros(us int64) (t time.Time) {
	if us == 0 {
		return t
	}
	return time.UnixMicro(us).UTC()
}

// Alerts returns alerts, what was raised last first.
func (o *Office) Alerts(ctx context.Context, f Filter) (all []Alert, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = alerts(tx, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return all, nil
}

func alerts(tx *state.Tx, f Filter) ([]Alert, error) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(use bool, condition string, arg ...any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg...)
		}
	}
	add(f.Model != "", "a.model = ?", f.Model)
	add(f.Environment != "", "a.environment = ?", f.Environment)
	add(f.State != "", "a.state = ?", string(f.State))
	add(f.Live, "a.state IN ('pending', 'firing')")
	add(f.Severity != "", "a.severity = ?", string(f.Severity))
	add(f.Fingerprint != "", "a.fingerprint = ?", string(f.Fingerprint))
	add(f.Since > 0, "a.event > ?", f.Since)
	add(f.Before > 0, "a.event < ?", f.Before)
	add(!f.ResolvedSince.IsZero(), "a.resolved_ms >= ?", f.ResolvedSince.UnixMilli())
	limit := min(f.Limit, maxListed)
	if f.Limit <= 0 {
		limit = 100
	}
	return state.Collect(tx, scanAlert, "SELECT "+alertColumns+" FROM "+alertTables+" WHERE "+strings.Join(conditions, " AND ")+" ORDER BY a.event DESC "+state.Limit, append(args, limit)...)
}

// Alert returns an alert by its id.
func (o *Office) Alert(ctx context.Context, id string) (a Alert, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		a, err = o.AlertIn(tx, id)
		return err
	})
	return a, err
}

// AlertIn returns an alert by its id as the transaction sees it, or a NotFound error.
func (o *Office) AlertIn(tx *state.Tx, id string) (Alert, error) {
	a, err := scanAlert(tx.QueryRow("SELECT "+alertColumns+" FROM "+alertTables+" WHERE a.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, tallystick.Errorf(tallystick.NotFound, "there is no alert %.80q", id).WithHint("`tallystick alert list` has those that there are")
	}
	if err != nil {
		return a, fmt.Errorf("alert %s: %w", id, err)
	}
	return a, nil
}

// firing returns every alert that fires, oldest first.
func firing(tx *state.Tx) ([]Alert, error) {
	return state.Collect(tx, scanAlert, "SELECT "+alertColumns+" FROM "+alertTables+" WHERE a.state = 'firing' ORDER BY a.event")
}

// Resolve returns the change by which somebody ends an alert by hand, nil if it has ended.
func (o *Office) Resolve(tx *state.Tx, id, reason string) (*Resolved, error) {
	if reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "why the alert is resolved is not said").WithHint("add --reason TEXT")
	}
	if err := tallystick.ValidateText("reason", reason, maxReason); err != nil {
		return nil, err
	}
	a, err := o.AlertIn(tx, id)
	if err != nil || a.State == Ended {
		return nil, err
	}
	return a.resolved(causePerson, reason), nil
}

func (a *Alert) resolved(cause, reason string) *Resolved {
	return &Resolved{
		Alert: a.ID, Fingerprint: a.Fingerprint, Rule: a.Rule, Model: a.Model, Version: a.Version, Environment: a.Environment, Of: a.Subject,
		State: a.State, Cause: cause, Reason: reason,
	}
}

// All returns the labels of the alert by name: those by which it is known, the severity, and further ones.
func (a *Alert) All() map[string]string {
	all := map[string]string{
		"alertname": a.Rule[strings.LastIndexByte(a.Rule, '/')+1:], "rule": a.Rule, "model": a.Model, "severity": string(a.Severity),
	}
	for _, l := range a.Labels {
		name, value, _ := strings.Cut(l, "=")
		all[name] = value
	}
	for name, value := range map[string]string{"version": a.Version, "environment": a.Environment, "subject": a.Subject, "segment": a.Segment} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// Summary says in a few words that everybody may read what the alert is about.
func (a *Alert) Summary() string {
	text := strings.ReplaceAll(a.Rule[strings.LastIndexByte(a.Rule, '/')+1:], "_", " ")
	if a.Subject != "" {
		text += " of " + a.Subject
	}
	text += ": " + a.Model
	if a.Version != "" {
		text += "@" + a.Version
	}
	if a.Environment != "" {
		text += " in " + a.Environment
	}
	if a.Segment != "" {
		text += ", slice " + a.Segment
	}
	return text
}
