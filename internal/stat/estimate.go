package stat

import (
	"encoding/json"
	"fmt"
	"math"
)

// Confidence is the level of every interval whose function does not take one.
const Confidence = 0.95

// Interval is a two-sided confidence interval. Bounds are NaN where there is none. In JSON it is
// [low, high], with null for NaN.
type Interval struct{ Low, High float64 }

// MarshalJSON writes [low, high].
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]Number{Number(i.Low), Number(i.High)})
}

// UnmarshalJSON reads [low, high].
func (i *Interval) UnmarshalJSON(data []byte) error {
	var bounds []Number
	if err := json.Unmarshal(data, &bounds); err != nil {
		return err
	}
	if len(bounds) != 2 {
		return fmt.Errorf("interval has %d bounds, not 2", len(bounds))
	}
	*i = Interval{float64(bounds[0]), float64(bounds[1])}
	return nil
}

// Contains reports whether x lies in the closed interval.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Complement returns the interval of 1-x, x being in i.
func (i Interval) Complement() Interval { return Interval{1 - i.High, 1 - i.Low} }

func (i Interval) clip(low, high float64) Interval {
	if i.isNaN() {
		return i
	}
	return Interval{max(i.Low, low), min(i.High, high)}
}

func (i Interval) isNaN() bool { return math.IsNaN(i.Low) || math.IsNaN(i.High) }

func noInterval() Interval { return Interval{math.NaN(), math.NaN()} }

// Estimate is a statistic with its interval at [Confidence].
type Estimate struct {
	Value    float64
	Interval Interval
	N        int64  // observations behind the value; for a rate its denominator
	Method   string // how the interval was made
}

type estimateJSON struct {
	Value    Number   `json:"value"`
	Interval Interval `json:"ci"`
	N        int64    `json:"n"`
	Method   string   `json:"method"`
}

// MarshalJSON writes value, ci, n and method, with null for a number that has no value.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(estimateJSON{Number(e.Value), e.Interval, e.N, e.Method})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Estimate) UnmarshalJSON(data []byte) error {
	var j estimateJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*e = Estimate{float64(j.Value), j.Interval, j.N, j.Method}
	return nil
}

// Valid reports whether the estimate has a value.
func (e Estimate) Valid() bool { return Number(e.Value).Valid() }

func noEstimate(n int64, method string) Estimate {
	return Estimate{math.NaN(), noInterval(), n, method}
}

// around returns value +- z x se.
func around(value, se float64) Interval {
	z := normalQuantile(Confidence)
	return Interval{value - z*se, value + z*se}
}

// meanEstimate returns the mean of m with the normal interval of its standard error.
func meanEstimate(m Moments, method string) Estimate {
	if m.N == 0 {
		return noEstimate(0, method)
	}
	e := Estimate{m.Mean, noInterval(), m.N, method}
	if m.N > 1 {
		e.Interval = around(m.Mean, math.Sqrt(m.SampleVariance()/float64(m.N)))
	}
	return e
}

// clip cuts the interval to the range of the statistic.
func (e Estimate) clip(low, high float64) Estimate {
	e.Interval = e.Interval.clip(low, high)
	return e
}
