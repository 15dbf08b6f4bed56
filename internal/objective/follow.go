package objective

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Step is what happened to an objective: it was judged, or removed.
type Step struct {
	Objective, Model string
	Removed          bool
	At               time.Time         // that was judged
	Judgement        tallystick.Digest // empty if it was removed
	Event            uint64
}

// Follow returns what happened to objectives by events after a sequence, oldest first, at most so many.
func (o *Office) Follow(ctx context.Context, after uint64, limit int) (all []Step, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (s Step, err error) {
			var at int64
			err = row.Scan(&s.Event, &s.Objective, &s.Model, &at, &s.Judgement, &s.Removed)
			s.At = time.UnixMilli(at).UTC()
			return s, err
		}, `SELECT event, objective, model, at_ms, digest, gone = 1 FROM (SELECT event, objective, model, at_ms, digest, 0 AS gone FROM objective_judgements WHERE event > ?
			UNION ALL SELECT event, name, model, applied_ms, '', 1 FROM objective_revisions WHERE event > ? AND removed = 1) AS steps ORDER BY event `+state.Limit, int64(after), int64(after), limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("follow objectives: %w", err)
	}
	return all, nil
}

// BudgetVerdict says how the budget of the period alone stands.
func (j *BudgetJudgement) BudgetVerdict() tallystick.Verdict {
	_, band, _ := strings.Cut(j.State, "budget=")
	switch band {
	case spent:
		return tallystick.Fail
	case low:
		return tallystick.Warn
	case some:
		return tallystick.Pass
	}
	return tallystick.Insufficient
}
