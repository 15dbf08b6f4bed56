package rollup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
)

// Count counts the segments of a model that came on record since it was last counted by these rules, a bounded number of
// batches, and returns how many segments that were. To call it again, or in two places at once, counts none twice.
func (s *Store) Count(ctx context.Context, model string, r *Rules) (segments int, err error) {
	is, err := s.enrol(ctx, model, r)
	if err != nil {
		return 0, err
	}
	if err := s.forget(ctx, &is); errors.Is(err, errMoved) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	for range maxBatches {
		n, err := s.countSome(ctx, &is, r)
		segments += n
		if errors.Is(err, errMoved) {
			return segments, nil
		}
		if err != nil {
			return segments, fmt.Errorf("count predictions of %s: %w", model, err)
		}
		if n == 0 {
			break
		}
	}
	return segments, nil
}

// waiting is a segment that is to be counted.
type waiting struct {
	event, first, last, records int64
	removed                     bool
}

// next returns the segments of the next batch.
func (s *Store) next(ctx context.Context, is *series) (all []waiting, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (w waiting, err error) {
			return w, row.Scan(&w.event, &w.first, &w.last, &w.records, &w.removed)
		}, "SELECT event, first_us, last_us, records, removed <> 0 FROM prediction_segments WHERE model = ? AND event > ? ORDER BY event "+state.Limit, is.model, is.until, maxSegments)
		return err
	})
	records := int64(0)
	for i, w := range all {
		if records += w.records; i > 0 && records > maxRecords {
			return all[:i], err
		}
	}
	return all, err
}

// countSome counts one batch and returns how many segments it had.
func (s *Store) countSome(ctx context.Context, is *series, r *Rules) (int, error) {
	all, err := s.next(ctx, is)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	b, err := s.gather(ctx, is, r, all)
	if err != nil {
		return 0, err
	}
	if b == nil && len(all) > 1 { // too much of time in it: the first alone
		all = all[:1]
		if b, err = s.gather(ctx, is, r, all); err != nil {
			return 0, err
		}
	}
	s.counted()
	if b == nil {
		return 1, s.hole(ctx, is, all[0])
	}
	return len(all), s.write(ctx, is, r, b, all[len(all)-1].event)
}

// gather counts the predictions of segments, nil if they lie in too many minutes, hours or days.
func (s *Store) gather(ctx context.Context, is *series, r *Rules, all []waiting) (*batch, error) {
	first, last := all[0].first, all[0].last
	for _, w := range all {
		first, last = min(first, w.first), max(last, w.last)
	}
	selection := query.Selection{
		Model: is.model, From: time.UnixMicro(first), To: time.UnixMicro(last + 1),
		After: uint64(all[0].event - 1), Registered: uint64(all[len(all)-1].event),
	}
	b := newBatch(r, is.minutes, is.hours)
	for block, err := range s.asker.Blocks(ctx, selection, append([]string{"version", "environment"}, r.Columns()...)) {
		if err != nil {
			return nil, err
		}
		if !b.add(block) {
			return nil, nil
		}
	}
	return b, b.whole()
}

// write adds a batch to what is kept, and moves the series on.
func (s *Store) write(ctx context.Context, is *series, r *Rules, b *batch, until int64) error {
	type kept struct {
		key
		predictions int64
		data        []byte
	}
	var all []kept
	err := s.db.Read(ctx, func(tx *state.Tx) error {
		all = all[:0]
		for _, k := range b.keys() {
			t := b.tallies[k]
			old, err := state.Collect(tx, scanData, "SELECT data FROM tallies WHERE series = ? AND grain_us = ? AND from_us = ? AND version = ? AND environment = ? AND slice = ?",
				is.name, int64(k.grain), k.from, k.version, k.environment, k.slice)
			if err != nil {
				return err
			}
			for _, data := range old {
				was, err := parseTally(data, r.Reference, len(r.Counts))
				if err == nil {
					err = was.Merge(t)
				}
				if err != nil {
					return err
				}
				t = was
			}
			data, err := t.marshal()
			if err != nil {
				return err
			}
			all = append(all, kept{k, t.Predictions, data})
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *state.Tx) error {
		if err := is.move(tx, until, is.seen); err != nil {
			return err
		}
		for _, k := range all {
			if _, err := tx.Exec(`INSERT INTO tallies (series, grain_us, from_us, version, environment, slice, predictions, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (series, grain_us, from_us, version, environment, slice) DO UPDATE SET predictions = excluded.predictions, data = excluded.data`,
				is.name, int64(k.grain), k.from, k.version, k.environment, k.slice, k.predictions, k.data); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		is.until = until
	}
	return err
}

func scanData(row state.Scanner) (data []byte, err error) { return data, row.Scan(&data) }

// hole leaves a segment uncounted, and its time to the records.
func (s *Store) hole(ctx context.Context, is *series, w waiting) error {
	err := s.db.Write(ctx, func(tx *state.Tx) error {
		if err := is.move(tx, w.event, is.seen); err != nil {
			return err
		}
		return is.open(tx, w.first, w.last)
	})
	if err == nil {
		is.until = w.event
	}
	return err
}

// open makes a hole in a series: there are no tallies of that time any more. It takes the place of those inside it.
func (is *series) open(tx *state.Tx, first, last int64) error {
	if _, err := tx.Exec("DELETE FROM tally_holes WHERE series = ? AND first_us >= ? AND last_us <= ?", is.name, first, last); err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO tally_holes (series, first_us, last_us) VALUES (?, ?, ?) ON CONFLICT (series, first_us, last_us) DO NOTHING", is.name, first, last); err != nil {
		return err
	}
	for _, g := range []grain{minute, hour, day} {
		if _, err := tx.Exec("DELETE FROM tallies WHERE series = ? AND grain_us = ? AND from_us >= ? AND from_us <= ?", is.name, int64(g), g.of(first), g.of(last)); err != nil {
			return err
		}
	}
	return nil
}
