package query

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// SegmentRoot is a segment with the root by which its records are proven.
type SegmentRoot struct {
	Segment string            `json:"segment"`
	Root    tallystick.Digest `json:"root_digest"`
	Records int64             `json:"records"`
	Event   uint64            `json:"event" doc:"sequence of the event that put it on record"`
}

// Roots returns the segments of a model that can have predictions of a time, as far as their records are kept and came on
// record up to an event, the oldest first: at most limit.
func (a *Asker) Roots(ctx context.Context, model string, from, to time.Time, until uint64, limit int) (all []SegmentRoot, err error) {
	first, last := (&Selection{From: from, To: to}).span()
	err = a.db.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (r SegmentRoot, err error) {
			return r, row.Scan(&r.Segment, &r.Root, &r.Records, &r.Event)
		}, "SELECT segment, root_digest, records, event FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us < ? AND event <= ? AND removed = 0 ORDER BY event, segment "+state.Limit,
			model, first, last, int64(until), limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("segments of %s: %w", model, err)
	}
	return all, nil
}
