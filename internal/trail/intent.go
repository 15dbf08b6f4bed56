package trail

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Intent is an effect outside the database that has been announced and not yet told the outcome of.
type Intent struct {
	ID       string
	Sequence uint64
	entry    Entry
	recorder *Recorder
}

// Result is how the effect of an intent ended.
type Result struct {
	Outcome     tallystick.Outcome
	Description string         // empty means the intent's
	Data        map[string]any // fields of the type; those of the intent that it does not name stay
}

// Intend records that the actor is about to do what e says, and returns when that is durable. Only
// then may the effect begin: if the trail cannot be written, the effect does not happen. e has no
// outcome yet, and its required fields may be absent.
func (r *Recorder) Intend(ctx context.Context, e Entry) (Intent, error) {
	d, err := r.draft(&e, r.config.Now(), phaseIntent, nil)
	if err != nil {
		return Intent{}, err
	}
	receipt, err := r.write(ctx, d)
	if err != nil {
		return Intent{}, err
	}
	return Intent{ID: receipt.ID, Sequence: receipt.Sequence, entry: e, recorder: r}, nil
}

// Finish records the outcome of the intent's effect. A second outcome of one intent is a Conflict.
func (i Intent) Finish(ctx context.Context, result Result) (Receipt, error) {
	d, err := i.outcome(result, i.recorder.config.Now())
	if err != nil {
		return Receipt{}, err
	}
	return i.recorder.write(ctx, d)
}

// FinishIn does the same in the transaction of a change that goes with it.
func (i Intent) FinishIn(tx *state.Tx, result Result) (Receipt, error) {
	d, err := i.outcome(result, tx.Now())
	if err != nil {
		return Receipt{}, err
	}
	return d.RecordIn(tx)
}

func (i Intent) outcome(result Result, at time.Time) (*Draft, error) {
	e := i.entry
	e.Outcome = result.Outcome
	if result.Description != "" {
		e.Description = result.Description
	}
	e.Data = make(map[string]any, len(i.entry.Data)+len(result.Data))
	for _, data := range []map[string]any{i.entry.Data, result.Data} {
		for name, value := range data {
			e.Data[name] = value
		}
	}
	return i.recorder.draft(&e, at, phaseOutcome, &i)
}

// Resume returns the intent that event, one of Reader.OpenIntents, has recorded, so that whoever has
// found out how it ended can tell. by is the actor who tells.
func (r *Recorder) Resume(event Event, by Actor) (Intent, error) {
	data, err := event.Data()
	if err != nil {
		return Intent{}, err
	}
	if data["phase"] != string(phaseIntent) {
		return Intent{}, tallystick.Errorf(tallystick.Invalid, "event %d is no intent", event.Sequence)
	}
	e := Entry{Type: event.Type, Actor: by, Resource: event.Resource, Data: map[string]any{}}
	for _, f := range r.kinds[event.Type].Fields {
		if value := data[f.Name]; f.Public && value != nil {
			e.Data[f.Name] = value
		}
	}
	return Intent{ID: event.ID, Sequence: event.Sequence, entry: e, recorder: r}, nil
}

// pair keeps the table of intents in step with the event at sequence.
func (d *Draft) pair(tx *state.Tx, sequence uint64) error {
	switch d.phase {
	case phaseIntent:
		if _, err := tx.Exec("INSERT INTO intents (sequence) VALUES (?)", sequence); err != nil {
			return fmt.Errorf("insert intent: %w", err)
		}
	case phaseOutcome:
		result, err := tx.Exec("UPDATE intents SET outcome = ? WHERE sequence = ? AND outcome IS NULL", sequence, d.intent)
		if err != nil {
			return fmt.Errorf("finish intent: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return tallystick.Errorf(tallystick.Conflict, "intent %d has its outcome already", d.intent)
		}
	}
	return nil
}
