package alert

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Suppressed says that notifications of an alert are kept back.
type Suppressed struct {
	Alert       string            `json:"alert"`
	Fingerprint tallystick.Digest `json:"fingerprint"`
	Model       string            `json:"model"`
	By          string            `json:"suppressed_by"` // "silence ID" or "alert ID"
}

// Subject implements trail.Change.
func (s *Suppressed) Subject() (trail.Type, trail.Resource) {
	return trail.AlertSuppressed, resource(s.Fingerprint)
}

// Apply implements trail.Change.
func (s *Suppressed) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE alerts SET suppressed_by = ?, last_event = ? WHERE id = ?", s.By, at.Sequence, s.Alert)
}

// Unsuppressed says that they no longer are.
type Unsuppressed struct {
	Alert       string            `json:"alert"`
	Fingerprint tallystick.Digest `json:"fingerprint"`
	Model       string            `json:"model"`
}

// Subject implements trail.Change.
func (u *Unsuppressed) Subject() (trail.Type, trail.Resource) {
	return trail.AlertUnsuppressed, resource(u.Fingerprint)
}

// Apply implements trail.Change.
func (u *Unsuppressed) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE alerts SET suppressed_by = '', last_event = ? WHERE id = ?", at.Sequence, u.Alert)
}

// suppressions returns the changes by which every alert that fires says what keeps its notifications back at this
// moment, if anything does: a silence, or else an alert that all data of its window is wrong. Alerts that are resolved
// need none.
func suppressions(firing []Alert, silences []Silence, now time.Time) (changes []trail.Change) {
	for i := range firing {
		a := &firing[i]
		switch by := suppressor(a, firing, silences, now); {
		case by == a.SuppressedBy:
		case by == "":
			changes = append(changes, &Unsuppressed{a.ID, a.Fingerprint, a.Model})
		default:
			changes = append(changes, &Suppressed{a.ID, a.Fingerprint, a.Model, by})
		}
	}
	return changes
}

// suppressor says what keeps notifications of an alert back, empty if nothing does.
func suppressor(a *Alert, firing []Alert, silences []Silence, now time.Time) string {
	for i := range silences {
		if s := &silences[i]; s.in(now) && s.matches(a) {
			return "silence " + s.ID
		}
	}
	if a.Subject == "" {
		return ""
	}
	for i := range firing {
		if b := &firing[i]; b.Whole && b.Model == a.Model && b.Environment == a.Environment && (b.Version == "" || a.Version == "" || b.Version == a.Version) {
			return "alert " + b.ID
		}
	}
	return ""
}
