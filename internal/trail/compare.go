package trail

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Difference is the first place where trail and ledger disagree, or where the trail disagrees with
// itself.
type Difference struct {
	Sequence uint64 // of the event; 0 if there is none
	Index    uint64 // in the ledger
	Reason   string
}

// Error names the event and the entry.
func (d *Difference) Error() string {
	if d.Sequence == 0 {
		return fmt.Sprintf("ledger entry %d: %s", d.Index, d.Reason)
	}
	return fmt.Sprintf("event %d, ledger entry %d: %s", d.Sequence, d.Index, d.Reason)
}

// ComparerConfig says what is compared. DB and Origin are required.
type ComparerConfig struct {
	DB     *state.DB
	Origin string
	Prefix [][]byte // as in SealerConfig
}

// Comparer holds a whole ledger, entry by entry, against the trail: every entry must be the event of
// its place, and every event that was sealed must be where the database says. It does not verify the
// ledger's hashes or its checkpoint; the ledger's own check, which can feed it, does.
type Comparer struct {
	ctx     context.Context
	config  ComparerConfig
	entries uint64
	pending [][]byte // leaves of the events that come next
}

// Comparison is what a Comparer has seen.
type Comparison struct {
	Entries uint64 // in the ledger
	Events  uint64 // recorded
	Beyond  uint64 // recorded, and not among the entries: not sealed yet, or under a later checkpoint
}

// NewComparer returns a comparer. ctx ends its queries.
func NewComparer(ctx context.Context, config ComparerConfig) *Comparer {
	return &Comparer{ctx: ctx, config: config}
}

// Leaf compares the entry at index; they must come in order from 0. It returns a *Difference if it is
// not the event of its place. leaf is not kept.
func (c *Comparer) Leaf(index uint64, leaf []byte) error {
	if index != c.entries {
		return &Difference{Index: index, Reason: fmt.Sprintf("entry %d was to come next", c.entries)}
	}
	c.entries++
	base := uint64(len(c.config.Prefix))
	if index < base {
		if !bytes.Equal(leaf, c.config.Prefix[index]) {
			return &Difference{Index: index, Reason: "the ledger does not begin with the checkpoint that it continues"}
		}
		return nil
	}
	if len(c.pending) == 0 {
		err := c.config.DB.Read(c.ctx, func(tx *state.Tx) (err error) {
			c.pending, err = leaves(tx, index-base+1, maxBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("compare trail and ledger: %w", err)
		}
		if len(c.pending) == 0 {
			return &Difference{Index: index, Reason: "there is no event for it in the database"}
		}
	}
	if !bytes.Equal(leaf, c.pending[0]) {
		return &Difference{Sequence: index - base + 1, Index: index, Reason: explain(leaf, c.pending[0])}
	}
	c.pending = c.pending[1:]
	return nil
}

// Finish ends the comparison after the last entry. It returns a *Difference if the stored places of
// the events are not those that the order demands.
func (c *Comparer) Finish() (Comparison, error) {
	result := Comparison{Entries: c.entries}
	err := c.config.DB.Read(c.ctx, func(tx *state.Tx) error {
		if err := tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&result.Events); err != nil {
			return err
		}
		return c.checkSeals(tx)
	})
	if base := uint64(len(c.config.Prefix)); c.entries > base {
		result.Beyond = result.Events - min(result.Events, c.entries-base)
	} else {
		result.Beyond = result.Events
	}
	if err != nil {
		return result, fmt.Errorf("compare trail and ledger: %w", err)
	}
	return result, nil
}

// explain says how a ledger entry and the leaf of the event of its place differ.
func explain(entry, leaf []byte) string {
	ledger, err := verify.DecodeEvent(entry)
	if err != nil {
		return "the ledger's entry is no event"
	}
	recorded, err := verify.DecodeEvent(leaf)
	switch {
	case err != nil:
		return "the leaf in the database is damaged"
	case ledger.ID != recorded.ID:
		return fmt.Sprintf("the ledger holds event %s and the database event %s", ledger.ID, recorded.ID)
	}
	return fmt.Sprintf("event %s reads otherwise in the ledger than in the database", ledger.ID)
}

// checkSeals checks that the stored places have no gap and are those that the order demands.
func (c *Comparer) checkSeals(tx *state.Tx) error {
	rows, err := tx.Query("SELECT first_sequence, first_index, count FROM seals WHERE origin = ? ORDER BY first_sequence", c.config.Origin)
	if err != nil {
		return err
	}
	next := uint64(1)
	for rows.Next() {
		var first, index, count uint64
		if err := rows.Scan(&first, &index, &count); err != nil {
			return err
		}
		if want := uint64(len(c.config.Prefix)) + next - 1; first != next || index != want {
			return &Difference{Sequence: next, Index: want, Reason: fmt.Sprintf("the database says that event %d is at index %d", first, index)}
		}
		next += count
	}
	return rows.Err()
}

// CheckEvents reads every event and checks that the database agrees with the leaf about it: the
// columns that questions use, and the disclosures, which must open the commitments. It returns the
// number of events, and a *Difference for the first that does not hold.
func CheckEvents(ctx context.Context, reader *Reader) (n uint64, err error) {
	var latest int64 // time of an event so far
	for {
		var events []Event
		var asked []columns
		err := reader.db.Read(ctx, func(tx *state.Tx) (err error) {
			if events, err = reader.query(tx, "v.sequence > ? ORDER BY v.sequence "+state.Limit, n, maxLimit); err == nil {
				asked, err = columnsAfter(tx, n, maxLimit)
			}
			return err
		})
		if err != nil {
			return n, fmt.Errorf("check events: %w", err)
		}
		if len(events) == 0 && len(asked) > 0 {
			return n, fmt.Errorf("check events: %w", &Difference{Sequence: asked[0].sequence, Reason: "it has columns for questions, but there is no such event"})
		}
		if len(events) == 0 {
			return n, nil
		}
		for i, e := range events {
			n++
			latest = max(latest, e.Time.UnixMilli())
			if err := e.check(n, latest, asked[min(i, len(asked)):]); err != nil {
				return n, fmt.Errorf("check events: %w", err)
			}
		}
	}
}

// columnsAfter returns the columns of the events after sequence, in their order.
func columnsAfter(tx *state.Tx, sequence uint64, limit int) (all []columns, err error) {
	rows, err := tx.Query(`SELECT sequence, id, type, time_ms, latest_ms, late_ms, resource_type, resource_id, coalesce(model, ''), coalesce(outcome, ''), coalesce(actor, '')
		FROM event_columns WHERE sequence > ? ORDER BY sequence `+state.Limit, sequence, limit)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var c columns
		if err := rows.Scan(&c.sequence, &c.id, &c.kind, &c.timeMS, &c.latestMS, &c.lateMS, &c.resource.Type, &c.resource.ID, &c.model, &c.outcome, &c.actor); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// check checks the event at a place, given the latest time up to there and the columns from there on; the newest events have none yet.
func (e Event) check(place uint64, latest int64, asked []columns) error {
	different := func(format string, args ...any) error {
		d := &Difference{Sequence: e.Sequence, Reason: fmt.Sprintf(format, args...)}
		if e.Index != nil {
			d.Index = *e.Index
		}
		return d
	}
	if e.Sequence != place {
		return different("event %d is missing", place)
	}
	if e.written != e.Sequence {
		return different("its sequence is %d in its leaf", e.written)
	}
	if _, err := e.AppendData(nil, true); err != nil {
		return different("%v", err)
	}
	if len(asked) == 0 {
		return nil
	}
	got, want := asked[0], e.columns()
	want.latestMS, want.lateMS = latest, latest-want.timeMS
	for _, column := range []struct{ name, database, leaf any }{
		{"sequence", got.sequence, want.sequence},
		{"id", got.id, want.id},
		{"type", got.kind, want.kind},
		{"time", got.timeMS, want.timeMS},
		{"latest time", got.latestMS, want.latestMS},
		{"lateness", got.lateMS, want.lateMS},
		{"resource type", got.resource.Type, want.resource.Type},
		{"resource id", got.resource.ID, want.resource.ID},
		{"model", got.model, want.model},
		{"outcome", got.outcome, want.outcome},
		{"actor", got.actor, want.actor},
	} {
		if column.database != column.leaf {
			return different("its %s is %v in the columns for questions and %v in the event", column.name, column.database, column.leaf)
		}
	}
	return nil
}
