package archive

import (
	"math"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// HoldPlaced places a hold, whose id is that of the event.
type HoldPlaced struct {
	Model    string `json:"model"`
	Incident string `json:"incident,omitempty"`
	From     *int64 `json:"from_ms,omitempty"`
	To       *int64 `json:"to_ms,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (c *HoldPlaced) Subject() (trail.Type, trail.Resource) {
	return trail.HoldPlaced, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *HoldPlaced) Apply(tx *state.Tx, at trail.Mark) error {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if c.From != nil {
		from = *c.From * 1000
	}
	if c.To != nil {
		to = *c.To * 1000
	}
	_, err := tx.Exec(`INSERT INTO prediction_holds (event, id, model, incident, from_us, to_us, reason, placed_by, placed_ms, released_ms, released_by, release_reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`, at.Sequence, at.ID, c.Model, c.Incident, from, to, c.Reason, at.Actor, at.Time.UnixMilli())
	return err
}

// HoldReleased releases a hold.
type HoldReleased struct {
	Hold   string `json:"hold"`
	Model  string `json:"model"`
	Reason string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (c *HoldReleased) Subject() (trail.Type, trail.Resource) {
	return trail.HoldReleased, trail.Resource{Type: "hold", ID: c.Hold}
}

// Apply implements trail.Change.
func (c *HoldReleased) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE prediction_holds SET released_ms = ?, released_by = ?, release_reason = ? WHERE id = ?", at.Time.UnixMilli(), at.Actor, c.Reason, c.Hold)
}
