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

// Rule raises an alert where Share of the period's budget is used up within Window, and the last
// Short of it still burns as fast: the second condition ends the alert soon after the cause has.
type Rule struct {
	Action Action        `json:"action"`
	Share  float64       `json:"share"`
	Window time.Duration `json:"window"`
	Short  time.Duration `json:"short"`
}

// Rules returns the customary rules for a period: 2 % of the budget in an hour and 5 % in six page,
// 10 % in three days are a ticket (table 5-8 of the workbook: burn rates 14.4, 6 and 1 at 30 days),
// and a burn rate of twice the planned one over three days pauses experiments. Short windows are a
// twelfth.
func Rules(period time.Duration) []Rule {
	const day = 24 * time.Hour
	return []Rule{
		newRule(Page, 0.02, time.Hour),
		newRule(Page, 0.05, 6*time.Hour),
		newRule(Ticket, 0.10, 3*day),
		newRule(Pause, 2*float64(3*day)/float64(period), 3*day),
	}
}

func newRule(action Action, share float64, window time.Duration) Rule {
	return Rule{action, share, window, window / 12}
}

// Validate returns an Invalid error unless the rule can raise an alert under the objective.
func (r Rule) Validate(o Objective) error {
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
func (r Rule) Threshold(period time.Duration) float64 {
	return r.Share * float64(period) / float64(r.Window)
}

// Burn is the judgement of one rule. Rates are null in JSON where a window had no valid event.
type Burn struct {
	Rule      Rule               `json:"rule"`
	Threshold float64            `json:"threshold"`
	Long      Window             `json:"long"`
	Short     Window             `json:"short"`
	Enough    int64              `json:"enough"` // valid events that Long must have
	Verdict   tallystick.Verdict `json:"verdict"`
}

// Window is what was counted in one of the two windows.
type Window struct {
	Count
	Rate *float64 `json:"rate"` // burn rate; nil without valid events
}

// Judge judges a rule by the counts of its two windows. The verdict is Fail where both burn at the
// threshold or faster, Insufficient where the long window has too few valid events or the short one
// none (a missing series is for the telemetry alert to tell, and is never a pass), else Pass.
func (o Objective) Judge(r Rule, long, short Count) Burn {
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

func (o Objective) window(c Count) Window {
	w := Window{Count: c}
	if c.Valid > 0 {
		rate := o.BurnRate(c)
		w.Rate = &rate
	}
	return w
}

// reached allows for the rounding of a target such as 0.999, which would put a rate of exactly 14.4
// below its threshold.
func (b Burn) reached(w Window) bool {
	return w.Rate != nil && *w.Rate >= b.Threshold-1e-9*math.Abs(b.Threshold)
}
