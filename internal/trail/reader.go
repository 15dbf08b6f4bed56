package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Reader puts questions to the trail.
type Reader struct {
	db       *state.DB
	origin   string
	catching sync.Mutex // held while columns are written
}

// NewReader returns a reader of the trail in db; Index fields are those of the ledger of origin.
func NewReader(db *state.DB, origin string) *Reader { return &Reader{db: db, origin: origin} }

// Events returns the events that f chooses, in the order of the sequence unless f says otherwise.
func (r *Reader) Events(ctx context.Context, f Filter) (events []Event, err error) {
	err = r.prepared(ctx, func(tx *state.Tx, t tail) error {
		events, err = r.events(ctx, tx, f, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return events, nil
}

// All yields the events that f chooses, however many; f.Limit bounds those read at a time. Each page
// is read by itself, so that a long walk holds up nobody. It ends after the first error.
func (r *Reader) All(ctx context.Context, f Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			page, err := r.Events(ctx, f)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < f.size() {
				return
			}
			if last := page[len(page)-1].Sequence; f.Newest {
				f.Before = last
			} else {
				f.After = last
			}
			if f.Newest && f.Before <= 1 {
				return
			}
		}
	}
}

// Event returns one event, or a NotFound error. name is its id or its sequence in decimal.
func (r *Reader) Event(ctx context.Context, name string) (event Event, err error) {
	sequence, notNumber := strconv.ParseUint(name, 10, 63)
	find := func(tx *state.Tx, t tail) (err error) {
		var events []Event
		if notNumber == nil {
			events, err = r.query(tx, "v.sequence = ?", sequence)
		} else {
			events, err = r.query(tx, "v.sequence = (SELECT e.sequence FROM event_columns e WHERE e.id = ?)", name)
		}
		if err == nil && len(events) == 0 && notNumber != nil {
			if events, err = t.chosen(tx, Filter{}); err == nil {
				events = slices.DeleteFunc(events, func(e Event) bool { return e.ID != name })
				err = r.place(tx, events)
			}
		}
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return tallystick.Errorf(tallystick.NotFound, "there is no event %q", name).
				WithHint("`tallystick log` lists them")
		}
		event = events[0]
		return nil
	}
	if notNumber == nil {
		err = r.db.Read(ctx, func(tx *state.Tx) error { return find(tx, tail{}) })
	} else {
		err = r.prepared(ctx, find)
	}
	if err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	return event, nil
}

// Count returns the number of events that f chooses, whatever its limit.
func (r *Reader) Count(ctx context.Context, f Filter) (n uint64, err error) {
	err = r.prepared(ctx, func(tx *state.Tx, t tail) error {
		where, args, err := f.where(tx)
		if err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT count(*) FROM event_columns e WHERE "+where, args...).Scan(&n); err != nil {
			return err
		}
		more, err := t.chosen(tx, f)
		n += uint64(len(more))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// Any reports whether one of the filters chooses an event, whatever their limits. It reads none that has its columns.
func (r *Reader) Any(ctx context.Context, filters ...Filter) (found bool, err error) {
	err = r.prepared(ctx, func(tx *state.Tx, t tail) error {
		for _, f := range filters {
			where, args, err := f.where(tx)
			if err != nil {
				return err
			}
			if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM event_columns e WHERE "+where+")", args...).Scan(&found); err != nil || found {
				return err
			}
			more, err := t.chosen(tx, f)
			if found = len(more) > 0; err != nil || found {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for events: %w", err)
	}
	return found, nil
}

// Newest returns the sequence of the newest event, 0 if there is none.
func (r *Reader) Newest(ctx context.Context) (sequence uint64, err error) {
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&sequence)
	})
	if err != nil {
		return 0, fmt.Errorf("newest event: %w", err)
	}
	return sequence, nil
}

// NewestAt returns the sequence of the newest event at a moment, 0 if there was none.
func (r *Reader) NewestAt(ctx context.Context, at time.Time) (sequence uint64, err error) {
	found, err := r.Events(ctx, Filter{Until: at.Truncate(time.Millisecond).Add(time.Millisecond), Newest: true, Limit: 1})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Sequence, nil
}

// Unsealed returns how many events the sealer has not yet appended to the ledger, and the time of the
// oldest, which is zero if there is none.
func (r *Reader) Unsealed(ctx context.Context) (n uint64, oldest time.Time, err error) {
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		next, err := nextSequence(tx, r.origin)
		if err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT count(*) FROM events WHERE sequence >= ?", next).Scan(&n); err != nil || n == 0 {
			return err
		}
		first, err := read(tx, nil, "v.sequence = ?", next)
		if err == nil && len(first) > 0 {
			oldest = first[0].Time
		}
		return err
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("unsealed events: %w", err)
	}
	return n, oldest, nil
}

// OpenIntents returns the intents without an outcome, oldest first, at most 1,000. On a start they
// are findings: the effect of each may or may not have happened.
func (r *Reader) OpenIntents(ctx context.Context) (events []Event, err error) {
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		events, err = r.query(tx, "v.sequence IN (SELECT sequence FROM intents WHERE outcome IS NULL) ORDER BY v.sequence "+state.Limit, maxLimit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open intents: %w", err)
	}
	return events, nil
}

// events returns what f chooses among the events that have their columns and those of the tail, which
// lie behind them.
func (r *Reader) events(ctx context.Context, tx *state.Tx, f Filter, t tail) (events []Event, err error) {
	wanted, order := f.size(), ""
	if f.Newest {
		order = " DESC"
		if events, err = t.chosen(tx, f); err != nil {
			return nil, err
		}
		slices.Reverse(events)
		events = events[:min(len(events), wanted)]
	}
	if len(events) < wanted {
		where, args, err := f.where(tx)
		if err != nil {
			return nil, err
		}
		sequences, err := state.Collect(tx, scanSequence, "SELECT e.sequence FROM event_columns e WHERE "+where+" ORDER BY e.sequence"+order+" "+state.Limit, append(args, wanted-len(events))...)
		if err != nil {
			return nil, err
		}
		found, err := r.page(ctx, tx, f.Skim, sequences)
		if err != nil {
			return nil, err
		}
		events = append(events, found...)
	}
	if !f.Newest && len(events) < wanted {
		more, err := t.chosen(tx, f)
		if err != nil {
			return nil, err
		}
		events = append(events, more[:min(len(more), wanted-len(events))]...)
	}
	return events, r.place(tx, events)
}

// query returns the events for which the condition on the table v holds, with what follows it, and
// where the ledger has put them.
func (r *Reader) query(tx *state.Tx, condition string, args ...any) ([]Event, error) {
	events, err := read(tx, nil, condition, args...)
	if err != nil {
		return nil, err
	}
	return events, r.place(tx, events)
}

// place says of events where the ledger has put them. Seals follow each other without a gap, there and
// here, so that the last one says it of all.
func (r *Reader) place(tx *state.Tx, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	var first, index, count uint64
	err := tx.QueryRow("SELECT first_sequence, first_index, count FROM seals WHERE origin = ? ORDER BY first_sequence DESC LIMIT 1", r.origin).
		Scan(&first, &index, &count)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range events {
		if e := &events[i]; e.Sequence < first+count {
			at := index + e.Sequence - first
			e.Index = &at
		}
	}
	return nil
}

// nextSequence returns the sequence of the first event that the ledger of origin does not have.
func nextSequence(tx *state.Tx, origin string) (next uint64, err error) {
	err = tx.QueryRow("SELECT first_sequence + count FROM seals WHERE origin = ? ORDER BY first_sequence DESC LIMIT 1", origin).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil
	}
	return next, err
}
