package objective

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

// Judge judges an objective as it was known at asOf; zero means now. With a moment, everything is counted anew from what was on
// record then, but for predictions that were erased or removed since.
func (o *Office) Judge(ctx context.Context, name string, asOf time.Time) (*BudgetJudgement, error) {
	if asOf.IsZero() {
		_, doc, err := o.Objective(ctx, name)
		if err != nil {
			return nil, err
		}
		if doc == nil {
			return nil, removed(name)
		}
		if o.config.Fresh != nil {
			if err := o.config.Fresh(ctx); err != nil {
				return nil, err
			}
		}
		return o.now(ctx, doc)
	}
	if now := o.config.Now(); asOf.After(now) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has not come yet", asOf.Format(time.RFC3339))
	}
	until, err := o.config.Trail.NewestAt(ctx, asOf)
	if err != nil {
		return nil, err
	}
	if until == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "nothing was on record on %s", asOf.Format(time.RFC3339))
	}
	_, doc, err := o.objectiveAt(ctx, name, until)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, removed(name)
	}
	return o.recount(ctx, doc, asOf, until)
}

func removed(name string) error {
	return tallystick.Errorf(tallystick.Conflict, "the objective %s was removed", name).WithHint("apply it again, or name a moment at which it was in force")
}

// now judges a document by the counts that are kept, which it brings up to now.
func (o *Office) now(ctx context.Context, d *Document) (*BudgetJudgement, error) {
	clock := o.config.Now()
	until, err := o.config.Trail.Newest(ctx)
	if err != nil {
		return nil, err
	}
	s, basis, err := o.source(ctx, d, until)
	if err != nil {
		return nil, err
	}
	at := d.at(clock)
	t, where, err := o.count(ctx, d, s, basis, at, mark{until, clock.UTC().Truncate(time.Millisecond)})
	if err != nil {
		return nil, fmt.Errorf("count %s: %w", d.Name, err)
	}
	known, err := s.newest(ctx, until)
	if err != nil {
		return nil, err
	}
	return d.judge(at, basis, known, t, where.Pending), nil
}

// recount judges a document by what events up to until say, counting all of it.
func (o *Office) recount(ctx context.Context, d *Document, asOf time.Time, until uint64) (*BudgetJudgement, error) {
	s, basis, err := o.source(ctx, d, until)
	if err != nil {
		return nil, err
	}
	at := d.at(asOf)
	period := Stretch{d.horizon(at), at}
	lost, err := o.lost(ctx, d, period)
	if err != nil {
		return nil, err
	}
	if lost {
		return nil, tallystick.Errorf(tallystick.Conflict, "predictions of %s from %s to %s are not kept any more", d.Model, period.From.Format(time.RFC3339), at.Format(time.RFC3339)).
			WithHint("what was judged stays: `tallystick objective judgements %s`", d.Name)
	}
	t := newTally(at)
	if err := s.count(ctx, period, until, t.add); err != nil {
		return nil, fmt.Errorf("count %s: %w", d.Name, err)
	}
	known, err := s.newest(ctx, until)
	if err != nil {
		return nil, err
	}
	return d.judge(at, basis, known, t, nil), nil
}

// heartbeat is how long after a judgement another is put on record though nothing has changed, so that who looks knows that
// somebody still counts.
const heartbeat = time.Hour

// Stale is how old a judgement may be before it says nothing any more.
const Stale = 3 * heartbeat

// Keep stores a judgement and returns the change that puts it on record. It is nil, and nothing is stored, if the newest
// judgement of the objective says the same and is no older than the heartbeat, or is of a later moment.
func (o *Office) Keep(ctx context.Context, j *BudgetJudgement) (*Judged, error) {
	data, err := j.Marshal()
	if err != nil {
		return nil, err
	}
	c := &Judged{
		Objective: j.Objective, Model: j.Model, Version: j.Version, Environment: j.Environment, Period: j.period, At: j.At.Format(time.RFC3339), Known: j.Known, Judgement: tallystick.DigestOf(data),
		Verdict: j.Verdict, State: j.State, Paused: j.Paused, Good: j.Count.Good, Valid: j.Count.Valid, Left: int64(j.Budget.Left * 1e6),
	}
	tells := false
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		tells, err = c.tells(tx)
		return err
	})
	if err != nil || !tells {
		return nil, err
	}
	_, err = o.config.Evidence.Put(ctx, data)
	return c, err
}

// ProposeJudged returns the change, nil if somebody else has said the same meanwhile.
func (o *Office) ProposeJudged(tx *state.Tx, c *Judged) (trail.Change, error) {
	if c == nil {
		return nil, nil
	}
	tells, err := c.tells(tx)
	if err != nil || !tells {
		return nil, err
	}
	return c, nil
}

// tells sees whether the judgement says something that the last one does not, and notes whether it is more than that time has
// passed.
func (c *Judged) tells(tx *state.Tx) (bool, error) {
	last, err := newestJudged(tx, c.Objective)
	if err != nil {
		return false, err
	}
	at, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		return false, err
	}
	c.Changed = last == nil || string(c.Verdict) != string(last.Verdict) || c.State != last.State
	return last == nil || !at.Before(last.At) && (c.Changed || at.Sub(last.At) >= heartbeat), nil
}

// BudgetStanding is a judgement on record, without its rules.
type BudgetStanding struct {
	Objective   string             `json:"objective"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty"`
	Environment string             `json:"environment,omitempty"`
	Period      string             `json:"period" doc:"such as 30d"`
	At          time.Time          `json:"at" doc:"the moment that was judged"`
	Verdict     tallystick.Verdict `json:"verdict" enum:"pass,warn,insufficient,fail"`
	State       string             `json:"state" doc:"verdict of each rule, and how much of the budget is left"`
	Paused      bool               `json:"paused" doc:"experiments wait"`
	Changed     bool               `json:"changed" doc:"it says something else than the one before"`
	Good        int64              `json:"good"`
	Valid       int64              `json:"valid"`
	Left        float64            `json:"budget_left" doc:"share of the budget of the period; below 0 once the promise is broken"`
	Known       uint64             `json:"known_event" doc:"newest event by which something came on record that can count"`
	Judgement   tallystick.Digest  `json:"judgement_digest" doc:"of the whole, with every rule"`
	Judged      time.Time          `json:"judged"`
	Event       uint64             `json:"event" doc:"sequence of the event"`
}

const judgedColumns = "event, objective, model, version, environment, period, at_ms, known_event, digest, verdict, state, paused = 1, changed = 1, good, valid, left_ppm, judged_ms"

func scanJudged(row state.Scanner) (v BudgetStanding, err error) {
	var at, left, judged int64
	err = row.Scan(&v.Event, &v.Objective, &v.Model, &v.Version, &v.Environment, &v.Period, &at, &v.Known, &v.Judgement, &v.Verdict, &v.State, &v.Paused, &v.Changed, &v.Good, &v.Valid, &left, &judged)
	v.At, v.Judged, v.Left = time.UnixMilli(at).UTC(), time.UnixMilli(judged).UTC(), float64(left)/1e6
	return v, err
}

// newestJudged returns the newest judgement of an objective, nil if there is none.
func newestJudged(tx *state.Tx, name string) (*BudgetStanding, error) {
	v, err := scanJudged(tx.QueryRow("SELECT "+judgedColumns+" FROM objective_judgements WHERE objective = ? ORDER BY event DESC LIMIT 1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("judgements of %s: %w", name, err)
	}
	return &v, nil
}

// JudgedFilter chooses judgements. Zero fields choose all.
type JudgedFilter struct {
	Objective, Model string
	Changed          bool   // only those that said something else than the one before
	Before           uint64 // sequence of an event, exclusive
	Limit            int    // 0 means 100; at most 1,000
}

// Judged returns judgements, the newest first.
func (o *Office) Judged(ctx context.Context, f JudgedFilter) (all []BudgetStanding, err error) {
	limit := min(f.Limit, 1000)
	if f.Limit <= 0 {
		limit = 100
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanJudged, "SELECT "+judgedColumns+` FROM objective_judgements WHERE (objective = ? OR ? = '') AND (model = ? OR ? = '') AND changed >= ? AND event < ?
			ORDER BY event DESC `+state.Limit, f.Objective, f.Objective, f.Model, f.Model, bit(f.Changed), bound(f.Before), limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list judgements of objectives: %w", err)
	}
	return all, nil
}

// Judgement returns a judgement on record.
func (o *Office) Judgement(ctx context.Context, digest tallystick.Digest) (j BudgetJudgement, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		var one int
		return tx.QueryRow("SELECT 1 FROM objective_judgements WHERE digest = ? LIMIT 1", string(digest)).Scan(&one)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return j, tallystick.Errorf(tallystick.NotFound, "there is no judgement %s of an objective", digest).WithHint("`tallystick objective judgements` has those that there are")
	}
	if err != nil {
		return j, fmt.Errorf("judgement %s: %w", digest, err)
	}
	data, err := o.config.Evidence.Get(ctx, digest)
	if err != nil {
		return j, fmt.Errorf("judgement %s: %w", digest, err)
	}
	return ParseJudgement(data)
}

// Standing returns the newest judgement of each objective of a model, or of all, that was judged and not removed, by name.
func (o *Office) Standing(ctx context.Context, model string) (map[string]BudgetStanding, error) {
	found := map[string]BudgetStanding{}
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		clear(found)
		all, err := standingIn(tx, model)
		for _, v := range all {
			found[v.Objective] = v
		}
		return err
	})
	return found, err
}

func standingIn(tx *state.Tx, model string) ([]BudgetStanding, error) {
	all, err := state.Collect(tx, scanJudged, "SELECT "+judgedColumns+` FROM objective_judgements j WHERE (model = ? OR ? = '')
		AND event = (SELECT max(event) FROM objective_judgements n WHERE n.objective = j.objective)
		AND NOT EXISTS (SELECT 1 FROM objective_revisions r WHERE r.name = j.objective AND r.removed = 1 AND r.event > j.event) ORDER BY objective `+state.Limit, model, model, maxObjectives)
	if err != nil {
		return nil, fmt.Errorf("how objectives stand: %w", err)
	}
	return all, nil
}
