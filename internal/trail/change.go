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
	p, err := r.prepare(act, change, tx.Now())
	if err != nil {
		return Receipt{}, err
	}
	return p.Commit(tx)
}

// Prepare does what Commit does but for the transaction: most of the work, for which nobody has to wait
// then. The time of the change is that of this call; the change stays as it is.
func (r *Recorder) Prepare(act Act, change Change) (*Prepared, error) {
	return r.prepare(act, change, r.config.Now())
}

func (r *Recorder) prepare(act Act, change Change, at time.Time) (*Prepared, error) {
	e, err := r.entry(act, change)
	if err != nil {
		return nil, err
	}
	e.Outcome = tallystick.Success
	d, err := r.draft(&e, at, "", nil)
	if err != nil {
		return nil, err
	}
	return &Prepared{change: change, actor: act.Actor.ID, draft: d}, nil
}

// Prepared is a change whose event lacks only its place on the trail.
type Prepared struct {
	change Change
	actor  string
	draft  *Draft
}

// Change returns the change.
func (p *Prepared) Change() Change { return p.change }

// Expect returns the receipt that Commit gives if it is what the transaction records next.
func (p *Prepared) Expect(tx *state.Tx) (Receipt, error) {
	last, err := lastSequence(tx)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{ID: p.draft.id, Sequence: *last + 1, Time: p.draft.at, Level: Recorded}, nil
}

// Commit is as Recorder.Commit.
func (p *Prepared) Commit(tx *state.Tx) (Receipt, error) {
	receipt, err := p.draft.RecordIn(tx)
	if err != nil {
		return Receipt{}, err
	}
	if err := p.change.Apply(tx, receipt.Mark(p.actor)); err != nil {
		kind, resource := p.change.Subject()
		return Receipt{}, fmt.Errorf("%s %s: %w", kind.Short(), resource.ID, err)
	}
	return receipt, nil
}

// Mark returns the place of a change that actor made.
func (r Receipt) Mark(actor string) Mark {
	return Mark{Sequence: r.Sequence, ID: r.ID, Time: r.Time, Actor: actor}
}

func (r *Recorder) entry(a Act, change Change) (Entry, error) {
	kind, resource := change.Subject()
	data, err := r.fields.data(change)
	if err != nil {
		return Entry{}, fmt.Errorf("data of %s %s: %w", kind.Short(), resource.ID, err)
	}
	return Entry{Type: kind, Actor: a.Actor, Resource: resource, Purpose: a.Purpose, Description: a.Description, Context: a.Context, Data: data}, nil
}

// Recall fills the change with what the event at sequence says, and returns its place.
func Recall(tx *state.Tx, sequence uint64, change Change) (Mark, error) {
	events, err := read(tx, nil, "v.sequence = ?", sequence)
	if err != nil {
		return Mark{}, fmt.Errorf("read event %d: %w", sequence, err)
	}
	if len(events) != 1 {
		return Mark{}, fmt.Errorf("there is no event %d", sequence)
	}
	if kind, _ := change.Subject(); kind != events[0].Type {
		return Mark{}, fmt.Errorf("event %d is %s, not %s", sequence, events[0].Type.Short(), kind.Short())
	}
	return events[0].mark(), readChange(events[0], change)
}

func (e Event) mark() Mark {
	return Mark{Sequence: e.Sequence, ID: e.ID, Time: e.Time, Actor: e.Actor}
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
