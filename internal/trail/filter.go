package trail

import (
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

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
