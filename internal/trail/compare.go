package trail

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Entries is a ledger to be read as of one checkpoint.
type Entries interface {
	// Size returns the number of entries.
	Size() uint64
	// Leaves yields the entries [from, to) in order and stops after the first error.
	Leaves(ctx context.Context, from, to uint64) iter.Seq2[[]byte, error]
}

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

// Comparison is what Compare has read.
type Comparison struct {
	Entries uint64 // in the ledger
	Events  uint64 // recorded; those beyond the ledger's entries are not covered by its checkpoint yet
}

// CompareConfig says what is compared. DB, Entries and Origin are required.
type CompareConfig struct {
	DB      *state.DB
	Entries Entries
	Origin  string
	Prefix  [][]byte // as in SealerConfig
}

// Compare reads the whole ledger beside the whole trail: every entry must be the event of its place,
// and every event that was sealed must have its place. It returns a *Difference for the first that
// is not so. It does not verify the ledger's hashes or the checkpoint; the ledger's own check does.
func Compare(ctx context.Context, config CompareConfig) (Comparison, error) {
	c := Comparison{Entries: config.Entries.Size()}
	err := c.compare(ctx, config)
	if err == nil {
		err = checkSeals(ctx, config)
	}
	if err != nil {
		return c, fmt.Errorf("compare trail and ledger: %w", err)
	}
	return c, nil
}

func (c *Comparison) compare(ctx context.Context, config CompareConfig) error {
	base := uint64(len(config.Prefix))
	var index uint64
	var pending [][]byte // leaves of events not yet met in the ledger
	for entry, err := range config.Entries.Leaves(ctx, 0, c.Entries) {
		if err != nil {
			return err
		}
		if index < base {
			if !bytes.Equal(entry, config.Prefix[index]) {
				return &Difference{Index: index, Reason: "the ledger does not begin with the checkpoint that it continues"}
			}
			index++
			continue
		}
		if len(pending) == 0 {
			err := config.DB.Read(ctx, func(tx *state.Tx) (err error) {
				pending, err = leaves(tx, index-base+1, maxBatch)
				return err
			})
			if err != nil {
				return err
			}
			if len(pending) == 0 {
				return &Difference{Index: index, Reason: "there is no event for it in the database"}
			}
		}
		if !bytes.Equal(entry, pending[0]) {
			return &Difference{Sequence: index - base + 1, Index: index, Reason: explain(entry, pending[0])}
		}
		pending = pending[1:]
		index++
	}
	return config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&c.Events)
	})
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
func checkSeals(ctx context.Context, config CompareConfig) error {
	return config.DB.Read(ctx, func(tx *state.Tx) error {
		rows, err := tx.Query("SELECT first_sequence, first_index, count FROM seals WHERE origin = ? ORDER BY first_sequence", config.Origin)
		if err != nil {
			return err
		}
		next := uint64(1)
		for rows.Next() {
			var first, index, count uint64
			if err := rows.Scan(&first, &index, &count); err != nil {
				return err
			}
			if want := uint64(len(config.Prefix)) + next - 1; first != next || index != want {
				return &Difference{Sequence: next, Index: want, Reason: fmt.Sprintf("the database says that event %d is at index %d", first, index)}
			}
			next += count
		}
		return rows.Err()
	})
}

// CheckEvents reads every event and checks that the database agrees with the leaf about it: the
// columns that questions use, and the disclosures, which must open the commitments. It returns the
// number of events, and a *Difference for the first that does not hold.
func CheckEvents(ctx context.Context, reader *Reader) (n uint64, err error) {
	for e, err := range reader.All(ctx, Filter{Limit: maxLimit}) {
		if err == nil {
			n++
			err = e.check(n)
		}
		if err != nil {
			return n, fmt.Errorf("check events: %w", err)
		}
	}
	return n, nil
}

func (e Event) check(place uint64) error {
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
	sealed, err := verify.DecodeEvent(e.Leaf)
	if err != nil {
		return different("its leaf is damaged: %v", err)
	}
	outcome, _ := sealed.Data["outcome"].(string)
	resource, _ := sealed.Data["resource"].(map[string]any)
	for _, column := range []struct{ name, database, leaf any }{
		{"sequence", e.Sequence, sealed.Sequence},
		{"id", e.ID, sealed.ID},
		{"type", string(e.Type), sealed.Type},
		{"time", e.Time.Format(time.RFC3339Nano), sealed.Time.Format(time.RFC3339Nano)},
		{"outcome", string(e.Outcome), outcome},
		{"resource type", e.Resource.Type, resource["type"]},
		{"resource id", e.Resource.ID, resource["id"]},
	} {
		if column.database != column.leaf {
			return different("its %s is %v in the database and %v in its leaf", column.name, column.database, column.leaf)
		}
	}
	data, err := sealed.Open(e.Disclosures)
	if err != nil {
		return different("%v", err)
	}
	actor, _ := data["actor"].(map[string]any)
	if id, disclosed := actor["id"].(string); disclosed && id != e.Actor || !disclosed && e.Actor != "" {
		return different("its actor is %q in the database and %q in its disclosures", e.Actor, id)
	}
	return nil
}
