package comparison

import (
	"math"

	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
)

// outcome is what a metric makes of one prediction.
type outcome uint8

const (
	unknown outcome = iota // it cannot say, for want of a latency or a label
	no
	yes
)

func outcomeOf(is bool) outcome {
	if is {
		return yes
	}
	return no
}

// column returns the column of predictions that a metric reads, empty if it reads none.
func (m *Metric) column() string {
	switch m.Measure {
	case Errors:
		return "status"
	case Slow:
		return "latency_us"
	case Decisions:
		return m.When.Column
	case Overrides:
		return "override_by"
	case Score:
		return "score"
	case Disagreement, Wrong, Outcomes, Fairness:
		return "output"
	}
	return ""
}

// of returns the outcome of a metric that is a share: yes is what the metric is named for.
func (m *Metric) of(v prediction.Value, held *label.Held) outcome {
	switch m.Measure {
	case Errors:
		return outcomeOf(v.Text() == string(prediction.Failed) || v.Text() == string(prediction.TimedOut))
	case Slow:
		us, ok := number(v)
		if !ok {
			return unknown
		}
		return outcomeOf(us > float64(m.Limit.Microseconds()))
	case Decisions:
		if v.IsNull() {
			return unknown // no decision was made
		}
		return outcomeOf(m.When.HoldsOf(v))
	case Overrides:
		return outcomeOf(!v.IsNull())
	case Wrong:
		if held == nil || !held.Labelled() || v.IsNull() {
			return unknown
		}
		return outcomeOf(!alike(v, held.Value, m.Tolerance))
	case Outcomes:
		if held == nil || !held.Labelled() {
			return unknown
		}
		return outcomeOf(m.When.HoldsOf(held.Value))
	}
	return unknown
}

// number returns a finite number.
func number(v prediction.Value) (float64, bool) {
	if !v.IsNumber() {
		return 0, false
	}
	x, _ := v.Float()
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}

// alike reports whether two outputs are the same, numbers up to a tolerance. True is 1, and false 0, as labels have them.
func alike(a, b prediction.Value, tolerance float64) bool {
	x, one := numeral(a)
	y, two := numeral(b)
	if one && two {
		return math.Abs(x-y) <= tolerance
	}
	return one == two && a.String() == b.String()
}

func numeral(v prediction.Value) (float64, bool) {
	if v.Kind() == prediction.Bool {
		if v.Bool() {
			return 1, true
		}
		return 0, true
	}
	return number(v)
}
