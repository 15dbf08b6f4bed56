package release

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	noticeOfEnd   = 7 * 24 * time.Hour  // before a waiver ends it is told; of a short one, once half its time is over
	recentEnd     = 30 * 24 * time.Hour // for so long an end is told, if no server ran when it came, and shown
	maxWaiverEnds = 100                 // told of in one transaction
	maxEndsLooked = 10_000
)

// waiverEnds is the condition for approved waivers that end soon or have ended of late, with its arguments.
func waiverEnds(now time.Time) (condition string, args []any) {
	return "state = 'approved' AND expires_ms > ? AND expires_ms <= ? AND created_ms + expires_ms <= ?",
		[]any{now.Add(-recentEnd).UnixMilli(), now.Add(noticeOfEnd).UnixMilli(), 2 * now.UnixMilli()}
}

// Stand says how the waiver stands at a moment: requested, in force, expired, rejected or revoked. One that
// has ended by its date stays approved on record.
func (w Waiver) Stand(now time.Time) string {
	switch open := w.State == WaiverOpen || w.State == WaiverApproved; {
	case open && !now.Before(w.Expires):
		return "expired"
	case w.State == WaiverApproved:
		return "in force"
	}
	return string(w.State)
}

// EndingWaivers returns the changes by which it is told that waivers are about to end, and that they have
// ended, each once, at most 100. What was told of a waiver is its last event.
func (o *Office) EndingWaivers(tx *state.Tx) (changes []trail.Change, err error) {
	now := tx.Now()
	condition, args := waiverEnds(now)
	ending, err := state.Collect(tx, scanWaiver, "SELECT "+waiverColumns+" FROM waivers WHERE "+condition+" ORDER BY expires_ms DESC, event "+state.Limit, append(args, maxEndsLooked)...)
	if err != nil {
		return nil, fmt.Errorf("look for waivers that end: %w", err)
	}
	for _, w := range ending {
		if len(changes) == maxWaiverEnds {
			break
		}
		last, err := trail.EventIn(tx, w.LastEvent)
		if err != nil {
			return nil, fmt.Errorf("last event of waiver %s: %w", w.ID, err)
		}
		end := WaiverEnd{Waiver: w.ID, Model: w.Model, Version: w.Version, Environment: w.Environment, Rule: w.Rule, Expires: w.Expires.UnixMilli(), Day: w.Expires.Format(time.DateOnly)}
		switch over := !now.Before(w.Expires); {
		case over && last.Type != trail.WaiverExpired:
			changes = append(changes, &WaiverExpired{end})
		case !over && last.Type != trail.WaiverEnding:
			changes = append(changes, &WaiverEnding{end})
		}
	}
	return changes, nil
}

// WaiverEnd names a waiver and when it ends.
type WaiverEnd struct {
	Waiver      string `json:"waiver"`
	Model       string `json:"model"`
	Version     string `json:"version"`
	Environment string `json:"environment"`
	Rule        string `json:"rule"`
	Expires     int64  `json:"expires_ms"`
	Day         string `json:"day"` // of that, for people
}

func (w *WaiverEnd) resource() trail.Resource { return trail.Resource{Type: "waiver", ID: w.Waiver} }

// Apply implements trail.Change.
func (w *WaiverEnd) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE waivers SET last_event = ? WHERE id = ? AND state = 'approved'", at.Sequence, w.Waiver)
}

// WaiverEnding tells that a waiver is about to end.
type WaiverEnding struct{ WaiverEnd }

// Subject implements trail.Change.
func (w *WaiverEnding) Subject() (trail.Type, trail.Resource) {
	return trail.WaiverEnding, w.resource()
}

// WaiverExpired tells that a waiver has ended by its date.
type WaiverExpired struct{ WaiverEnd }

// Subject implements trail.Change.
func (w *WaiverExpired) Subject() (trail.Type, trail.Resource) {
	return trail.WaiverExpired, w.resource()
}
