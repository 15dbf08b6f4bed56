package objective

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxCounting is how long one objective may count in a run; the next run goes on from there.
const maxCounting = 30 * time.Second

// Run judges every objective once. What fails of one does not keep the others back.
func (o *Office) Run(ctx context.Context) (outcome string, err error) {
	all, err := o.Objectives(ctx, "")
	if err != nil {
		return "", err
	}
	var faults []error
	judged, told := 0, 0
	for _, is := range all {
		if is.Removed {
			continue
		}
		recorded, err := o.runOne(ctx, is.Name)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("objective %s: %w", is.Name, err))
			continue
		}
		if judged++; recorded {
			told++
		}
	}
	if judged > 0 {
		outcome = fmt.Sprintf("judged %d objectives; %d judgements went on record", judged, told)
	}
	return outcome, errors.Join(faults...)
}

func (o *Office) runOne(ctx context.Context, name string) (recorded bool, err error) {
	_, doc, err := o.Objective(ctx, name)
	if err != nil || doc == nil {
		return false, err
	}
	some, cancel := context.WithTimeout(ctx, maxCounting)
	defer cancel()
	j, err := o.now(some, doc)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil // it goes on from where it was
	}
	if err != nil {
		return false, err
	}
	change, err := o.Keep(ctx, j)
	if err != nil || change == nil {
		return false, err
	}
	err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
		recorded = false
		proposed, err := o.ProposeJudged(tx, change)
		if err != nil || proposed == nil {
			return err
		}
		_, err = o.config.Recorder.Commit(tx, trail.Act{Actor: o.config.Actor}, proposed)
		recorded = err == nil
		return err
	})
	return recorded, err
}
