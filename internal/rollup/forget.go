package rollup

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/state"
)

// span is a time in microseconds, both ends in it.
type span struct {
	first, last, event int64
}

func scanSpan(row state.Scanner) (s span, err error) {
	return s, row.Scan(&s.first, &s.last, &s.event)
}

// gone returns the times of which tallies say too much: of segments that later events than those that were seen have
// erased records of, some at a time, and all until the newest segment that was removed, if one was since. Segments are
// removed from the oldest on.
func (s *Store) gone(ctx context.Context, is *series) (all []span, seen int64, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanSpan, `SELECT s.first_us, s.last_us, e.event FROM prediction_erasures e JOIN prediction_segments s ON s.segment = e.segment
			WHERE e.event > ? AND s.model = ? ORDER BY e.event `+state.Limit, is.seen, is.model, maxRemoved)
		if err != nil {
			return err
		}
		if len(all) == maxRemoved { // an event erases far fewer
			seen = all[maxRemoved-1].event - 1
			return nil
		}
		seen = is.seen
		if len(all) > 0 {
			seen = all[len(all)-1].event
		}
		removed, err := scanSpan(tx.QueryRow("SELECT coalesce(min(first_us), 0), coalesce(max(last_us), 0), coalesce(max(removed), 0) FROM prediction_segments WHERE model = ? AND removed > 0", is.model))
		if removed.event > is.seen {
			all, seen = append(all, removed), max(seen, removed.event)
		}
		return err
	})
	return all, seen, err
}

// forget removes the tallies that have no records any more, and those of erased records.
func (s *Store) forget(ctx context.Context, is *series) error {
	all, seen, err := s.gone(ctx, is)
	if err != nil {
		return fmt.Errorf("what became of the predictions of %s: %w", is.model, err)
	}
	if seen == is.seen {
		return nil
	}
	err = s.db.Write(ctx, func(tx *state.Tx) error {
		if err := is.move(tx, is.until, seen); err != nil {
			return err
		}
		for _, of := range all {
			if err := is.open(tx, of.first, of.last); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget tallies of %s: %w", is.model, err)
	}
	is.seen = seen
	return nil
}

// Expire removes the series that no monitor has asked for in a week.
func (s *Store) Expire(ctx context.Context) error {
	before, unused := s.now().Add(-unusedKept).UnixMilli(), false
	err := s.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM tally_series WHERE used_ms < ?)", before).Scan(&unused)
	})
	if err != nil || !unused {
		return err
	}
	err = s.db.Write(ctx, func(tx *state.Tx) error {
		for _, table := range []string{"tallies", "tally_holes", "tally_series"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE series IN (SELECT series FROM tally_series WHERE used_ms < ?)", before); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove tallies that nobody uses: %w", err)
	}
	return nil
}
