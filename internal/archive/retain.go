package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// MaxDays bounds for how long predictions can be said to be kept.
const MaxDays = 36_500

// maxRemoved bounds the files that one event removes.
const maxRemoved = 100

// Retention is for how long predictions of a model are kept.
type Retention struct {
	Model string `json:"model"`
	Days  int64  `json:"days" doc:"days after the last record of a file; 0: for ever"`
	Event uint64 `json:"event,omitempty" doc:"sequence of the event by which that was said last; absent if it was not"`
}

// RetentionIn returns for how long predictions of a model are kept.
func (a *Archive) RetentionIn(tx *state.Tx, model string) (Retention, error) {
	r := Retention{Model: model}
	found, err := state.Collect(tx, func(s state.Scanner) (r Retention, err error) { return r, s.Scan(&r.Model, &r.Days, &r.Event) },
		"SELECT model, days, event FROM prediction_retentions WHERE model = ?", model)
	if err != nil {
		return r, fmt.Errorf("look how long predictions of %s are kept: %w", model, err)
	}
	if len(found) > 0 {
		r = found[0]
	}
	return r, nil
}

// Retain returns the change that says for how long predictions of a model are kept, or none if it is so already. That
// the model is registered is for the caller to know.
func (a *Archive) Retain(tx *state.Tx, model string, days int64, reason string) ([]trail.Change, error) {
	if days < 0 || days > MaxDays {
		return nil, tallystick.Errorf(tallystick.Invalid, "predictions cannot be kept for %d days", days).WithHint("say 1 to %d, or 0 for ever", MaxDays)
	}
	if err := tallystick.ValidateText("reason", reason, maxReason); reason != "" && err != nil {
		return nil, err
	}
	is, err := a.RetentionIn(tx, model)
	if err != nil || is.Days == days {
		return nil, err
	}
	return []trail.Change{&RetentionSet{Model: model, Days: days, Reason: reason}}, nil
}

// heldFiles chooses the files of a model of which a hold covers something.
const heldFiles = `SELECT s.file_digest FROM prediction_segments s JOIN prediction_holds h ON h.model = s.model AND s.last_us >= h.from_us AND s.first_us < h.to_us
	WHERE s.model = ? AND s.removed = 0 AND h.released_ms = 0`

// Expire removes the files of which the last record has been kept for as long as was said, and of which no hold covers
// anything. An event says what went; it is
// removed at once. A clock that is set forward while the process runs removes nothing sooner: it goes by the clock as it was
// when the process began, and by how long that is ago.
func (a *Archive) Expire(ctx context.Context) error {
	var all []Retention
	err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
		all, err = state.Collect(tx, func(s state.Scanner) (r Retention, err error) { return r, s.Scan(&r.Model, &r.Days, &r.Event) },
			"SELECT model, days, event FROM prediction_retentions WHERE days > 0 ORDER BY model")
		return err
	})
	if err != nil {
		return fmt.Errorf("look how long predictions are kept: %w", err)
	}
	for _, r := range all {
		for more := true; more; {
			if more, err = a.expire(ctx, r); err != nil && !errors.Is(err, errChanged) {
				return fmt.Errorf("remove old predictions of %s: %w", r.Model, err)
			}
		}
	}
	return a.sweepLeftovers(ctx)
}

// expire removes some of the files of a model whose time is over, and reports whether there may be more.
func (a *Archive) expire(ctx context.Context, r Retention) (more bool, err error) {
	err = a.config.Workspace.DB.Write(ctx, func(tx *state.Tx) error {
		more = false
		is, err := a.RetentionIn(tx, r.Model)
		if err != nil || is.Days == 0 {
			return err
		}
		until := a.surely().AddDate(0, 0, -int(is.Days))
		old, err := state.Collect(tx, scanKept, "SELECT "+keptColumns+" FROM prediction_segments WHERE model = ? AND removed = 0 AND file_digest NOT IN ("+heldFiles+
			") GROUP BY file_digest HAVING max(last_us) < ? ORDER BY min(event) "+state.Limit, r.Model, r.Model, until.UnixMicro(), maxRemoved)
		if err != nil || len(old) == 0 {
			return err
		}
		change := &SegmentsRemoved{Model: r.Model, Days: is.Days, First: prediction.Time(old[0].firstUS), Last: prediction.Time(old[0].lastUS)}
		for _, k := range old {
			change.Files = append(change.Files, k.digest)
			change.Segments += k.segments
			change.Records += k.records
			change.First, change.Last = min(change.First, prediction.Time(k.firstUS)), max(change.Last, prediction.Time(k.lastUS))
		}
		if _, err := a.config.Workspace.Recorder.Commit(tx, trail.Act{Actor: a.config.Actor}, change); err != nil {
			return err
		}
		more = len(old) == maxRemoved
		return leave(tx, time.UnixMilli(0), change.Files...)
	})
	if err != nil {
		return false, err
	}
	a.reached("registered")
	return more, nil
}
