package trail

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Table is a table of which every row follows from changes.
type Table struct {
	Name    string
	Key     []string // the columns of its primary key
	Columns []string // the others that are compared: all that no erasure empties
	Sealed  []string // those that an erasure empties: compared unless the trail says nothing of them
}

// Replayer makes the state again from the trail.
type Replayer struct {
	Changes map[Type]func() Change // returns one to be filled, for each type that is a change
	Tables  []Table
}

const replayBatch = 1000 // events applied, or rows compared, at a time

// Check replays the trail into scratch, an empty database, and compares its tables with those of the
// reader's database. It returns how many changes were replayed, and an Invalid error that names the
// first row that the trail does not explain. What is recorded meanwhile is not looked at; nobody
// may change the state between.
func (p Replayer) Check(ctx context.Context, reader *Reader, scratch *state.DB) (changes uint64, err error) {
	if changes, err = p.replay(ctx, reader, scratch); err != nil {
		return changes, fmt.Errorf("replay the trail: %w", err)
	}
	for _, table := range p.Tables {
		if err := table.compare(ctx, reader.db, scratch); err != nil {
			return changes, fmt.Errorf("compare state and trail: %w", err)
		}
	}
	return changes, nil
}

func (p Replayer) replay(ctx context.Context, reader *Reader, scratch *state.DB) (n uint64, err error) {
	var last uint64
	for {
		var batch []Event
		err := reader.db.Read(ctx, func(tx *state.Tx) (err error) {
			batch, err = read(tx, p.concerns, "v.sequence > ? ORDER BY v.sequence "+state.Limit, last, replayBatch)
			return err
		})
		if err != nil || len(batch) == 0 {
			return n, err
		}
		last = batch[len(batch)-1].Sequence
		var applied uint64
		err = scratch.Write(ctx, func(tx *state.Tx) error {
			applied = 0
			for _, e := range batch {
				fresh, known := p.Changes[e.Type]
				if !known || e.Outcome != tallystick.Success {
					continue
				}
				if err := apply(tx, e, fresh()); err != nil {
					return err
				}
				applied++
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += applied
	}
}

// concerns reports whether a leaf may tell of a change. Most of a trail are touches that change nothing; they need
// not be decoded to be passed over. A leaf is canonical: its type stands there as it is looked for, perhaps among others.
func (p Replayer) concerns(leaf []byte) bool {
	for {
		_, rest, found := bytes.Cut(leaf, []byte(`"type":"`))
		if !found {
			return false
		}
		kind, _, _ := bytes.Cut(rest, []byte(`"`))
		if _, known := p.Changes[Type(kind)]; known {
			return true
		}
		leaf = rest
	}
}

// apply applies the change that an event tells of. The event itself is not copied; the rows refer to
// its sequence only.
func apply(tx *state.Tx, e Event, change Change) error {
	if err := readChange(e, change); err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO events (sequence, leaf, disclosures) VALUES (?, ?, ?)", e.Sequence, []byte{}, []byte{}); err != nil {
		return fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	if err := change.Apply(tx, e.mark()); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "event %d, %s, cannot have happened after those before it: %w", e.Sequence, e.Type.Short(), err)
	}
	return nil
}

// compare returns an Invalid error for the first row in which the databases differ. Both are read as
// of one moment each, a batch at a time.
func (t Table) compare(ctx context.Context, is, want *state.DB) error {
	return is.Read(ctx, func(a *state.Tx) error {
		return want.Read(ctx, func(b *state.Tx) error {
			left, err := t.rows(a)
			if err != nil {
				return err
			}
			right, err := t.rows(b)
			if err != nil {
				return err
			}
			for {
				x, err := t.next(left)
				if err != nil {
					return err
				}
				y, err := t.next(right)
				if err != nil {
					return err
				}
				if x == nil && y == nil {
					return nil
				}
				if err := t.differ(x, y); err != nil {
					return err
				}
			}
		})
	})
}

func (t Table) columns() []string { return slices.Concat(t.Key, t.Columns, t.Sealed) }

func (t Table) rows(tx *state.Tx) (*state.Rows, error) {
	return tx.Query("SELECT " + strings.Join(t.columns(), ", ") + " FROM " + t.Name + " ORDER BY " + strings.Join(t.Key, ", "))
}

// nothing stands for NULL.
const nothing = "nothing"

// next returns the next row in words, or nil after the last.
func (t Table) next(rows *state.Rows) ([]string, error) {
	if !rows.Next() {
		return nil, rows.Err()
	}
	values := make([]any, len(t.columns()))
	for i := range values {
		values[i] = new(any)
	}
	if err := rows.Scan(values...); err != nil {
		return nil, err
	}
	words := make([]string, len(values))
	for i, value := range values {
		switch v := (*value.(*any)).(type) {
		case nil:
			words[i] = nothing
		case []byte:
			words[i] = string(v)
		default:
			words[i] = fmt.Sprint(v)
		}
	}
	return words, nil
}

func (t Table) differ(is, want []string) error {
	key := func(row []string) string { return t.Name + " " + strings.Join(row[:len(t.Key)], "@") }
	switch order := compareKeys(is, want, len(t.Key)); {
	case order < 0:
		return tallystick.Errorf(tallystick.Invalid, "%s stands in the database and not on the trail", key(is))
	case order > 0:
		return tallystick.Errorf(tallystick.Invalid, "%s stands on the trail and not in the database", key(want))
	}
	for i, column := range t.columns() {
		if forgotten := want[i] == "" || want[i] == nothing; forgotten && i >= len(t.Key)+len(t.Columns) {
			continue
		}
		if is[i] != want[i] {
			return tallystick.Errorf(tallystick.Invalid, "%s: its %s is %.80q in the database and %.80q on the trail", key(is), column, is[i], want[i])
		}
	}
	return nil
}

// compareKeys orders rows as both databases do, as far as that matters for saying which of two lacks one.
func compareKeys(a, b []string, n int) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return slices.Compare(a[:n], b[:n])
}
