package release

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Freeze keeps everything as it is where it holds. Empty names hold everywhere.
type Freeze struct {
	ID          string    `json:"id" doc:"id of the freeze"`
	Environment string    `json:"environment,omitempty" doc:"environment that it holds in; absent: all"`
	Model       string    `json:"model,omitempty" doc:"model that it holds for; absent: all"`
	Reason      string    `json:"reason,omitempty" doc:"why"`
	By          string    `json:"declared_by" doc:"id of who declared it"`
	From        time.Time `json:"from" doc:"since when"`
	Until       time.Time `json:"until,omitzero" doc:"until when; absent: until it is lifted"`
	Lifted      time.Time `json:"lifted,omitzero" doc:"when it was lifted"`
	LiftedBy    string    `json:"lifted_by,omitempty" doc:"id of who lifted it"`
	Event       uint64    `json:"event" doc:"sequence of its event"`
}

// Freezing is what somebody wants to keep as it is.
type Freezing struct {
	Environment string    `json:"environment,omitempty" doc:"environment; absent: all"`
	Model       string    `json:"model,omitempty" doc:"model; absent: all"`
	Until       time.Time `json:"until,omitzero" doc:"until when; absent: until it is lifted"`
	Reason      string    `json:"reason" doc:"why"`
}

// Freeze returns the change by which a freeze is declared.
func (o *Office) Freeze(tx *state.Tx, f Freezing) (trail.Change, error) {
	if f.Environment != "" {
		if _, err := o.config.Catalog.EnvironmentIn(tx, f.Environment); err != nil {
			return nil, err
		}
	}
	if f.Model != "" {
		if _, err := o.config.Catalog.ModelIn(tx, f.Model); err != nil {
			return nil, err
		}
	}
	if f.Reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "a freeze says why").WithHint("add --reason TEXT")
	}
	if err := checkWords("reason", f.Reason); err != nil {
		return nil, err
	}
	change := &FreezeDeclared{Environment: f.Environment, Model: f.Model, Reason: f.Reason}
	if !f.Until.IsZero() {
		if !f.Until.After(tx.Now()) {
			return nil, tallystick.Errorf(tallystick.Invalid, "the freeze would end on %s, which is over", f.Until.Format(time.DateTime))
		}
		change.Until = f.Until.UnixMilli()
	}
	return change, nil
}

// FreezeDeclared is the change by which a freeze begins.
type FreezeDeclared struct {
	Environment string `json:"environment,omitempty"`
	Model       string `json:"model,omitempty"`
	Until       int64  `json:"until_ms,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (f *FreezeDeclared) Subject() (trail.Type, trail.Resource) {
	switch {
	case f.Model != "":
		return trail.FreezeDeclared, trail.Resource{Type: "model", ID: f.Model}
	case f.Environment != "":
		return trail.FreezeDeclared, trail.Resource{Type: "environment", ID: f.Environment}
	}
	return trail.FreezeDeclared, trail.Resource{Type: "workspace", ID: "releases"}
}

// Apply implements trail.Change.
func (f *FreezeDeclared) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO freezes (event, id, environment, model, reason, declared_by, from_ms, until_ms, lifted_by, last_event)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?)`,
		at.Sequence, at.ID, f.Environment, f.Model, f.Reason, at.Actor, at.Time.UnixMilli(), f.Until, at.Sequence)
	return err
}

// Lift returns the change by which a freeze is ended, nil if it is over.
func (o *Office) Lift(tx *state.Tx, id, reason string) (trail.Change, error) {
	if err := checkWords("reason", reason); err != nil {
		return nil, err
	}
	f, err := freeze(tx, id)
	if err != nil || !f.Lifted.IsZero() {
		return nil, err
	}
	return &FreezeLifted{Freeze: f.ID, Model: f.Model, Reason: reason}, nil
}

// FreezeLifted is the change by which a freeze ends.
type FreezeLifted struct {
	Freeze string `json:"freeze"`
	Model  string `json:"model,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (f *FreezeLifted) Subject() (trail.Type, trail.Resource) {
	return trail.FreezeLifted, trail.Resource{Type: "freeze", ID: f.Freeze}
}

// Apply implements trail.Change.
func (f *FreezeLifted) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE freezes SET lifted_ms = ?, lifted_by = ?, last_event = ? WHERE id = ? AND lifted_ms IS NULL",
		at.Time.UnixMilli(), at.Actor, at.Sequence, f.Freeze)
}
