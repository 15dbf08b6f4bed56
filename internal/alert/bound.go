package alert

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// ruleLimit is the rule of the alert that says that there are too many.
const ruleLimit = "alert/limit/live"

// bound lets the alert that there are too many fire once something was left out, and resolve once there are a tenth
// fewer than there may be.
func (e *evaluation) bound(model string, m *live) error {
	most := e.policies.most(model)
	o := Observation{Rule: ruleLimit, Model: model, Severity: Page, Verdict: tallystick.Fail, Terms: AtOnce()}
	is := m.alerts[o.Fingerprint()]
	switch {
	case m.dropped > 0 && is == nil:
		o.Words = fmt.Sprintf("%s has %d alerts that are pending or firing, which is the most: of what is judged bad besides, %d times now, no alert is raised.", model, len(m.alerts), m.dropped)
		t := e.policies.treat(&o)
		return e.fire(m, &open{Alert: Alert{Fingerprint: o.Fingerprint()}}, &o, t)
	case m.dropped == 0 && is != nil && len(m.alerts)-1 <= most*9/10:
		return e.resolve(m, is, is.resolved(causeFewer, ""))
	}
	return nil
}

// Sweep ends silences whose time is over, and notes what keeps notifications of the alerts that fire back at this moment.
func (o *Office) Sweep(ctx context.Context) error {
	due := false
	look := func(tx *state.Tx) (changes []trail.Change, err error) {
		current, err := silences(tx)
		if err != nil {
			return nil, err
		}
		for i := range current {
			if s := &current[i]; !tx.Now().Before(s.Until) {
				changes = append(changes, &SilenceEnded{s.ID, s.Model, "time"})
			}
		}
		fires, err := firing(tx)
		if err != nil {
			return nil, err
		}
		return append(changes, suppressions(fires, current, tx.Now())...), nil
	}
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		changes, err := look(tx)
		due = len(changes) > 0
		return err
	})
	if err != nil || !due {
		return err
	}
	return o.config.DB.Write(ctx, func(tx *state.Tx) error {
		changes, err := look(tx)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if _, err := o.config.Recorder.Commit(tx, trail.Act{Actor: o.config.Actor}, change); err != nil {
				return err
			}
		}
		return nil
	})
}
