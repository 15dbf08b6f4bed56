package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// Bounds of judging again what was judged before predictions of it came on record.
const (
	// again is for how long a judgement counts at least: late records come in drops, and each would be a judgement.
	again       = 10 * time.Minute
	maxAgain    = maxCatchUp
	maxArrivals = 2000 // segments that one run looks at
)

// arrival is a segment that came on record.
type arrival struct{ event, first, last int64 }

// runAgain judges the windows of a monitor again of which predictions came on record after they were judged, and returns
// how many. It goes through the segments in the order of their events, and its cursor stays at the first of which a
// window still waits, so that whoever is cut off begins there again: a window that was judged again is not looked for
// any more, since its judgement knows of the segment.
func (o *Office) runAgain(ctx context.Context, m Monitor, doc *Document) (judged int, err error) {
	cursor, all, err := o.arrivals(ctx, m)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	done, waits := cursor, false
	for _, a := range all {
		windows, err := o.outdated(ctx, doc, a)
		if err != nil {
			return judged, err
		}
		for _, w := range windows {
			if judged == maxAgain || w.judged.After(o.config.Now().Add(-again)) {
				waits = true
				continue
			}
			kept, err := o.recordAgain(ctx, doc, w.Window)
			if err != nil {
				return judged, fmt.Errorf("window %s again: %w", w.Window, err)
			}
			if kept {
				judged++
			}
		}
		if waits {
			break
		}
		done = a.event
	}
	if done == cursor {
		return judged, nil
	}
	return judged, o.config.DB.Write(ctx, func(tx *state.Tx) error {
		_, err := tx.Exec("INSERT INTO monitor_cursors (monitor, event) VALUES (?, ?) ON CONFLICT (monitor) DO UPDATE SET event = excluded.event", m.Name, done)
		return err
	})
}

// arrivals returns the segments that came on record since those that a monitor has seen to, and the event of the last of
// those.
func (o *Office) arrivals(ctx context.Context, m Monitor) (cursor int64, all []arrival, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if err := tx.QueryRow("SELECT event FROM monitor_cursors WHERE monitor = ?", m.Name).Scan(&cursor); errors.Is(err, sql.ErrNoRows) {
			cursor = 0 // only windows that were judged are looked for, and there are none before the monitor
			if err := tx.QueryRow("SELECT coalesce(min(event), 0) FROM window_judgements WHERE monitor = ?", m.Name).Scan(&cursor); err != nil {
				return err
			}
			if cursor == 0 {
				return nil
			}
		} else if err != nil {
			return err
		}
		all, err = state.Collect(tx, func(row state.Scanner) (a arrival, err error) { return a, row.Scan(&a.event, &a.first, &a.last) },
			"SELECT event, first_us, last_us FROM prediction_segments WHERE model = ? AND event > ? AND removed = 0 ORDER BY event "+state.Limit, m.Model, cursor, maxArrivals)
		return err
	})
	if err != nil {
		return 0, nil, fmt.Errorf("what came on record since: %w", err)
	}
	return cursor, all, nil
}

// judgedBefore is a window with when it was judged last.
type judgedBefore struct {
	Window
	judged time.Time
}

// outdated returns the windows of which the newest judgement does not know of a segment.
func (o *Office) outdated(ctx context.Context, d *Document, a arrival) (all []judgedBefore, err error) {
	width := d.Width.Microseconds()
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (w judgedBefore, err error) {
			var from, judged int64
			err = row.Scan(&from, &judged)
			w.From, w.judged = time.UnixMicro(from).UTC(), time.UnixMilli(judged)
			w.To = d.WindowAt(w.From).To
			return w, err
		}, `SELECT from_us, judged_ms FROM window_judgements j WHERE monitor = ? AND from_us > ? AND from_us <= ? AND to_us - from_us BETWEEN ? AND ? AND known_event < ?
			AND event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us) ORDER BY from_us DESC `+state.Limit,
			d.Name, a.first-width, a.last, d.narrowest().Microseconds(), width, a.event, maxAgain+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("windows that were judged too early: %w", err)
	}
	return all, nil
}

// recordAgain judges a window again, and keeps that if it can be: of a time whose predictions are not kept any more, what was
// judged stays.
func (o *Office) recordAgain(ctx context.Context, doc *Document, w Window) (kept bool, err error) {
	j, err := o.judge(ctx, doc, w, 0, time.Time{})
	if err != nil || j.removed {
		return false, err
	}
	return true, o.keep(ctx, j)
}
