// Package registry carries out what people and programs ask of an installation: it looks whether they
// may, changes the state and records the change in one transaction, and records refusals too.
package registry

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Registry carries out commands over one database. Its methods may be called by many goroutines.
type Registry struct {
	db       *state.DB
	recorder *trail.Recorder
}

// New returns a registry whose commands change db and are recorded by recorder.
func New(db *state.DB, recorder *trail.Recorder) *Registry {
	return &Registry{db: db, recorder: recorder}
}

// Command is what somebody asks for.
type Command struct {
	Principal access.Principal
	Action    access.Action
	Resource  trail.Resource // what it is done to
	Model     string         // that it concerns, if it does
	Purpose   string         // what for, as the principal gave it; may be empty
	Retry     Retry
	// Propose looks at the state and returns the changes that do it, or none if it is so already. It
	// may run twice and writes nothing.
	Propose func(tx *state.Tx) ([]trail.Change, error)
	// Likely is the very change that Propose returns as a rule, if that is known before it has looked at
	// the state. What its event takes is done before the transaction, in which others wait. May be nil.
	Likely trail.Change
	// Bypass returns what it amounts to that the principal may not, if that was an attempt to go around the
	// gate; nil, or a nil change, if it was none. It stands on the trail with the refusal, and is
	// Tallystick's own word.
	Bypass func(tx *state.Tx) (trail.Change, error)
	// Answer returns what the principal is told, once the changes are made. Nil tells nothing. It is not
	// asked after the likely change if that is a Telling one.
	Answer func(tx *state.Tx) (any, error)
}

// Telling is a change from which the answer to its command follows. So nothing has to be read for it,
// nor kept for a repetition: the event says it all.
type Telling interface {
	trail.Change
	Answer(at trail.Mark) any
}

// Done tells how a command ended.
type Done struct {
	Answer   []byte        // JSON; nil if the command has none, or it is Told
	Told     any           // the answer, if it follows from the change
	Receipt  trail.Receipt // of the last change
	Changes  int           // 0: it was so already
	Repeated bool          // the answer is the one given before to the same key
}

// Do carries out a command: all of it or nothing. It returns a Forbidden error if the principal may
// not, and what Propose returned if that was an error; both are on the trail, unless the command
// itself was wrong (Invalid, NotFound). A command whose key has been seen is not carried out again.
func (r *Registry) Do(ctx context.Context, c Command) (done Done, err error) {
	if err := c.Retry.validate(); err != nil {
		return Done{}, err
	}
	if err := c.Principal.Allows(c.Action, c.Resource); err != nil {
		return Done{}, r.Refuse(ctx, c, err)
	}
	var likely *trail.Prepared
	if c.Likely != nil {
		if likely, err = r.recorder.Prepare(c.act(), c.Likely); err != nil {
			return Done{}, err
		}
	}
	var made Done // the write may go on after an error: it writes to nothing that is looked at then
	err = r.db.Write(ctx, func(tx *state.Tx) (err error) {
		made, err = r.in(tx, c, likely)
		return err
	})
	switch tallystick.CodeOf(err) {
	case "":
		return made, nil
	case tallystick.Forbidden, tallystick.Conflict:
		return Done{}, r.Refuse(ctx, c, err)
	}
	return Done{}, err
}

func (r *Registry) in(tx *state.Tx, c Command, likely *trail.Prepared) (done Done, err error) {
	if done, carriedOut, err := c.straight(tx, likely); carriedOut || err != nil {
		return done, err
	}
	done, known, err := c.Retry.seen(tx, c.Principal.ID)
	if err != nil {
		return Done{}, err
	}
	if known {
		return done, c.recall(tx, &done)
	}
	changes, err := c.Propose(tx)
	if err != nil {
		return Done{}, err
	}
	for _, change := range changes {
		if likely != nil && change == likely.Change() {
			done.Receipt, err = likely.Commit(tx)
		} else {
			done.Receipt, err = r.recorder.Commit(tx, c.act(), change)
		}
		if err != nil {
			return Done{}, err
		}
		done.Changes++
	}
	if telling, ok := c.Likely.(Telling); ok && len(changes) == 1 && changes[0] == c.Likely {
		done.Told = telling.Answer(done.Receipt.Mark(c.Principal.ID))
	} else if c.Answer != nil {
		answer, err := c.Answer(tx)
		if err != nil {
			return Done{}, err
		}
		if done.Answer, err = encode(answer); err != nil {
			return Done{}, err
		}
	}
	return done, c.Retry.remember(tx, c.Principal.ID, done)
}

// straight carries out a command that comes to its likely change, from which the answer follows: then its key
// need not be looked for first, as it can only be new if storing it finds none. Nothing is written otherwise.
func (c Command) straight(tx *state.Tx, likely *trail.Prepared) (done Done, carriedOut bool, err error) {
	telling, ok := c.Likely.(Telling)
	if !ok || c.Retry.Key == "" {
		return Done{}, false, nil
	}
	changes, err := c.Propose(tx)
	if err != nil || len(changes) != 1 || changes[0] != c.Likely {
		return Done{}, false, nil //nolint:nilerr // a repetition may be refused for what the first time did
	}
	done = Done{Changes: 1}
	if done.Receipt, err = likely.Expect(tx); err != nil {
		return Done{}, false, err
	}
	if fresh, err := c.Retry.claim(tx, c.Principal.ID, done); !fresh || err != nil {
		return Done{}, false, err
	}
	if done.Receipt, err = likely.Commit(tx); err != nil {
		return Done{}, false, err
	}
	done.Told = telling.Answer(done.Receipt.Mark(c.Principal.ID))
	return done, true, nil
}

func (c Command) act() trail.Act {
	return trail.Act{Actor: c.Principal.Actor(), Purpose: c.Purpose, Context: circumstances(c.Principal)}
}

// circumstances says by what a principal acted, if not in person.
func circumstances(p access.Principal) map[string]any {
	all := map[string]any{}
	if p.Token != "" {
		all["token"] = p.Token
	}
	if p.Minter != "" {
		all["minter"] = p.Minter
	}
	if p.Session != "" {
		all["session"] = p.Session
	}
	return all
}

// Refuse records that a command was refused, and returns why. If the trail cannot be written, that is
// the error.
func (r *Registry) Refuse(ctx context.Context, c Command, cause error) error {
	outcome := tallystick.Failed
	if tallystick.CodeOf(cause) == tallystick.Forbidden {
		outcome = tallystick.Denied
	}
	entry := trail.Entry{
		Type: trail.CommandRefused, Actor: c.Principal.Actor(), Resource: c.Resource, Outcome: outcome, Purpose: c.Purpose,
		Description: cause.Error(), Context: circumstances(c.Principal),
		Data: map[string]any{"command": string(c.Action), "model": c.Model, "code": string(tallystick.CodeOf(cause))},
	}
	var err error
	if outcome == tallystick.Denied && c.Bypass != nil {
		err = r.db.Write(ctx, func(tx *state.Tx) error { return r.bypassed(tx, entry, c.Bypass) })
	} else {
		_, err = r.recorder.Record(ctx, entry)
	}
	if err != nil {
		return fmt.Errorf("record that %s was refused: %w", c.Action, err)
	}
	return cause
}

// bypassed records a refusal and what it amounts to.
func (r *Registry) bypassed(tx *state.Tx, refusal trail.Entry, bypass func(tx *state.Tx) (trail.Change, error)) error {
	if _, err := r.recorder.RecordIn(tx, refusal); err != nil {
		return err
	}
	change, err := bypass(tx)
	if err != nil || change == nil {
		return err
	}
	_, err = r.recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "tallystick", Kind: access.KindProgram}}, change)
	return err
}

// Note records an act that changes nothing, such as reading: it has happened, or was refused, as the
// principal's rights say.
func (r *Registry) Note(ctx context.Context, c Command, e trail.Entry) error {
	if err := c.Principal.Allows(c.Action, c.Resource); err != nil {
		return r.Refuse(ctx, c, err)
	}
	e.Actor, e.Resource, e.Purpose, e.Context, e.Outcome = c.Principal.Actor(), c.Resource, c.Purpose, circumstances(c.Principal), tallystick.Success
	_, err := r.recorder.Record(ctx, e)
	return err
}

// May returns a Forbidden error, which is on the trail, if the principal may not.
func (r *Registry) May(ctx context.Context, c Command) error {
	if err := c.Principal.Allows(c.Action, c.Resource); err != nil {
		return r.Refuse(ctx, c, err)
	}
	return nil
}
