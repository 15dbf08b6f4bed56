package archive

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Hold keeps predictions of a model until somebody releases it: what it covers is neither removed when its time is over nor
// erased.
type Hold struct {
	ID            string    `json:"id"`
	Model         string    `json:"model" doc:"name of the model"`
	Incident      string    `json:"incident,omitempty" doc:"incident for which it was placed"`
	From          time.Time `json:"from,omitzero" doc:"predictions from this time on; absent: from the first"`
	To            time.Time `json:"to,omitzero" doc:"predictions before this time; absent: those to come too"`
	Reason        string    `json:"reason,omitempty" doc:"why it was placed"`
	PlacedBy      string    `json:"placed_by" doc:"id of who placed it"`
	Placed        time.Time `json:"placed"`
	Released      time.Time `json:"released,omitzero" doc:"absent: it is in force"`
	ReleasedBy    string    `json:"released_by,omitempty"`
	ReleaseReason string    `json:"release_reason,omitempty" doc:"why it was released"`
	Event         uint64    `json:"event" doc:"sequence of the event that placed it"`
}

// NewHold is what is to be held, and why.
type NewHold struct {
	Model    string    `json:"model,omitempty" maxLength:"128" doc:"name of the model; that of the incident, if absent"`
	Incident string    `json:"incident,omitempty" maxLength:"64" doc:"incident for which it is placed: from where its evidence begins, until its harm stopped, if no times are stated"`
	From     time.Time `json:"from,omitzero" doc:"predictions from this time on; absent: from the first"`
	To       time.Time `json:"to,omitzero" doc:"predictions before this time; absent: those to come too"`
	Reason   string    `json:"reason" minLength:"1" maxLength:"1000" doc:"why; recorded, and open only to those to whom it is disclosed"`
}

// MaxHolds bounds the holds in force of a model.
const MaxHolds = 100

// PlaceHold returns the change that places a hold. That the model is registered is for the caller to know.
func PlaceHold(tx *state.Tx, h NewHold) (trail.Change, error) {
	if err := saysWhy("hold", h.Reason); err != nil {
		return nil, err
	}
	if !h.From.IsZero() && !h.To.IsZero() && !h.From.Before(h.To) {
		return nil, tallystick.Errorf(tallystick.Invalid, "the time from %s until %s is none", h.From.Format(time.RFC3339), h.To.Format(time.RFC3339))
	}
	others, err := Holds(tx, HoldFilter{Model: h.Model, InForce: true})
	if err != nil {
		return nil, err
	}
	if len(others) >= MaxHolds {
		return nil, tallystick.Errorf(tallystick.Conflict, "%d holds of %s are in force, which is the most", len(others), h.Model).WithHint("release one, or place one that covers more")
	}
	change := &HoldPlaced{Model: h.Model, Incident: h.Incident, Reason: h.Reason}
	if !h.From.IsZero() {
		change.From = new(h.From.UnixMilli())
	}
	if !h.To.IsZero() {
		change.To = new(h.To.UnixMilli())
	}
	return change, nil
}

// ReleaseHold returns the change that releases a hold, nil if it is released.
func ReleaseHold(tx *state.Tx, id, reason string) (trail.Change, error) {
	h, err := HoldIn(tx, id)
	if err != nil || !h.Released.IsZero() {
		return nil, err
	}
	return &HoldReleased{Hold: h.ID, Model: h.Model, Reason: reason}, saysWhy("release", reason)
}

func saysWhy(what, reason string) error {
	if reason == "" {
		return tallystick.Errorf(tallystick.Invalid, "the %s has no reason", what).WithHint("say why with --reason: it is recorded, and open only to those to whom it is disclosed")
	}
	return tallystick.ValidateText("reason", reason, maxReason)
}

// HoldFilter chooses holds. Zero fields choose all.
type HoldFilter struct {
	Model, Incident string
	InForce         bool
	Before          uint64 // placed by an event before this one
	Limit           int    // 0: 1,000
}

const holdColumns = "id, model, incident, from_us, to_us, reason, placed_by, placed_ms, released_ms, released_by, release_reason, event"

func scanHold(row state.Scanner) (h Hold, err error) {
	var from, to, placed, released int64
	err = row.Scan(&h.ID, &h.Model, &h.Incident, &from, &to, &h.Reason, &h.PlacedBy, &placed, &released, &h.ReleasedBy, &h.ReleaseReason, &h.Event)
	if from > math.MinInt64 {
		h.From = time.UnixMicro(from).UTC()
	}
	if to < math.MaxInt64 {
		h.To = time.UnixMicro(to).UTC()
	}
	h.Placed = time.UnixMilli(placed).UTC()
	if released > 0 {
		h.Released = time.UnixMilli(released).UTC()
	}
	return h, err
}

// Holds returns holds, the newest first.
func Holds(tx *state.Tx, f HoldFilter) ([]Hold, error) {
	conditions, args := []string{"1 = 1"}, []any{}
	for _, c := range []struct{ column, value string }{{"model", f.Model}, {"incident", f.Incident}} {
		if c.value != "" {
			conditions, args = append(conditions, c.column+" = ?"), append(args, c.value)
		}
	}
	if f.InForce {
		conditions = append(conditions, "released_ms = 0")
	}
	if f.Before > 0 {
		conditions, args = append(conditions, "event < ?"), append(args, f.Before)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 1000
	}
	found, err := state.Collect(tx, scanHold, "SELECT "+holdColumns+" FROM prediction_holds WHERE "+strings.Join(conditions, " AND ")+" ORDER BY event DESC "+state.Limit, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return found, nil
}

// HoldIn returns a hold, or a NotFound error.
func HoldIn(tx *state.Tx, id string) (Hold, error) {
	found, err := state.Collect(tx, scanHold, "SELECT "+holdColumns+" FROM prediction_holds WHERE id = ?", id)
	if err != nil {
		return Hold{}, fmt.Errorf("hold %.80q: %w", id, err)
	}
	if len(found) == 0 {
		return Hold{}, tallystick.Errorf(tallystick.NotFound, "there is no hold %.80q", id).WithHint("`tallystick hold list --all` has those that there are")
	}
	return found[0], nil
}

// covers reports whether a hold keeps a prediction of its model.
func (h *Hold) covers(at prediction.Time) bool {
	t := at.Time()
	return !t.Before(h.From) && (h.To.IsZero() || t.Before(h.To))
}

// unheld returns a Conflict error if a hold keeps one of the predictions of a model that were made at these times.
func unheld(tx *state.Tx, model string, times []prediction.Time) error {
	holds, err := Holds(tx, HoldFilter{Model: model, InForce: true})
	if err != nil {
		return err
	}
	for _, h := range holds {
		for _, at := range times {
			if h.covers(at) {
				return tallystick.Errorf(tallystick.Conflict, "hold %s keeps predictions of %s of that time since %s: nothing of them is erased", h.ID, model, h.Placed.Format(time.DateOnly)).
					WithHint("ask for it again when it is released; `tallystick hold show %s` says why it was placed", h.ID)
			}
		}
	}
	return nil
}
