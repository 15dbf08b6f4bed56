package query

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// outside returns the segments of a selection's model and time that came on record by events beyond its bounds.
// Files keep the names of the segments that were joined in them.
func (a *Asker) outside(ctx context.Context, s *Selection) (map[string]bool, error) {
	from, to := s.span()
	outside := map[string]bool{}
	most := int64(s.Registered)
	if most == 0 {
		most = math.MaxInt64
	}
	err := a.db.Read(ctx, func(tx *state.Tx) error {
		clear(outside)
		names, err := state.Collect(tx, func(row state.Scanner) (name string, err error) { return name, row.Scan(&name) },
			"SELECT segment FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us < ? AND removed = 0 AND (event > ? OR event <= ?)", s.Model, from, to, most, int64(s.After))
		for _, name := range names {
			outside[name] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("segments of %s that came earlier or later: %w", s.Model, err)
	}
	return outside, nil
}

// leavesOut reports whether no segment of a file counts.
func (p *plan) leavesOut(piece *segment.Piece) bool {
	return len(p.outside) > 0 && !slices.ContainsFunc(piece.Parts(), func(part segment.Part) bool { return !p.outside[part.Segment] })
}

// leaveOut leaves out the chosen rows of segments that came on record too early or too late.
func (p *plan) leaveOut(f *frame, piece *segment.Piece) {
	if len(p.outside) == 0 || len(f.chosen) == 0 {
		return
	}
	first := -piece.First // rows of a frame are counted from where the piece begins
	for _, part := range piece.Parts() {
		end := first + part.Count
		if p.outside[part.Segment] {
			begin, end := first-f.first, end-f.first // of the rows of the frame
			f.chosen = slices.DeleteFunc(f.chosen, func(row int) bool { return int64(row) >= begin && int64(row) < end })
		}
		first = end
	}
}

// Registry says of the segments of a time what is known of when they came on record.
type Registry struct {
	Segments int64  // on record
	Newest   uint64 // sequence of the event that put the last of them there
	Removed  int64  // segments whose records are not kept any more
}

// Registered says how the segments of a model that can have predictions of a time came on record, up to the event of
// a sequence; 0 is no bound.
func (a *Asker) Registered(ctx context.Context, model string, from, to time.Time, until uint64) (r Registry, err error) {
	s := Selection{Model: model, From: from, To: to}
	first, last := s.span()
	bound := int64(until)
	if until == 0 {
		bound = 1<<63 - 1
	}
	err = a.db.Read(ctx, func(tx *state.Tx) error {
		var newest int64
		err := tx.QueryRow("SELECT count(*), coalesce(max(event), 0), coalesce(sum(CASE WHEN removed <> 0 THEN 1 ELSE 0 END), 0) FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us < ? AND event <= ?",
			model, first, last, bound).Scan(&r.Segments, &newest, &r.Removed)
		r.Newest = uint64(newest)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("segments of %s: %w", model, err)
	}
	return r, nil
}

// Spanned is when the records of a segment were made, from the first until the last.
type Spanned struct{ First, Last time.Time }

// maxArrived bounds the segments of one answer; beyond, they are told of as one.
const maxArrived = 10_000

// Arrived returns when the records were made that came on record by events after one sequence up to another, as far as they were
// made from a time on, in no order. Zero bounds nothing.
func (a *Asker) Arrived(ctx context.Context, model string, from time.Time, after, until uint64) (all []Spanned, err error) {
	bound := int64(until)
	if until == 0 {
		bound = 1<<63 - 1
	}
	first, _ := (&Selection{From: from}).span()
	scan := func(row state.Scanner) (s Spanned, err error) {
		var first, last sql.NullInt64
		err = row.Scan(&first, &last)
		s.First, s.Last = time.UnixMicro(first.Int64).UTC(), time.UnixMicro(last.Int64).UTC()
		return s, err
	}
	const chosen = " FROM prediction_segments WHERE model = ? AND event > ? AND event <= ? AND last_us >= ? AND removed = 0 "
	err = a.db.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scan, "SELECT first_us, last_us"+chosen+"ORDER BY event "+state.Limit, model, int64(after), bound, first, maxArrived+1)
		if err == nil && len(all) > maxArrived {
			all, err = state.Collect(tx, scan, "SELECT min(first_us), max(last_us)"+chosen, model, int64(after), bound, first)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("segments of %s that came: %w", model, err)
	}
	return all, nil
}

// Labelled returns the sequence of the newest event up to until by which labels of a model came on record, 0 if there is none.
func (a *Asker) Labelled(ctx context.Context, model string, until uint64) (newest uint64, err error) {
	bound := int64(until)
	if until == 0 {
		bound = 1<<63 - 1
	}
	err = a.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(event), 0) FROM label_batches WHERE model = ? AND event <= ?", model, bound).Scan(&newest)
	})
	if err != nil {
		return 0, fmt.Errorf("labels of %s: %w", model, err)
	}
	return newest, nil
}
