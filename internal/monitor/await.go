package monitor

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// runAwaited judges the windows of a monitor again whose labels should be there by now, the oldest first, and returns how
// many it judged and how many still wait.
func (o *Office) runAwaited(ctx context.Context, m Monitor, doc *Document) (judged int, left int64, err error) {
	// The monitor may have had windows of another width before.
	const awaited = " FROM window_judgements WHERE monitor = ? AND awaits_us > 0 AND awaits_us <= ? AND to_us - from_us BETWEEN ? AND ?"
	now := o.config.Now().UnixMicro()
	var from []time.Time
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		err := tx.QueryRow("SELECT count(*)"+awaited, m.Name, now, doc.narrowest().Microseconds(), doc.Width.Microseconds()).Scan(&left)
		if err != nil {
			return err
		}
		from, err = state.Collect(tx, func(row state.Scanner) (time.Time, error) {
			var us int64
			err := row.Scan(&us)
			return instant(us), err
		}, "SELECT from_us"+awaited+" ORDER BY from_us "+state.Limit, m.Name, now, doc.narrowest().Microseconds(), doc.Width.Microseconds(), maxListed)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look which windows of %s await labels: %w", m.Name, err)
	}
	for _, at := range from {
		if judged == maxCatchUp {
			break
		}
		kept, err := o.recordAgain(ctx, doc, doc.WindowAt(at))
		if err != nil {
			return judged, left, fmt.Errorf("window from %s again: %w", at.Format(time.RFC3339), err)
		}
		if left--; kept {
			judged++
		}
	}
	return judged, left, nil
}
