package casework

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// Decision is what a case came to.
type Decision struct {
	Version, Environment string // of the prediction
	At                   time.Time
	Agrees               *bool // with the model; nil if the model said nothing
}

// maxDecisions bounds the decisions of one answer.
const maxDecisions = 1_000_000

// Decided returns the cases of a model that were decided from one moment until before another, by events after one sequence up to
// another; until 0 is no bound.
func (d *Desk) Decided(ctx context.Context, model string, from, to time.Time, after, until uint64) (all []Decision, err error) {
	bound := int64(until)
	if until == 0 {
		bound = 1<<63 - 1
	}
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (c Decision, err error) {
			var at int64
			var agrees sql.NullInt64
			if err := row.Scan(&c.Version, &c.Environment, &at, &agrees); err != nil {
				return c, err
			}
			c.At = moment(at)
			if agrees.Valid {
				is := agrees.Int64 == 1
				c.Agrees = &is
			}
			return c, nil
		}, `SELECT version, environment, decided_ms, agrees FROM cases WHERE model = ? AND state = 'decided' AND decided_ms >= ? AND decided_ms < ?
			AND last_event > ? AND last_event <= ? ORDER BY last_event `+state.Limit, model, from.UnixMilli(), to.UnixMilli(), int64(after), bound, maxDecisions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("decided cases of %s: %w", model, err)
	}
	return all, nil
}

// NewestDecided returns the sequence of the newest event up to until by which a case of a model was decided, 0 if there is none.
func (d *Desk) NewestDecided(ctx context.Context, model string, until uint64) (newest uint64, err error) {
	bound := int64(until)
	if until == 0 {
		bound = 1<<63 - 1
	}
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(last_event), 0) FROM cases WHERE model = ? AND state = 'decided' AND last_event <= ?", model, bound).Scan(&newest)
	})
	if err != nil {
		return 0, fmt.Errorf("decided cases of %s: %w", model, err)
	}
	return newest, nil
}
