package alert

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
)

// Happening is one event of the thing that an alert is about.
type Happening struct {
	Event uint64    `json:"event" doc:"sequence of the event"`
	Time  time.Time `json:"time"`
	Type  string    `json:"type" doc:"short type of the event, such as alert.fired"`
	Words string    `json:"words" doc:"what happened, in a sentence"`
}

// History returns the events of everything that was alerted about the thing that an alert is about, newest first: those
// before an event, 0 for all.
func (o *Office) History(ctx context.Context, id string, before uint64, limit int) (lines []Happening, err error) {
	a, err := o.Alert(ctx, id)
	if err != nil {
		return nil, err
	}
	events, err := o.config.Trail.Events(ctx, trail.Filter{Resource: resource(a.Fingerprint), Before: before, Limit: limit, Newest: true})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		lines = append(lines, Happening{e.Sequence, e.Time, e.Type.Short(), catalog.Words(e, catalog.Telling{Data: e.Sealed()})})
	}
	return lines, nil
}
