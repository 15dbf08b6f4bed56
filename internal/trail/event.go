package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Event is a recorded event with what is known of it.
type Event struct {
	Sequence    uint64
	ID          string
	Type        Type
	Time        time.Time // UTC, in milliseconds
	Actor       string    // id; empty once it has been erased
	Resource    Resource
	Outcome     tallystick.Outcome // empty for an intent
	Leaf        []byte
	Disclosures []verify.Disclosure // without those that were erased
	Index       *uint64             // in the ledger; nil until the sealer has appended it
}

// Data returns the event's data with the sealed fields opened, each checked against the leaf. Fields
// of which the disclosure was erased stay commitments.
func (e Event) Data() (map[string]any, error) {
	sealed, err := verify.DecodeEvent(e.Leaf)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	return sealed.Open(e.Disclosures)
}

// Filter chooses events. Zero fields choose all.
type Filter struct {
	Type     Type
	Actor    string // id; events of which it was erased are not found
	Resource Resource
	Outcome  tallystick.Outcome
	Since    time.Time // inclusive
	Until    time.Time // exclusive
	After    uint64    // sequence, exclusive
	Before   uint64    // sequence, exclusive; 0 means no bound
	Newest   bool      // newest first
	Limit    int       // 0 means 100; at most 1,000
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// where returns the condition that f stands for, with its arguments.
func (f Filter) where() (string, []any) {
	conditions, args := []string{"e.sequence > ?"}, []any{f.After}
	add := func(use bool, condition string, arg any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg)
		}
	}
	add(f.Before > 0, "e.sequence < ?", f.Before)
	add(f.Type != "", "e.type = ?", string(f.Type))
	add(f.Actor != "", "e.actor = ?", f.Actor)
	add(f.Resource.Type != "", "e.resource_type = ?", f.Resource.Type)
	add(f.Resource.ID != "", "e.resource_id = ?", f.Resource.ID)
	add(f.Outcome != "", "e.outcome = ?", string(f.Outcome))
	add(!f.Since.IsZero(), "e.time_ms >= ?", f.Since.UnixMilli())
	add(!f.Until.IsZero(), "e.time_ms < ?", f.Until.UnixMilli())
	return strings.Join(conditions, " AND "), args
}

// Reader puts questions to the trail.
type Reader struct {
	db     *state.DB
	origin string
}

// NewReader returns a reader of the trail in db; Index fields are those of the ledger of origin.
func NewReader(db *state.DB, origin string) *Reader { return &Reader{db: db, origin: origin} }

// Events returns the events that f chooses, in the order of the sequence unless f says otherwise.
func (r *Reader) Events(ctx context.Context, f Filter) (events []Event, err error) {
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		events, err = r.events(tx, f)
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
			if len(page) == 0 {
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
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		sequence, err := strconv.ParseUint(name, 10, 63)
		if err != nil {
			err = tx.QueryRow("SELECT sequence FROM events WHERE id = ?", name).Scan(&sequence)
		} else {
			err = tx.QueryRow("SELECT sequence FROM events WHERE sequence = ?", sequence).Scan(&sequence)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return tallystick.Errorf(tallystick.NotFound, "there is no event %q", name).
				WithHint("`tallystick log` lists them")
		}
		if err != nil {
			return err
		}
		events, err := r.events(tx, Filter{After: sequence - 1, Limit: 1})
		if err != nil {
			return err
		}
		event = events[0]
		return nil
	})
	if err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	return event, nil
}

// Count returns the number of events that f chooses, whatever its limit.
func (r *Reader) Count(ctx context.Context, f Filter) (n uint64, err error) {
	where, args := f.where()
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM events e WHERE "+where, args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// Unsealed returns how many events the sealer has not yet appended to the ledger, and the time of the
// oldest, which is zero if there is none.
func (r *Reader) Unsealed(ctx context.Context) (n uint64, oldest time.Time, err error) {
	err = r.db.Read(ctx, func(tx *state.Tx) error {
		next, err := nextSequence(tx, r.origin)
		if err != nil {
			return err
		}
		var ms sql.NullInt64
		err = tx.QueryRow("SELECT count(*), (SELECT time_ms FROM events WHERE sequence = ?) FROM events WHERE sequence >= ?", next, next).Scan(&n, &ms)
		if ms.Valid {
			oldest = time.UnixMilli(ms.Int64).UTC()
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
		events, err = r.query(tx, "e.sequence IN (SELECT sequence FROM intents WHERE outcome IS NULL) ORDER BY e.sequence LIMIT ?", maxLimit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open intents: %w", err)
	}
	return events, nil
}

func (r *Reader) events(tx *state.Tx, f Filter) ([]Event, error) {
	if f.Limit <= 0 { // a negative one would mean all to SQL
		f.Limit = defaultLimit
	}
	where, args := f.where()
	order := "e.sequence"
	if f.Newest {
		order = "e.sequence DESC"
	}
	return r.query(tx, where+" ORDER BY "+order+" LIMIT ?", append(args, min(f.Limit, maxLimit))...)
}

// query returns the events for which the condition holds, with what follows it.
func (r *Reader) query(tx *state.Tx, condition string, args ...any) ([]Event, error) {
	sealedUpTo, err := nextSequence(tx, r.origin)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT e.sequence, e.id, e.type, e.time_ms, e.resource_type, e.resource_id, e.outcome, e.leaf, e.actor, e.disclosures,
		(SELECT s.first_index + (e.sequence - s.first_sequence) FROM seals s
			WHERE s.origin = ? AND s.first_sequence <= e.sequence ORDER BY s.first_sequence DESC LIMIT 1)
		FROM events e WHERE `+condition, append([]any{r.origin}, args...)...)
	if err != nil {
		return nil, err
	}
	var events []Event
	for rows.Next() {
		var e Event
		var ms int64
		var outcome, actor sql.NullString
		var index sql.NullInt64
		var fields []byte
		if err := rows.Scan(&e.Sequence, &e.ID, &e.Type, &ms, &e.Resource.Type, &e.Resource.ID, &outcome, &e.Leaf, &actor, &fields, &index); err != nil {
			return nil, err
		}
		if e.Disclosures, err = verify.ParseOpenings(fields); err != nil {
			return nil, fmt.Errorf("disclosures of event %d: %w", e.Sequence, err)
		}
		e.Time = time.UnixMilli(ms).UTC()
		e.Outcome, e.Actor = tallystick.Outcome(outcome.String), actor.String
		if e.Sequence < sealedUpTo && index.Valid {
			at := uint64(index.Int64)
			e.Index = &at
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// nextSequence returns the sequence of the first event that the ledger of origin does not have.
func nextSequence(tx *state.Tx, origin string) (next uint64, err error) {
	err = tx.QueryRow("SELECT first_sequence + count FROM seals WHERE origin = ? ORDER BY first_sequence DESC LIMIT 1", origin).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil
	}
	return next, err
}
