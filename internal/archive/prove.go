package archive

import (
	"context"
	"strconv"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Prove returns the prediction with an id, as Find does, and its proof under a signed checkpoint; it has the trail sealed
// first if the segment's event is not.
func (a *Archive) Prove(ctx context.Context, id prediction.ID) (*Found, verify.PredictionProof, error) {
	found, err := a.Find(ctx, id)
	if err != nil {
		return nil, verify.PredictionProof{}, err
	}
	event, err := a.sealed(ctx, found.Event)
	if err != nil {
		return nil, verify.PredictionProof{}, err
	}
	prover, err := a.config.Workspace.Prover()
	if err != nil {
		return nil, verify.PredictionProof{}, err
	}
	proof := verify.PredictionProof{
		Record: found.Record.AppendJSON(nil), Leaf: found.Leaf, Segment: found.Segment, Root: found.Root,
		Index: found.Inclusion.Index, Size: found.Inclusion.Size, Hashes: found.Inclusion.Hashes,
	}
	if proof.Event, err = prover.Prove(ctx, event); err != nil {
		return nil, verify.PredictionProof{}, err
	}
	return found, proof, nil
}

// sealed returns an event once it is sealed.
func (a *Archive) sealed(ctx context.Context, sequence uint64) (trail.Event, error) {
	w := a.config.Workspace
	event, err := w.Trail.Event(ctx, strconv.FormatUint(sequence, 10))
	if err != nil || event.Index != nil {
		return event, err
	}
	if _, err := w.Seal(ctx); err != nil {
		return trail.Event{}, err
	}
	return w.Trail.Event(ctx, strconv.FormatUint(sequence, 10))
}
