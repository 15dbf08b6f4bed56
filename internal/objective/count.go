package objective

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// maxStretches bounds the times that one look counts anew; closer ones are counted as one beyond it.
const maxStretches = 64

// ahead is how far beyond now what senders' clocks say is counted.
const ahead = day

// cursor is how far an objective has been counted.
type cursor struct {
	Document tallystick.Digest
	Basis    tallystick.Digest
	Done     mark
	Pending  []Stretch // that are still to be counted, as of Done
}

// count brings the counts of an objective up to a mark, a day at a time, the newest first; what is not done when ctx ends is
// left for the next time. It returns the counts.
func (o *Office) count(ctx context.Context, d *Document, s source, basis tallystick.Digest, at time.Time, now mark) (*tally, cursor, error) {
	was, err := o.cursorOf(ctx, d.Name)
	if err != nil {
		return nil, was, err
	}
	horizon := d.horizon(at)
	is := cursor{Document: tallystick.DigestOf(d.source), Basis: basis, Done: now}
	fresh := was.Document != is.Document || was.Basis != is.Basis
	limit, live := now.Time.Add(ahead), d.indicator().Live
	t, stored := newTally(at), false
	// A clock that was set back makes minutes of hours again, and a period of what was let go before it.
	back := !fresh && t.border.Before(newTally(d.at(was.Done.Time)).border)
	switch {
	case (fresh || back) && live:
		if back {
			limit = was.Done.Time.Add(ahead).Truncate(time.Hour).Add(time.Hour)
		}
		is.Pending = []Stretch{{horizon, limit}}
	case fresh || back:
		is.Pending, err = s.touched(ctx, horizon, mark{}, now)
	default:
		is.Pending, err = s.touched(ctx, horizon, was.Done, now)
		is.Pending = append(is.Pending, was.Pending...)
		if live { // what came too early lies within the limit meanwhile
			is.Pending = append(is.Pending, hoursBetween(horizon, mark{Time: was.Done.Time.Add(ahead)}, mark{Time: limit})...)
		}
	}
	if err != nil {
		return nil, was, err
	}
	if fresh {
		was.Done = mark{}
	}
	is.Pending = days(clipped(merged(is.Pending, time.Minute, maxStretches), horizon, limit))
	for len(is.Pending) > 0 {
		part := t.whole(is.Pending[0])
		counted, lost := newTally(at), false
		if lost, err = o.lost(ctx, d, part); err == nil && !lost {
			err = s.count(ctx, part, now.Event, counted.add)
		}
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return nil, was, err
		}
		is.Pending = is.Pending[1:]
		if err := o.storeCounts(ctx, d.Name, &was, is, horizon, t.border, part, counted, fresh, lost); err != nil {
			return nil, was, err
		}
		fresh, stored = false, true
	}
	// Where nothing has come, the mark is moved once an hour, with which minutes become hours.
	if ctx.Err() == nil && !stored && (fresh || !was.Done.Time.Truncate(time.Hour).Equal(now.Time.Truncate(time.Hour))) {
		if err := o.storeCounts(ctx, d.Name, &was, is, horizon, t.border, Stretch{}, newTally(at), fresh, false); err != nil {
			return nil, was, err
		}
	}
	err = o.readCounts(ctx, d.Name, t)
	return t, was, errors.Join(err, ctx.Err())
}

// lost reports whether records of a time are not kept any more: what was counted of it stays.
func (o *Office) lost(ctx context.Context, d *Document, s Stretch) (bool, error) {
	if source := d.indicator().Source; source != ofRecords && source != ofReference && source != ofPairs {
		return false, nil
	}
	known, err := o.config.Asker.Registered(ctx, d.Model, s.From, s.To, 0)
	return known.Removed > 0, err
}

func (o *Office) cursorOf(ctx context.Context, name string) (c cursor, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		c, err = cursorIn(tx, name)
		return err
	})
	return c, err
}

func cursorIn(tx *state.Tx, name string) (c cursor, err error) {
	var pending string
	var at int64
	err = tx.QueryRow("SELECT document, basis, event, at_ms, pending FROM objective_cursors WHERE objective = ?", name).Scan(&c.Document, &c.Basis, &c.Done.Event, &at, &pending)
	if errors.Is(err, sql.ErrNoRows) {
		return cursor{}, nil
	}
	if err == nil {
		c.Done.Time = time.UnixMilli(at).UTC()
		err = json.Unmarshal([]byte(pending), &c.Pending)
	}
	if err != nil {
		return c, fmt.Errorf("how far %s is counted: %w", name, err)
	}
	return c, nil
}

// storeCounts puts the counts of a stretch in the place of those that are there, and moves the cursor from was to is, which was
// becomes. It is an Unavailable error if somebody else has moved it.
func (o *Office) storeCounts(ctx context.Context, name string, was *cursor, is cursor, horizon, border time.Time, part Stretch, counted *tally, fresh, kept bool) error {
	pending, err := json.Marshal(is.Pending)
	if err != nil {
		return fmt.Errorf("count %s: %w", name, err)
	}
	before := was.Done
	err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
		now, err := cursorIn(tx, name)
		if err != nil {
			return err
		}
		if !fresh && (now.Done.Event != before.Event || !now.Done.Time.Equal(before.Time)) {
			return tallystick.Errorf(tallystick.Unavailable, "somebody else counts %s", name)
		}
		remove := func(from, to time.Time) error {
			_, err := tx.Exec("DELETE FROM objective_counts WHERE objective = ? AND from_ms >= ? AND from_ms < ?", name, from.UnixMilli(), to.UnixMilli())
			return err
		}
		if fresh {
			err = remove(time.UnixMilli(0), now.Done.Time.AddDate(1000, 0, 0))
		} else {
			err = remove(time.UnixMilli(0), horizon)
		}
		if err == nil && !kept && part.From.Before(part.To) {
			err = remove(part.From, part.To)
		}
		if err == nil {
			err = fold(tx, name, border)
		}
		if err != nil {
			return err
		}
		for key, c := range counted.counts {
			if key < part.From.UnixMilli() || key >= part.To.UnixMilli() {
				continue
			}
			if _, err := tx.Exec("INSERT INTO objective_counts (objective, from_ms, good, valid) VALUES (?, ?, ?, ?)", name, key, c.Good, c.Valid); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO objective_cursors (objective, document, basis, event, at_ms, pending) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (objective) DO UPDATE SET document = excluded.document, basis = excluded.basis, event = excluded.event, at_ms = excluded.at_ms, pending = excluded.pending`,
			name, string(is.Document), string(is.Basis), int64(is.Done.Event), is.Done.Time.UnixMilli(), string(pending))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the counts of %s: %w", name, err)
	}
	*was = is
	return nil
}

// fold makes hours of the minutes before a border.
func fold(tx *state.Tx, name string, border time.Time) error {
	const hour = int64(time.Hour / time.Millisecond)
	type row struct {
		from int64
		Count
	}
	minutes, err := state.Collect(tx, func(s state.Scanner) (r row, err error) { return r, s.Scan(&r.from, &r.Good, &r.Valid) },
		"SELECT from_ms, good, valid FROM objective_counts WHERE objective = ? AND from_ms < ? AND from_ms % 3600000 <> 0", name, border.UnixMilli())
	if err != nil || len(minutes) == 0 {
		return err
	}
	hours := map[int64]Count{}
	for _, m := range minutes {
		hours[m.from-m.from%hour] = hours[m.from-m.from%hour].Add(m.Count)
		if _, err := tx.Exec("DELETE FROM objective_counts WHERE objective = ? AND from_ms = ?", name, m.from); err != nil {
			return err
		}
	}
	for from, c := range hours {
		_, err := tx.Exec(`INSERT INTO objective_counts (objective, from_ms, good, valid) VALUES (?, ?, ?, ?)
			ON CONFLICT (objective, from_ms) DO UPDATE SET good = objective_counts.good + excluded.good, valid = objective_counts.valid + excluded.valid`, name, from, c.Good, c.Valid)
		if err != nil {
			return err
		}
	}
	return nil
}

// readCounts adds what is kept of an objective.
func (o *Office) readCounts(ctx context.Context, name string, t *tally) error {
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		clear(t.counts)
		rows, err := tx.Query("SELECT from_ms, good, valid FROM objective_counts WHERE objective = ?", name)
		if err != nil {
			return err
		}
		for rows.Next() {
			var from int64
			var c Count
			if err := rows.Scan(&from, &c.Good, &c.Valid); err != nil {
				return errors.Join(err, rows.Close())
			}
			t.put(time.UnixMilli(from).UTC(), c)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("counts of %s: %w", name, err)
	}
	return nil
}
