package workspace

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// rotateTries bounds how often a rotation makes way for events that others record meanwhile, and
// whoever seals for rotations.
const rotateTries = 20

// errOvertaken says that another event took the place that the keys had signed for.
var errOvertaken = errors.New("another event came first")

// RotateKey replaces the log or statement key by a new one and returns it. The change is an event
// of the trail that both keys have signed for, and the new key counts from that event's ledger index
// on: everything before the event is under a checkpoint of the old log key, and every checkpoint
// that covers it is signed by the new one. The old private key is destroyed.
//
// The event decides. If the process dies before it is recorded, nothing has changed; if it dies
// after, whoever opens the workspace next carries the rotation out.
func (w *Workspace) RotateKey(ctx context.Context, role verify.Role) (verify.Key, error) {
	if role != verify.RoleLog && role != verify.RoleStatement {
		return verify.Key{}, tallystick.Errorf(tallystick.Invalid, "a workspace has no %q key to rotate", string(role)).WithHint("rotate log or statement")
	}
	err := w.holdLedger(ctx, func(log held) error { return w.rotate(ctx, log, role) })
	if err != nil {
		return verify.Key{}, fmt.Errorf("rotate the %s key: %w", role, err)
	}
	if _, err := w.Seal(ctx); err != nil {
		return verify.Key{}, err
	}
	return w.Keys.Active(role), nil
}

// rotate must be called by whoever holds the ledger: so nobody else rotates, and nobody seals between
// the last checkpoint of the old key and the event.
func (w *Workspace) rotate(ctx context.Context, log held, role verify.Role) error {
	if err := w.Keys.Sweep(); err != nil {
		return err
	}
	successor, err := w.Keys.Succeed(role)
	if err != nil {
		return err
	}
	for range rotateTries {
		if err = w.recordRotation(ctx, log, successor); !errors.Is(err, errOvertaken) {
			break
		}
	}
	if errors.Is(err, errOvertaken) {
		err = tallystick.Errorf(tallystick.Unavailable, "others go on recording, so that no event could be the next entry of the ledger").
			WithHint("try again when they are done")
		return errors.Join(err, w.Keys.Sweep())
	}
	if err != nil {
		return err // it may be recorded or not: the new private key stays until that is known
	}
	return w.followKeys(ctx)
}

// recordRotation seals all that is recorded and records the rotation as the ledger's next entry, or
// returns errOvertaken.
func (w *Workspace) recordRotation(ctx context.Context, log held, successor *evidence.Successor) error {
	if _, err := w.sealInto(ctx, log); err != nil {
		return err
	}
	from, err := log.Size(ctx)
	if err != nil {
		return err
	}
	rotation, err := successor.From(from)
	if err != nil {
		return err
	}
	next, err := rotation.Statement.Key()
	if err != nil {
		return err
	}
	data, err := rotation.Marshal()
	if err != nil {
		return err
	}
	digest, err := w.Evidence.Put(ctx, data)
	if err != nil {
		return err
	}
	old := rotation.Statement.Old
	return w.DB.Write(context.WithoutCancel(ctx), func(tx *state.Tx) error {
		receipt, err := w.Recorder.RecordIn(tx, trail.Entry{
			Type: trail.KeyRotated, Actor: w.cfg.Actor, Resource: trail.Resource{Type: keyResource, ID: old}, Outcome: tallystick.Success,
			Data: map[string]any{
				"key": next.ID, "replaces": old, "role": string(next.Role), "algorithm": next.Algorithm,
				"public_key": next.PublicKey, "from_index": from, "rotation_digest": digest,
			},
		})
		if err != nil {
			return err
		}
		if w.index(receipt.Sequence) != from {
			return errOvertaken
		}
		_, err = tx.Exec("INSERT INTO retired_keys (id, event) VALUES (?, ?)", old, receipt.Sequence)
		return err
	})
}

// index returns the ledger index that an event will have.
func (w *Workspace) index(sequence uint64) uint64 { return uint64(len(w.about.Prefix)) + sequence - 1 }

// Compromise says from where on a key no longer counts.
type Compromise struct {
	Key    string // id, or enough of its beginning
	From   uint64 // ledger index, at most the ledger's size
	Reason string // what is known of how it happened; sealed
}

// CompromiseKey records that a key may have been in other hands and marks it in trust.json. What a
// statement key signed counts if it was recorded below c.From. A key in use must be rotated first.
// As with RotateKey, the event decides.
func (w *Workspace) CompromiseKey(ctx context.Context, c Compromise) (key verify.Key, err error) {
	err = w.holdLedger(ctx, func(log held) error {
		if key, err = w.Keys.Find(c.Key); err != nil {
			return err
		}
		if err := evidence.Compromisable(key); err != nil {
			return err
		}
		if key.CompromisedFrom != nil && *key.CompromisedFrom <= c.From {
			return tallystick.Errorf(tallystick.Conflict, "key %.12s is marked from index %d on already", key.ID, *key.CompromisedFrom).
				WithHint("it can only be marked from an earlier index")
		}
		if _, err := w.sealInto(ctx, log); err != nil {
			return err
		}
		size, err := log.Size(ctx)
		if err != nil {
			return err
		}
		if c.From > size {
			return tallystick.Errorf(tallystick.Invalid, "index %d lies beyond the ledger's %d entries", c.From, size).
				WithHint("name the first entry from which the key may have been in other hands; `tallystick log` shows when each was recorded")
		}
		_, err = w.Recorder.Record(context.WithoutCancel(ctx), trail.Entry{
			Type: trail.KeyCompromised, Actor: w.cfg.Actor, Resource: trail.Resource{Type: keyResource, ID: key.ID}, Outcome: tallystick.Success,
			Data: map[string]any{"key": key.ID, "role": string(key.Role), "from_index": c.From, "reason": c.Reason},
		})
		if err != nil {
			return err
		}
		return w.followKeys(ctx)
	})
	if err != nil {
		return verify.Key{}, fmt.Errorf("mark a key compromised: %w", err)
	}
	if _, err := w.Seal(ctx); err != nil {
		return verify.Key{}, err
	}
	return w.Keys.Find(key.ID)
}

// Signer returns the signer of statements, having looked whether another process has rotated its key.
func (w *Workspace) Signer(ctx context.Context) (*evidence.Signer, error) {
	if err := w.refreshKeys(ctx); err != nil {
		return nil, err
	}
	return w.Keys.Signer(), nil
}

// CheckSigner returns a Conflict if the signer's key has been replaced. Called in the transaction that
// records what it has signed, it keeps statements of a retired key off the trail.
func (w *Workspace) CheckSigner(tx *state.Tx, signer *evidence.Signer) error {
	replaced, err := replacedIn(tx, signer.KeyID())
	if err == nil && replaced {
		err = tallystick.Errorf(tallystick.Conflict, "statement key %.12s was rotated meanwhile", signer.KeyID()).WithHint("run the command again")
	}
	return err
}
