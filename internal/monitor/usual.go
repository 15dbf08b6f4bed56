package monitor

import (
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// past is what a row was in an earlier window.
type past struct {
	value   float64
	verdict tallystick.Verdict
}

// guard is how many of the last windows are watched for more alarms than chance makes, and not learned from yet: what becomes a
// failure is seen as one within them.
const guard = 20

// surely is the chance from which on several windows beyond what is usual are no accident.
const surely = 0.01

// habit says which share of usual windows may be beyond what is learned from them, and from how many that is.
type habit struct {
	share   float64
	windows int
}

// needed is how many windows have to be learned from.
func (h habit) needed() int { return int(math.Ceil(1/h.share-1e-9)) - 1 }

// usual is what was learned of a row.
type usual struct {
	limit float64
	from  int   // windows that it was learned from
	over  int64 // windows among the last ones that were beyond
	last  int64 // how many these are
	known bool
}

// learn learns from earlier windows, the newest first. Those that failed are not learned from, nor those that warned of a
// failure: others that were beyond by chance are, or the limit would fall with each of them.
func (h habit) learn(history []past) (u usual) {
	u.last = int64(min(guard, len(history)))
	for _, p := range history[:u.last] {
		if p.verdict == tallystick.Warn || p.verdict == tallystick.Fail {
			u.over++
		}
	}
	var values []float64
	failed := -guard - 1 // the place of the last failure that came after
	for i, p := range history {
		if p.verdict == tallystick.Fail {
			failed = i
		}
		warned := p.verdict == tallystick.Warn && i-failed <= guard
		if i >= guard && p.verdict != tallystick.Fail && !warned && len(values) < h.windows {
			values = append(values, p.value)
		}
	}
	u.from = len(values)
	u.limit, u.known = stat.UsuallyBelow(values, h.share)
	return u
}

// judge says what a value is that its own limits do not fail.
func (h habit) judge(value float64, u usual, limit float64) tallystick.Verdict {
	switch {
	case value <= limit:
		return tallystick.Pass
	case stat.AtLeast(u.over+1, u.last+1, h.share) <= surely:
		return tallystick.Fail
	}
	return tallystick.Warn
}
