package archive

import (
	"context"
	"strconv"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/verify"
)

// Prove returns the prediction with an id, as Find does, and its proof under a signed checkpoint; it has the trail sealed
// first if the segment's event is not.
func (a *Archive) Prove(ctx context.Context, id prediction.ID) (*Found, verify.PredictionProof, error) {
	found, err := a.Find(ctx, id)
	if err != nil {
		return nil, verify.PredictionProof{}, err
	}
	proof := verify.PredictionProof{
		Record: found.Record.AppendJSON(nil), Leaf: found.Leaf, Segment: found.Segment, Root: found.Root,
		Index: found.Inclusion.Index, Size: found.Inclusion.Size, Hashes: found.Inclusion.Hashes,
	}
	if proof.Event, err = a.config.Workspace.ProveEvent(ctx, strconv.FormatUint(found.Event, 10)); err != nil {
		return nil, verify.PredictionProof{}, err
	}
	return found, proof, nil
}
