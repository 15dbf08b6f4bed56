package stat

import (
	"encoding/json"
	"fmt"
	"math"
)

// EProcess watches values in [0, 1] that come one after the other (wrong or right, missing or
// there, overridden or not, as 1 or 0) for a mean above Bound, and may be asked after every one.
//
// It is a [Wager] against "the mean of each value, whatever came before it, is at most Bound". A bet
// multiplies its capital by 1 + rate x (value - Bound) at each value (Waudby-Smith and Ramdas, JRSS
// B 86 (2024) 1-27). The bets have rates for a mean just above Bound up to one far above, each half
// of the one before.
//
// Windows must be taken in order of time; the [Growth] within one may be merged in any order. To
// watch for a mean below a bound, watch 1 minus the values.
type EProcess struct {
	Bound float64 `json:"bound"`
	N     int64   `json:"n"`
	Sum   float64 `json:"sum"` // of the values
	Wager
}

// maxBets is how many bets there are at most, against the lowest bounds.
const maxBets = 24

// NewEProcess begins with capital 1, of which stake is bet at once and the rest kept in reserve.
func NewEProcess(bound, stake float64) (*EProcess, error) {
	if !(bound > 0 && bound < 1) {
		return nil, fmt.Errorf("begin e-process: bound %v is not between 0 and 1", bound)
	}
	return &EProcess{Bound: bound, Wager: newWager(betsAgainst(bound), stake)}, nil
}

// betsAgainst returns how many bets there are: half the most that could be lost at once, then
// halves of that down to a bet for a mean 6 % above the bound; four at least.
func betsAgainst(bound float64) int {
	bets := 4
	// A bet of rate r grows fastest at a mean of bound + r x bound x (1-bound).
	for rate := math.Ldexp(0.5/bound, -bets); rate*(1-bound) >= 1./16 && bets < maxBets; rate /= 2 {
		bets++
	}
	return bets
}

// Add takes in the next value. It is an error outside [0, 1]; NaN is left out.
func (e *EProcess) Add(value float64) error {
	if !(value >= 0 && value <= 1) {
		return refuseValue(value)
	}
	e.N++
	e.Sum += value
	gain, total := (value-e.Bound)/(2*e.Bound), e.Reserve
	for i, c := range e.Capital {
		c = keepCapital(c * (1 + gain))
		e.Capital[i] = c
		total += c
		gain /= 2
	}
	e.Peak = max(e.Peak, total)
	return nil
}

// AddCount takes in a window of n values of which k are 1 and the others 0.
func (e *EProcess) AddCount(k, n int64) error {
	if k < 0 || n < k {
		return fmt.Errorf("add to e-process: %d of %d", k, n)
	}
	g := NewGrowth(e.Bound)
	g.addCount(k, n)
	return e.Take(g)
}

// Take takes in a window that was counted by g, against the same bound.
func (e *EProcess) Take(g *Growth) error {
	if g.Bound != e.Bound || len(g.Log) != len(e.Capital) {
		return fmt.Errorf("add to e-process: growth against %v, not %v", g.Bound, e.Bound)
	}
	e.N += g.N
	e.Sum += g.Sum
	for i, log := range g.Log {
		e.multiply(i, log)
	}
	e.look()
	return nil
}

// Mean returns the mean of the values, NaN without any.
func (e *EProcess) Mean() float64 { return e.Sum / float64(e.N) }

// UnmarshalJSON reads what json.Marshal wrote, and refuses what no e-process can be.
func (e *EProcess) UnmarshalJSON(data []byte) error {
	type plain EProcess
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if !(p.Bound > 0 && p.Bound < 1 && p.N >= 0 && p.Sum >= 0 && p.Sum <= float64(p.N)) {
		return fmt.Errorf("read e-process: bound %v, n %d, sum %v", p.Bound, p.N, p.Sum)
	}
	if err := p.check(betsAgainst(p.Bound)); err != nil {
		return err
	}
	*e = EProcess(p)
	return nil
}

func refuseValue(value float64) error {
	if math.IsNaN(value) {
		return nil
	}
	return fmt.Errorf("add to e-process: %v is not within 0 and 1", value)
}
