package casework

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Prepare does what an opinion takes before its transaction, and returns what proposes it there: the opinion and,
// where that decides the case, the label of its prediction. An answer that cannot be a label is Invalid.
func (d *Desk) Prepare(ctx context.Context, c Case, j Judgement, who access.Principal, now time.Time) (func(tx *state.Tx) ([]trail.Change, error), error) {
	id, err := prediction.ParseID(c.Prediction)
	if err != nil {
		return nil, err
	}
	at := prediction.TimeOf(now)
	sent := label.Sent{Label: label.Label{Prediction: id, Value: j.Outcome, Time: at, Stated: at, Source: "case " + c.ID}}
	ready, err := d.config.Labels.Prepare(ctx, c.Model, label.Batch{ID: "case " + c.ID, Labels: []label.Sent{sent}}, now, nil)
	if err != nil {
		return nil, err
	}
	return func(tx *state.Tx) ([]trail.Change, error) {
		judged, err := d.Judge(tx, c.ID, j, who)
		if err != nil {
			return nil, err
		}
		changes := []trail.Change{judged}
		if judged.State != Decided {
			return changes, nil
		}
		labelled, outcome, err := ready.Propose(tx)
		if err != nil {
			return nil, err
		}
		if len(outcome.Rejected) > 0 {
			no := outcome.Rejected[0]
			return nil, tallystick.Errorf(tallystick.Invalid, "the answer cannot be the label of the prediction: %s", no.Message).WithHint("%s", no.Hint)
		}
		if labelled != nil {
			changes = append(changes, labelled)
		}
		return changes, nil
	}, nil
}
