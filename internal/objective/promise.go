package objective

import (
	"math"
	"time"

	"github.com/tallystick/tallystick"
)

// Promise is that Target of the valid events of every Period are good.
type Promise struct {
	Indicator string        `json:"indicator"` // the name of an SLI
	Target    float64       `json:"target"`    // share, between 0 and 1
	Period    time.Duration `json:"period"`
	// MinEvents is the number of valid events of a window below which it is not judged. The number
	// at which a single bad event would raise an alert holds where it is larger.
	MinEvents int64 `json:"min_events,omitempty"`
}

// Bounds of a period.
const (
	minPeriod = 24 * time.Hour
	maxPeriod = 366 * 24 * time.Hour
)

// Validate returns an Invalid error unless the objective can be judged.
func (o Promise) Validate() error {
	switch {
	case o.Indicator == "":
		return tallystick.Errorf(tallystick.Invalid, "the promise names no indicator").WithHint("write one, such as %q", Indicators()[0].Name)
	case !(o.Target > 0 && o.Target < 1):
		return tallystick.Errorf(tallystick.Invalid, "objective %s: target %v is not between 0 and 1", o.Indicator, o.Target).
			WithHint("write a share such as 0.995; a promise of 1 has no budget")
	case o.Period < minPeriod || o.Period > maxPeriod:
		return tallystick.Errorf(tallystick.Invalid, "objective %s: a period of %v is not between a day and a year", o.Indicator, o.Period).
			WithHint("write 720h for 30 days")
	case o.Period%time.Hour != 0:
		return tallystick.Errorf(tallystick.Invalid, "objective %s: a period of %v is not made of whole hours", o.Indicator, o.Period).WithHint("write 30d")
	case o.MinEvents < 0:
		return tallystick.Errorf(tallystick.Invalid, "objective %s: a minimum of %d events", o.Indicator, o.MinEvents).
			WithHint("leave it out, or write a number of events")
	}
	return nil
}

// Count is what an indicator counted in some window. Counts of windows add up.
type Count struct {
	Good  int64 `json:"good"`
	Valid int64 `json:"valid"`
}

// Add returns both together.
func (c Count) Add(other Count) Count { return Count{c.Good + other.Good, c.Valid + other.Valid} }

// Bad returns the valid events that are not good.
func (c Count) Bad() int64 { return c.Valid - c.Good }

// Ratio returns the share of good events, NaN without a valid one.
func (c Count) Ratio() float64 { return float64(c.Good) / float64(c.Valid) }

// BurnRate returns how many times as fast as planned the budget is used up: at 1 the events of a
// period use it exactly. NaN without a valid event.
func (o Promise) BurnRate(c Count) float64 {
	return float64(c.Bad()) / float64(c.Valid) / (1 - o.Target)
}

// Budget says how much of what may go wrong in a period has.
type Budget struct {
	Allowed float64 `json:"allowed"` // bad events, at the number of valid ones so far
	Bad     int64   `json:"bad"`
	Left    float64 `json:"left"` // share of Allowed; below 0 once the promise is broken, 1 without events
}

// Budget returns the error budget of a period whose events so far are c.
func (o Promise) Budget(c Count) Budget {
	b := Budget{Allowed: float64(c.Valid) * (1 - o.Target), Bad: c.Bad(), Left: 1}
	if c.Valid > 0 {
		b.Left = 1 - float64(b.Bad)/b.Allowed
	}
	return b
}

// Spent returns the share of a whole period's budget that a window uses up at the given burn rate.
func (o Promise) Spent(burn float64, window time.Duration) float64 {
	return burn * float64(window) / float64(o.Period)
}

// Exhaustion returns after how long a full budget is used up at the given burn rate, and false if
// it never is within a year.
func (o Promise) Exhaustion(burn float64) (time.Duration, bool) {
	after := float64(o.Period) / burn
	if !(burn > 0) || after > float64(maxPeriod) {
		return 0, false
	}
	return time.Duration(after), true
}

// enough is the number of valid events from which on a window is judged at the given burn rate: one
// bad event alone must not reach it.
func (o Promise) enough(burn float64) int64 {
	alone := 1 / (burn * (1 - o.Target))
	return max(o.MinEvents, int64(math.Floor(alone*(1+1e-12)))+1)
}
