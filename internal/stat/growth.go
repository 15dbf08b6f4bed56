package stat

import (
	"encoding/json"
	"fmt"
	"math"
)

// Growth is what the values of one window do to the bets of an [EProcess] against Bound. Growths
// merge in any order, like counts; rounding alone may depend on it.
type Growth struct {
	Bound float64   `json:"bound"`
	N     int64     `json:"n"`
	Sum   float64   `json:"sum"`
	Log   []float64 `json:"log"` // natural logarithm of the factor of each bet
}

// NewGrowth returns the growth of no value. A bound that is not between 0 and 1 has no bets, and no
// e-process takes it.
func NewGrowth(bound float64) *Growth {
	g := &Growth{Bound: bound}
	if bound > 0 && bound < 1 {
		g.Log = make([]float64, betsAgainst(bound))
	}
	return g
}

// growthBatch is how many factors are multiplied before a logarithm is taken: each is at least a
// half and at most 1 + 1/(2 x bound), which stays within floats for bounds down to 1e-9.
const growthBatch = 30

// AddAll takes in values. One outside [0, 1] is an error and none are taken in; NaN is left out.
func (g *Growth) AddAll(values []float64) error {
	for _, v := range values {
		if !(v >= 0 && v <= 1) {
			if err := refuseValue(v); err != nil {
				return err
			}
		}
	}
	for len(values) > 0 {
		batch := values[:min(growthBatch, len(values))]
		values = values[len(batch):]
		g.addBatch(batch)
	}
	return nil
}

func (g *Growth) addBatch(values []float64) {
	var factors [maxBets]float64
	for i := range g.Log {
		factors[i] = 1
	}
	for _, v := range values {
		if math.IsNaN(v) {
			continue
		}
		g.N++
		g.Sum += v
		gain := (v - g.Bound) / (2 * g.Bound)
		for i := range g.Log {
			factors[i] *= 1 + gain
			gain /= 2
		}
	}
	for i := range g.Log {
		g.Log[i] += math.Log(factors[i])
	}
}

// addCount takes in n values of which k are 1 and the others 0.
func (g *Growth) addCount(k, n int64) {
	g.N += n
	g.Sum += float64(k)
	rate := 0.5 / g.Bound
	for i := range g.Log {
		g.Log[i] += float64(k)*math.Log1p(rate*(1-g.Bound)) + float64(n-k)*math.Log1p(-rate*g.Bound)
		rate /= 2
	}
}

// Merge takes in the values of other, which must be against the same bound.
func (g *Growth) Merge(other *Growth) error {
	if g.Bound != other.Bound || len(g.Log) != len(other.Log) {
		return fmt.Errorf("merge growth: against %v, not %v", other.Bound, g.Bound)
	}
	g.N += other.N
	g.Sum += other.Sum
	for i, log := range other.Log {
		g.Log[i] += log
	}
	return nil
}

// UnmarshalJSON reads what json.Marshal wrote, and refuses what no growth can be.
func (g *Growth) UnmarshalJSON(data []byte) error {
	type plain Growth
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	empty := NewGrowth(p.Bound)
	if len(empty.Log) == 0 || len(p.Log) != len(empty.Log) || !(p.N >= 0 && p.Sum >= 0 && p.Sum <= float64(p.N)) {
		return fmt.Errorf("read growth: %d bets against %v, n %d, sum %v", len(p.Log), p.Bound, p.N, p.Sum)
	}
	*g = Growth(p)
	return nil
}
