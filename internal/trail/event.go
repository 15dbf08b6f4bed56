package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	ActorKind   string    // person, service or program
	Resource    Resource
	Model       string             // that it is about; empty if it names none in the clear
	Outcome     tallystick.Outcome // empty for an intent
	Leaf        []byte
	Disclosures []verify.Disclosure // without those that were erased
	Index       *uint64             // in the ledger; nil until the sealer has appended it

	written uint64  // sequence in the leaf
	sealed  *sealed // nil in an event that was made by hand
}

// sealed is what Sealed returns, decoded when it is first asked for and shared by the copies of an event.
type sealed struct {
	once sync.Once
	data map[string]any
}

// Data returns the event's data with the sealed fields opened, each checked against the leaf. Fields
// of which the disclosure was erased stay commitments.
func (e Event) Data() (map[string]any, error) {
	return verify.OpenEvent(e.Leaf, e.Disclosures)
}

// AppendData appends what Data returns as JSON (RFC 8785), in a fraction of the time; what everyone may read, unless
// open is set.
func (e Event) AppendData(dst []byte, open bool) ([]byte, error) {
	if !open {
		return verify.AppendOpened(dst, e.Leaf, nil)
	}
	return verify.AppendOpened(dst, e.Leaf, e.Disclosures)
}

// Sealed returns the event's data as everyone may read it: commitments stand in the place of sealed
// fields. It is decoded once; nobody may change it.
func (e Event) Sealed() map[string]any {
	if e.sealed == nil {
		e.sealed = new(sealed)
	}
	e.sealed.once.Do(func() {
		decoded, _ := verify.DecodeEvent(e.Leaf) // whoever made the event has judged the leaf
		e.sealed.data = decoded.Data
	})
	return e.sealed.data
}

// Filter chooses events. Zero fields choose all.
type Filter struct {
	Type     Type
	Without  []Type // are passed over one by one, so that a question for few events among many of these takes long
	Actor    string // id; events of which it was erased are not found
	Resource Resource
	Model    string // that the event is about
	Outcome  tallystick.Outcome
	Since    time.Time // inclusive
	Until    time.Time // exclusive
	After    uint64    // sequence, exclusive
	Before   uint64    // sequence, exclusive; 0 means no bound
	Newest   bool      // newest first
	Limit    int       // 0 means 100; at most 1,000

	// Skim, if given, looks at the leaf of each event that is chosen: one for which it is false comes with its
	// sequence alone, for whoever only has to know that it was passed over. To decode it takes long.
	Skim func(leaf []byte) bool
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// size returns how many events f chooses at most.
func (f Filter) size() int {
	if f.Limit <= 0 { // a negative one would mean all to SQL
		return defaultLimit
	}
	return min(f.Limit, maxLimit)
}

// where returns the condition on the table e that f stands for, with its arguments. Where the times
// of events lead to a part of the sequence, it says so, because no index has times by sequence.
func (f Filter) where(tx *state.Tx) (string, []any, error) {
	if err := f.narrow(tx); err != nil {
		return "", nil, err
	}
	model := "e.model = ?"
	if rare, err := f.rare(tx); err != nil {
		return "", nil, err
	} else if rare {
		model = "e.model || '' = ?" // an expression has no index
	}
	conditions, args := []string{"e.sequence > ?"}, []any{f.After}
	add := func(use bool, condition string, arg any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg)
		}
	}
	add(f.Before > 0, "e.sequence < ?", f.Before)
	add(f.Type != "", "e.type = ?", string(f.Type))
	add(f.Actor != "", "e.actor = ?", columnText(f.Actor))
	add(f.Resource.Type != "", "e.resource_type = ?", columnText(f.Resource.Type))
	add(f.Resource.ID != "", "e.resource_id = ?", columnText(f.Resource.ID))
	add(f.Model != "", model, columnText(f.Model))
	add(f.Outcome != "", "e.outcome = ?", string(f.Outcome))
	if f.Outcome != "" && f.Outcome != tallystick.Success {
		conditions = append(conditions, "e.outcome <> 'success'") // follows, and leads to the index of the few
	}
	add(!f.Since.IsZero(), "e.time_ms >= ?", f.Since.UnixMilli())
	add(!f.Until.IsZero(), "e.time_ms < ?", f.Until.UnixMilli())
	if len(f.Without) > 0 { // an expression has no index: the other conditions lead to the events
		conditions = append(conditions, "(e.type || '') NOT IN (?"+strings.Repeat(", ?", len(f.Without)-1)+")")
		for _, t := range f.Without {
			args = append(args, string(t))
		}
	}
	return strings.Join(conditions, " AND "), args, nil
}

// maxRare is how many acts of one kind are few for one person.
const maxRare = 200

// rare reports whether f asks for somebody's acts on a model that are of a type of which they have few: then those
// few are looked through. Whoever does much on the one model that everybody uses has thousands of acts on it.
func (f Filter) rare(tx *state.Tx) (bool, error) {
	if f.Actor == "" || f.Model == "" || f.Type == "" {
		return false, nil
	}
	var n int
	err := tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM event_columns WHERE actor = ? AND type = ? "+state.Limit+") AS few", columnText(f.Actor), string(f.Type), maxRare).Scan(&n)
	return n < maxRare, err
}

// narrow moves After and Before to what Since and Until allow. Sequence and time run together but for
// clocks that were set back: latest_ms never falls, and late_ms says by how much it is ahead.
func (f *Filter) narrow(tx *state.Tx) error {
	if !f.Since.IsZero() {
		var first uint64
		err := tx.QueryRow("SELECT sequence FROM event_columns WHERE latest_ms >= ? ORDER BY latest_ms, sequence LIMIT 1", f.Since.UnixMilli()).Scan(&first)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			first = math.MaxInt64
		case err != nil:
			return err
		}
		f.After = max(f.After, first-1)
	}
	if !f.Until.IsZero() {
		later, err := notBefore(tx, f.Until)
		if err != nil {
			return err
		}
		if later > 0 && (f.Before == 0 || later < f.Before) {
			f.Before = later
		}
	}
	return nil
}

// FirstSince returns a sequence before which no event was at t or later: the other end of what [NotBefore] bounds.
func FirstSince(tx *state.Tx, t time.Time) (sequence uint64, err error) {
	err = tx.QueryRow("SELECT sequence FROM event_columns WHERE latest_ms >= ? ORDER BY latest_ms, sequence LIMIT 1", t.UnixMilli()).Scan(&sequence)
	if errors.Is(err, sql.ErrNoRows) { // then only those that have no columns yet can be
		err = tx.QueryRow("SELECT coalesce(max(sequence), 0) + 1 FROM event_columns").Scan(&sequence)
	}
	return sequence, err
}

// NotBefore returns a sequence from which on no event was before t, or 0 if none is known. It spares
// whoever asks for what was before t to go through all that came later.
func NotBefore(tx *state.Tx, t time.Time) (sequence uint64, err error) {
	if sequence, err = notBefore(tx, t); err != nil || sequence == 0 {
		return 0, err
	}
	last, newest, err := behind(tx)
	if err != nil || newest > last+maxTail {
		return 0, err
	}
	if newest > last { // those could have been recorded after the clock was set back
		tail, err := read(tx, nil, "v.sequence > ?", last)
		if err != nil || slices.ContainsFunc(tail, func(e Event) bool { return e.Time.Before(t) }) {
			return 0, err
		}
	}
	return sequence, nil
}

// notBefore is NotBefore for the events that have their columns.
func notBefore(tx *state.Tx, t time.Time) (sequence uint64, err error) {
	var late int64
	if err := tx.QueryRow("SELECT coalesce((SELECT late_ms FROM event_columns WHERE late_ms > 0 ORDER BY late_ms DESC LIMIT 1), 0)").Scan(&late); err != nil {
		return 0, err
	}
	err = tx.QueryRow("SELECT sequence FROM event_columns WHERE latest_ms >= ? ORDER BY latest_ms, sequence LIMIT 1", t.UnixMilli()+late).Scan(&sequence)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return sequence, err
}

// chooses reports whether f chooses an event of these columns.
func (f Filter) chooses(c columns) bool {
	is := func(asked, value string) bool { return asked == "" || columnText(asked) == value }
	return c.sequence > f.After && (f.Before == 0 || c.sequence < f.Before) && (f.Type == "" || f.Type == c.kind) && !slices.Contains(f.Without, c.kind) && is(f.Actor, c.actor) &&
		is(f.Resource.Type, c.resource.Type) && is(f.Resource.ID, c.resource.ID) && is(f.Model, c.model) && is(string(f.Outcome), string(c.outcome)) &&
		(f.Since.IsZero() || c.timeMS >= f.Since.UnixMilli()) && (f.Until.IsZero() || c.timeMS < f.Until.UnixMilli())
}

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
