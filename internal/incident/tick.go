package incident

import (
	"context"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Checklist returns the runbook of an incident as it was when that was opened, nil if it has none.
func (o *Office) Checklist(ctx context.Context, i Incident) (*Runbook, error) {
	if i.RunbookAs == "" {
		return nil, nil
	}
	source, err := o.source(ctx, i.RunbookAs)
	if err != nil {
		return nil, err
	}
	return ParseRunbook(source, i.Runbook)
}

// Tick is what came of a step of the runbook.
type Tick struct {
	Step int64  `json:"step" minimum:"1" doc:"number of the step"`
	Skip bool   `json:"skip,omitempty" doc:"it was passed over, for the reason in the note"`
	Note string `json:"note,omitempty" maxLength:"4096" doc:"what came of it"`
}

// Tick returns the change by which a step of the runbook was done or passed over, nil if that is said. runbook is what
// Checklist returned.
func (o *Office) Tick(tx *state.Tx, id string, runbook *Runbook, t Tick) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, t.Note)
	switch {
	case err != nil:
		return nil, err
	case runbook == nil:
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s has no runbook", i.ID)
	case t.Step < 1 || t.Step > int64(len(runbook.Steps)):
		return nil, tallystick.Errorf(tallystick.Invalid, "the runbook %s has %d steps, not one with the number %d", i.Runbook, len(runbook.Steps), t.Step)
	}
	change := &StepDone{Ref: ref, Runbook: i.RunbookAs, Number: t.Step, As: "done", Note: t.Note}
	if t.Skip {
		change.As = "skipped"
		if err := said(t.Note, "why the step is passed over"); err != nil {
			return nil, err
		}
	}
	steps, err := stepsIn(tx, i.ID)
	if err != nil {
		return nil, err
	}
	if is := Ticked(steps)[t.Step]; is.Step == change.As && is.Note == t.Note {
		return nil, nil
	}
	return change, nil
}
