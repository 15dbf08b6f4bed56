package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// keyResource is the type of resource of an event about a key. The resource of a rotation is the key
// that is replaced, so that what became of a key is found by its id.
const keyResource = "key"

// keyEvent is an event about a key, with what its leaf says of it in the clear.
type keyEvent struct {
	trail.Event
	data struct {
		Key            string            `json:"key"`
		PublicKey      string            `json:"public_key"`
		FromIndex      uint64            `json:"from_index"`
		RotationDigest tallystick.Digest `json:"rotation_digest"`
	}
}

// keyEvents returns the events about a key, in their order.
func (w *Workspace) keyEvents(ctx context.Context, id string) (events []keyEvent, err error) {
	found, err := w.Trail.Events(ctx, trail.Filter{Resource: trail.Resource{Type: keyResource, ID: id}})
	for _, event := range found {
		e := keyEvent{Event: event}
		leaf := struct{ Data any }{&e.data}
		if err := json.Unmarshal(event.Leaf, &leaf); err != nil {
			return nil, fmt.Errorf("event %d: %w", event.Sequence, err)
		}
		events = append(events, e)
	}
	return events, err
}

// refreshKeys reads the keys again, as other processes have left them.
func (w *Workspace) refreshKeys(ctx context.Context) error {
	if err := w.Keys.Reload(); err != nil {
		return err
	}
	return w.followKeys(ctx)
}

// followKeys makes trust.json say what the trail says of the keys: a process that has recorded a
// rotation or a compromise may have died before it could write the file. Several processes may do
// so at once. Each looks again after it has written, so that the last one has seen everything.
func (w *Workspace) followKeys(ctx context.Context) error {
	for {
		changed, err := w.followKeysOnce(ctx)
		if err != nil {
			return fmt.Errorf("follow the trail's events about keys: %w", err)
		}
		if !changed {
			return nil
		}
	}
}

func (w *Workspace) followKeysOnce(ctx context.Context) (changed bool, err error) {
	for _, key := range w.Trust().Keys {
		events, err := w.keyEvents(ctx, key.ID)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			if e.done(w.Trust()) {
				continue
			}
			if err := w.carryOut(ctx, e); err != nil {
				return false, fmt.Errorf("event %d: %w", e.Sequence, err)
			}
			changed = true
		}
	}
	return changed, nil
}

// done reports whether trust says already what the event says.
func (e keyEvent) done(trust verify.Trust) bool {
	switch e.Type {
	case trail.KeyRotated:
		return slices.ContainsFunc(trust.Keys, func(k verify.Key) bool { return k.ID == e.data.Key })
	case trail.KeyCompromised:
		return slices.ContainsFunc(trust.Keys, func(k verify.Key) bool {
			return k.ID == e.Resource.ID && k.CompromisedFrom != nil && *k.CompromisedFrom <= e.data.FromIndex
		})
	}
	return true
}

func (w *Workspace) carryOut(ctx context.Context, e keyEvent) error {
	if e.Type == trail.KeyCompromised {
		_, err := w.Keys.MarkCompromised(e.Resource.ID, e.data.FromIndex)
		return err
	}
	data, err := w.Evidence.Get(ctx, e.data.RotationDigest)
	if err != nil {
		return err
	}
	rotation, err := evidence.ParseRotation(data)
	if err != nil {
		return err
	}
	if s := rotation.Statement; s.New != e.data.Key || s.Old != e.Resource.ID || s.FromIndex != e.data.FromIndex || s.FromIndex != w.index(e.Sequence) {
		return tallystick.Errorf(tallystick.Invalid, "the keys have signed for another rotation than the one recorded")
	}
	return w.Keys.Adopt(rotation)
}

// replacedIn reports whether a rotation of the key is on the trail.
func replacedIn(tx *state.Tx, id string) (replaced bool, err error) {
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM retired_keys WHERE id = ?)", id).Scan(&replaced)
	if err != nil {
		err = fmt.Errorf("look for a rotation of key %.12s: %w", id, err)
	}
	return replaced, err
}

// errReplaced says that a process has opened the ledger with a log key that another has replaced.
var errReplaced = errors.New("the log key has been replaced")

// keyGuard lets a log key sign only while no rotation of it is on the trail. A process may have loaded
// its keys and then waited for the ledger while another rotated. The ledger asks when it has the
// lock and before each signature, and rotations are made under the same lock.
type keyGuard struct {
	ledger.Guard
	db  *state.DB
	key string // id
}

// Advance implements ledger.Guard.
func (g keyGuard) Advance(ctx context.Context, origin string, size uint64, root []byte) error {
	err := state.Patiently(ctx, func() error {
		return g.db.Read(ctx, func(tx *state.Tx) error {
			replaced, err := replacedIn(tx, g.key)
			if err == nil && replaced {
				err = fmt.Errorf("key %.12s: %w", g.key, errReplaced)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return g.Guard.Advance(ctx, origin, size, root)
}

// logVerifiers are those of the workspace's log keys. A key that is not known is looked for again in
// trust.json, because another process may have rotated since it was read.
type logVerifiers struct {
	ctx context.Context
	w   *Workspace
}

// Verifier implements note.Verifiers.
func (v logVerifiers) Verifier(name string, hash uint32) (note.Verifier, error) {
	known, err := v.w.Keys.LogVerifiers()
	if err != nil {
		return nil, err
	}
	found, err := known.Verifier(name, hash)
	if err == nil {
		return found, nil
	}
	if err := v.w.refreshKeys(v.ctx); err != nil {
		return nil, err
	}
	if known, err = v.w.Keys.LogVerifiers(); err != nil {
		return nil, err
	}
	return known.Verifier(name, hash)
}

// checkKeys compares trust.json with the trail: a key that nobody recorded, or one whose range is not
// the recorded one, has been put there by hand, and so has one that the database does not know to be
// replaced. Witnesses are the reader's own choice.
func (w *Workspace) checkKeys(ctx context.Context) error {
	origin := map[string]keyEvent{} // by id: the event that brought a key into use
	recorded := map[string]verify.Key{}
	for _, key := range w.Trust().Keys {
		events, err := w.keyEvents(ctx, key.ID)
		if err != nil {
			return err
		}
		want := verify.Key{Status: verify.StatusActive}
		for _, e := range events {
			from := e.data.FromIndex
			switch e.Type {
			case trail.KeyCreated:
				origin[key.ID] = e
			case trail.KeyRotated:
				origin[e.data.Key] = e
				want.Status, want.UntilIndex = verify.StatusRetired, &from
			case trail.KeyCompromised:
				want.Status = verify.StatusCompromised
				if want.CompromisedFrom == nil || from < *want.CompromisedFrom {
					want.CompromisedFrom = &from
				}
			}
		}
		recorded[key.ID] = want
		var retired bool
		err = w.DB.Read(ctx, func(tx *state.Tx) error {
			retired, err = replacedIn(tx, key.ID)
			return err
		})
		if err != nil {
			return err
		}
		if retired != (want.UntilIndex != nil) {
			return tallystick.Errorf(tallystick.Invalid, "the database says of %s key %.12s something else than the trail: replaced %t", key.Role, key.ID, retired)
		}
	}
	for _, key := range w.Trust().Keys {
		began, known := origin[key.ID]
		want := recorded[key.ID]
		switch {
		case key.Role == verify.RoleWitness:
		case !known || began.data.PublicKey != key.PublicKey:
			return tallystick.Errorf(tallystick.Invalid, "%s key %.12s is in %s, but no event of the trail brought it into use", key.Role, key.ID, trustFile)
		case key.FromIndex != began.data.FromIndex || key.Status != want.Status ||
			!equal(key.UntilIndex, want.UntilIndex) || !equal(key.CompromisedFrom, want.CompromisedFrom):
			return tallystick.Errorf(tallystick.Invalid, "%s says of %s key %.12s something else than the trail", trustFile, key.Role, key.ID)
		}
		for _, signs := range key.PredicateTypes {
			if !slices.Contains(evidence.StatementTypes(), signs) {
				return tallystick.Errorf(tallystick.Invalid, "%s lets %s key %.12s sign %.80q, which no key of a workspace signs", trustFile, key.Role, key.ID, signs)
			}
		}
	}
	return nil
}

func equal(a, b *uint64) bool { return a == b || a != nil && b != nil && *a == *b }
