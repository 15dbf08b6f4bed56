package trail

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Change is an act that alters the state. Its fields, under their JSON names, are the data of its
// event, and what Apply writes follows from them, from the mark and from the rows of changes before
// it alone. So the state can be made again from the trail, and compared (Replay).
type Change interface {
	// Subject returns the type of the event and what the act is done to.
	Subject() (Type, Resource)
	// Apply writes the rows. It must refuse nothing that was allowed when the event was recorded:
	// what may be refused is looked at before, by who makes the change.
	Apply(tx *state.Tx, at Mark) error
}

// Mark is the place of a change on the trail.
type Mark struct {
	Sequence uint64
	ID       string    // of the event
	Time     time.Time // UTC, in milliseconds
	Actor    string    // id; empty once it has been erased
}

// Act says who acts and why.
type Act struct {
	Actor       Actor
	Purpose     string
	Description string // what happens, in a sentence; may be empty
	Context     map[string]any
}

// Commit records the event of a change and applies it, in one transaction: both are durable or
// neither is. The receipt counts once the transaction is durable.
func (r *Recorder) Commit(tx *state.Tx, act Act, change Change) (Receipt, error) {
	e, err := r.entry(act, change)
	if err != nil {
		return Receipt{}, err
	}
	e.Outcome = tallystick.Success
	receipt, err := r.RecordIn(tx, e)
	if err != nil {
		return Receipt{}, err
	}
	mark := Mark{Sequence: receipt.Sequence, ID: receipt.ID, Time: tx.Now(), Actor: act.Actor.ID}
	if err := change.Apply(tx, mark); err != nil {
		return Receipt{}, fmt.Errorf("%s %s: %w", e.Type.Short(), e.Resource.ID, err)
	}
	return receipt, nil
}

func (r *Recorder) entry(a Act, change Change) (Entry, error) {
	kind, resource := change.Subject()
	data, err := r.fields.data(change)
	if err != nil {
		return Entry{}, fmt.Errorf("data of %s %s: %w", kind.Short(), resource.ID, err)
	}
	return Entry{Type: kind, Actor: a.Actor, Resource: resource, Purpose: a.Purpose, Description: a.Description, Context: a.Context, Data: data}, nil
}

// readChange fills the change with what an event says. Fields of which the disclosure was erased stay
// zero.
func readChange(e Event, change Change) error {
	sealed, err := verify.DecodeEvent(e.Leaf)
	if err != nil {
		return fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	data, err := sealed.Open(e.Disclosures)
	if err != nil {
		return fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	for _, pointer := range sealed.Commitments() {
		if !slices.ContainsFunc(e.Disclosures, func(d verify.Disclosure) bool { return d.Pointer == pointer }) {
			delete(data, pointer[1:]) // an object where the change has something else
		}
	}
	for _, common := range commonFields {
		delete(data, common.Name)
	}
	raw, err := json.Marshal(data)
	if err == nil {
		err = json.Unmarshal(raw, change)
	}
	if err != nil {
		return fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	return nil
}
