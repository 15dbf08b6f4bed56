package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/state"
)

const columns = `id, prediction, model, version, environment, rule, queue, stratum, reason, output, second = 1, state, claimed_by, claimed_ms, opened_ms, due_ms,
	decided_ms, outcome, agrees, event, last_event`

func scan(row state.Scanner) (c Case, err error) {
	var stratum, output, outcome string
	var claimed, opened, due int64
	var decided, agrees sql.NullInt64
	err = row.Scan(&c.ID, &c.Prediction, &c.Model, &c.Version, &c.Environment, &c.Rule, &c.Queue, &stratum, &c.Reason, &output, &c.NeedsSecond, &c.State, &c.ClaimedBy,
		&claimed, &opened, &due, &decided, &outcome, &agrees, &c.Event, &c.LastEvent)
	if err != nil {
		return c, err
	}
	c.Opened, c.Due = moment(opened), moment(due)
	if claimed > 0 {
		c.ClaimedTo = moment(claimed)
	}
	if decided.Valid {
		c.DecidedAt = moment(decided.Int64)
	}
	if agrees.Valid {
		is := agrees.Int64 == 1
		c.Agrees = &is
	}
	if output != "" {
		c.Output = json.RawMessage(output)
	}
	if outcome != "" {
		c.Outcome = json.RawMessage(outcome)
	}
	return c, json.Unmarshal([]byte(stratum), &c.Stratum)
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// one returns the case of that id, or a NotFound error.
func one(tx *state.Tx, id string) (Case, error) {
	c, err := scan(tx.QueryRow("SELECT "+columns+" FROM cases WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Case{}, tallystick.Errorf(tallystick.NotFound, "there is no case %.80q", id).WithHint("`tallystick case list` lists them")
	}
	if err != nil {
		return Case{}, fmt.Errorf("read case %.80q: %w", id, err)
	}
	return c, nil
}

// open returns the id of the case about a prediction that is not decided, empty if there is none.
func open(tx *state.Tx, prediction string) (id string, err error) {
	err = tx.QueryRow("SELECT coalesce(max(id), '') FROM cases WHERE prediction = ? AND state <> 'decided'", prediction).Scan(&id)
	return id, err
}

const maxOpinions = 3

func opinions(tx *state.Tx, id string) ([]Opinion, error) {
	return state.Collect(tx, func(row state.Scanner) (o Opinion, err error) {
		var outcome string
		var given int64
		err = row.Scan(&o.Number, &o.Reviewer, &outcome, &o.Rationale, &given, &o.Event)
		o.Outcome, o.Given = json.RawMessage(outcome), moment(given)
		return o, err
	}, "SELECT number, reviewer, outcome, rationale, given_ms, event FROM case_opinions WHERE case_id = ? ORDER BY number "+state.Limit, id, maxOpinions)
}

// Place returns where a case stands in a list, for the page behind it.
func (c Case) Place() string { return fmt.Sprintf("%d.%d", c.Due.UnixMilli(), c.Event) }

func parsePlace(text string) (due, event int64, err error) {
	before, after, _ := strings.Cut(text, ".")
	due, errDue := strconv.ParseInt(before, 10, 64)
	event, errEvent := strconv.ParseInt(after, 10, 64)
	if errDue != nil || errEvent != nil {
		return 0, 0, tallystick.Errorf(tallystick.Invalid, "%.80q is no place in a list of cases", text).WithHint("use next of the page before")
	}
	return due, event, nil
}

// OpenCaseIn returns the case about a prediction that is not decided, or a NotFound error.
func (d *Desk) OpenCaseIn(tx *state.Tx, prediction string) (Case, error) {
	id, err := open(tx, prediction)
	if err != nil {
		return Case{}, err
	}
	return one(tx, id)
}

// CaseIn returns the case as the transaction sees it, or a NotFound error.
func (d *Desk) CaseIn(tx *state.Tx, id string) (Case, error) { return one(tx, id) }

// Case returns the case of that id, or a NotFound error, with the opinions that who may see: while a second
// opinion is waited for, nobody sees the first but who gave it.
func (d *Desk) Case(ctx context.Context, id string, who access.Principal) (c Case, given []Opinion, err error) {
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		if c, err = one(tx, id); err != nil {
			return err
		}
		given, err = opinions(tx, c.ID)
		return err
	})
	if c.State == Second && len(given) > 0 && given[0].Reviewer != who.ID {
		given = nil
	}
	return c, given, err
}

// Filter chooses cases. Zero fields choose all.
type Filter struct {
	Model, Queue, Rule, Prediction string
	State                          State
	Waiting                        bool   // only what is not decided, what is due first first
	ClaimedBy                      string // id of who works on it
	Overdue                        bool
	After                          string // place of the last one that the caller has, see Place
	Limit                          int    // 0 means 100; at most 1,000
}

// Cases returns cases, the newest first or, of those that wait, what is due first.
func (d *Desk) Cases(ctx context.Context, f Filter) (list []Case, err error) {
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		conditions, args := []string{"1 = 1"}, []any{}
		add := func(condition string, arg ...any) {
			conditions, args = append(conditions, condition), append(args, arg...)
		}
		for column, value := range map[string]string{"model": f.Model, "queue": f.Queue, "rule": f.Rule, "prediction": f.Prediction, "state": string(f.State)} {
			if value != "" {
				add(column+" = ?", value)
			}
		}
		if f.ClaimedBy != "" {
			add("claimed_by = ? AND claimed_ms > ?", f.ClaimedBy, tx.Now().UnixMilli())
		}
		if f.Waiting || f.Overdue {
			add("state <> 'decided'")
		}
		if f.Overdue {
			add("due_ms <= ?", tx.Now().UnixMilli())
		}
		order := "event DESC"
		if f.Waiting {
			order = "due_ms, event"
		}
		if f.After != "" {
			due, event, err := parsePlace(f.After)
			if err != nil {
				return err
			}
			if f.Waiting {
				add("(due_ms > ? OR due_ms = ? AND event > ?)", due, due, event)
			} else {
				add("event < ?", event)
			}
		}
		limit := min(f.Limit, 1000)
		if f.Limit <= 0 {
			limit = 100
		}
		list, err = state.Collect(tx, scan, "SELECT "+columns+" FROM cases WHERE "+strings.Join(conditions, " AND ")+" ORDER BY "+order+" "+state.Limit, append(args, limit)...)
		return err
	})
	return list, err
}
