package objective

import (
	"math"
	"time"

	"github.com/tallystick/tallystick"
)

// Action is what an alert on a burn rate asks for.
type Action string

// The three actions.
const (
	Page   Action = "page"   // a person now
	Ticket Action = "ticket" // a person in working hours
	Pause  Action = "pause"  // no experiments until the burn rate is down
)

// BurnRule raises an alert where Share of the period's budget is used up within Window, and the last
// Short of it still burns as fast: the second condition ends the alert soon after the cause has.
type BurnRule struct {
	Action Action        `json:"action"`
	Share  float64       `json:"share"`
	Window time.Duration `json:"window"`
	Short  time.Duration `json:"short"`
}

// Rules returns the customary rules for a period: burn rates of 14.4 over an hour and of 6 over six hours page, one of 1 over three
// days is a ticket (table 5-8 of the workbook: 2 %, 5 % and 10 % of the budget of 30 days), and twice the planned rate over three
// days pauses experiments. Short windows are a twelfth. It is the rates that are kept for shorter periods: 10 % of the budget of a
// week in three of its days would be less than was planned.
func Rules(period time.Duration) []BurnRule {
	rule := func(action Action, burn float64, window time.Duration) BurnRule {
		return BurnRule{action, burn * float64(window) / float64(period), window, window / 12}
	}
	return []BurnRule{rule(Page, 14.4, time.Hour), rule(Page, 6, 6*time.Hour), rule(Ticket, 1, 3*day), rule(Pause, 2, 3*day)}
}

// Validate returns an Invalid error unless the rule can raise an alert under the objective.
func (r BurnRule) Validate(o Promise) error {
	invalid := func(format string, args ...any) *tallystick.Error {
		return tallystick.Errorf(tallystick.Invalid, "objective %s: "+format, append([]any{o.Indicator}, args...)...)
	}
	switch r.Action {
	case Page, Ticket, Pause:
	default:
		return invalid("action %q is not page, ticket or pause", string(r.Action)).WithHint("write one of the three")
	}
	switch {
	case r.Window <= 0 || r.Window > o.Period || r.Short <= 0 || r.Short >= r.Window:
		return invalid("windows of %v and %v in a period of %v", r.Window, r.Short, o.Period).WithHint("the short one is usually a twelfth of the long one")
	case !(r.Share > 0):
		return invalid("a share of %v of the budget", r.Share).WithHint("write 0.02 for 2 %%")
	case r.Threshold(o.Period)*(1-o.Target) >= 1:
		return invalid("a burn rate of %.4g means more bad events than there are events", r.Threshold(o.Period)).
			WithHint("lower the share, or lengthen the window")
	}
	return nil
}

// Threshold returns the burn rate at which the rule raises an alert.
func (r BurnRule) Threshold(period time.Duration) float64 {
	return r.Share * float64(period) / float64(r.Window)
}

// Burn is the judgement of one rule. Rates are null in JSON where a window had no valid event.
type Burn struct {
	Rule      BurnRule           `json:"rule"`
	Threshold float64            `json:"threshold"`
	Long      BurnWindow         `json:"long"`
	Short     BurnWindow         `json:"short"`
	Enough    int64              `json:"enough"` // valid events that Long must have
	Verdict   tallystick.Verdict `json:"verdict"`
}

// BurnWindow is what was counted in one of the two windows.
type BurnWindow struct {
	Count
	Rate *float64 `json:"rate"` // burn rate; nil without valid events
}

// Judge judges a rule by the counts of its two windows. The verdict is Fail where both burn at the
// threshold or faster, Insufficient where the long window has too few valid events or the short one
// none (a missing series is for the telemetry alert to tell, and is never a pass), else Pass.
func (o Promise) Judge(r BurnRule, long, short Count) Burn {
	b := Burn{Rule: r, Threshold: r.Threshold(o.Period), Long: o.window(long), Short: o.window(short)}
	b.Enough = o.enough(b.Threshold)
	switch {
	case long.Valid < b.Enough || short.Valid <= 0:
		b.Verdict = tallystick.Insufficient
	case b.reached(b.Long) && b.reached(b.Short):
		b.Verdict = tallystick.Fail
	default:
		b.Verdict = tallystick.Pass
	}
	return b
}

func (o Promise) window(c Count) BurnWindow {
	w := BurnWindow{Count: c}
	if c.Valid > 0 {
		rate := o.BurnRate(c)
		w.Rate = &rate
	}
	return w
}

// reached allows for the rounding of a target such as 0.999, which would put a rate of exactly 14.4
// below its threshold.
func (b Burn) reached(w BurnWindow) bool {
	return w.Rate != nil && *w.Rate >= b.Threshold-1e-9*math.Abs(b.Threshold)
}
