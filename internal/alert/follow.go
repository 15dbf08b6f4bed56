package alert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/state"
)

// judgedAtOnce bounds the judgements of one transaction.
const judgedAtOnce = 64

// errElsewhere ends a transaction because somebody else has looked at these judgements meanwhile.
var errElsewhere = errors.New("somebody else evaluates alerts")

// Run looks at every judgement that came on record since it was called last, in order, and lets alerts be pending, fire
// and resolve. Then it notes which alerts are suppressed at this moment, and ends silences whose time is over. It goes on
// where it was cut off, and looks at no judgement twice: cursor, counts and events are of one transaction.
func (o *Office) Run(ctx context.Context) (outcome string, err error) {
	var sum tally
	for _, name := range slices.Sorted(maps.Keys(o.config.Sources)) {
		if err := o.follow(ctx, name, o.config.Sources[name], &sum); err != nil {
			return "", fmt.Errorf("alerts of %s: %w", name, err)
		}
	}
	if err := o.Sweep(ctx); err != nil {
		return "", err
	}
	return sum.String(), nil
}

// tally counts what an evaluation did.
type tally struct{ pending, fired, resolved int }

func (t tally) String() string {
	if t == (tally{}) {
		return ""
	}
	return fmt.Sprintf("%d pending, %d fired, %d resolved", t.pending, t.fired, t.resolved)
}

func (o *Office) follow(ctx context.Context, name string, source Source, sum *tally) error {
	in, err := o.inForce(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		var after uint64
		err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
			after, err = cursor(tx, name)
			return err
		})
		if err != nil {
			return err
		}
		all, next, err := source.Observations(ctx, after, judgedAtOnce)
		if err != nil || next <= after {
			return err
		}
		var done tally // of the last run of the function
		err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
			done = tally{}
			switch is, err := cursor(tx, name); {
			case err != nil:
				return err
			case is != after:
				return errElsewhere
			}
			e := evaluation{office: o, tx: tx, policies: in, done: &done}
			if err := e.observe(all); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO alert_cursors (name, event) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET event = excluded.event", name, next)
			return err
		})
		if errors.Is(err, errElsewhere) { // who has come further; it goes on from there
			continue
		}
		if err != nil {
			return err
		}
		sum.pending, sum.fired, sum.resolved = sum.pending+done.pending, sum.fired+done.fired, sum.resolved+done.resolved
	}
	return ctx.Err()
}

func cursor(tx *state.Tx, name string) (at uint64, err error) {
	err = tx.QueryRow("SELECT coalesce(max(event), 0) FROM alert_cursors WHERE name = ?", name).Scan(&at)
	return at, err
}
