package monitor

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
)

// Step is one event of monitors: a window was judged, or a monitor was removed.
type Step struct {
	Event   uint64
	Judged  *JudgedWindow
	Removed *Monitor
}

// Follow returns the steps after an event, oldest first: at most limit, and none at the end of the trail. A judgement as of
// the past, made when more of its window had been judged already, is no news and is passed over.
func (o *Office) Follow(ctx context.Context, after uint64, limit int) (steps []Step, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		steps = nil
		judged, err := state.Collect(tx, scanJudged, "SELECT "+judgedColumns+` FROM window_judgements j WHERE event > ? AND NOT EXISTS
			(SELECT 1 FROM window_judgements b WHERE b.monitor = j.monitor AND b.from_us = j.from_us AND b.event < j.event AND b.known_event > j.known_event) ORDER BY event `+state.Limit, after, limit)
		if err != nil {
			return err
		}
		removed, err := state.Collect(tx, revision.Scan, "SELECT "+kept.Columns()+" FROM monitor_revisions WHERE event > ? AND removed = 1 ORDER BY event "+state.Limit, after, limit)
		if err != nil {
			return err
		}
		for i := range judged {
			steps = append(steps, Step{Event: judged[i].Event, Judged: &judged[i]})
		}
		for i := range removed {
			m := monitorOf(removed[i])
			steps = append(steps, Step{Event: m.Event, Removed: &m})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("follow monitors after event %d: %w", after, err)
	}
	slices.SortFunc(steps, func(a, b Step) int { return int(int64(a.Event) - int64(b.Event)) })
	return steps[:min(len(steps), limit)], nil
}
