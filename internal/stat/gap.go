package stat

import (
	"encoding/json"
	"fmt"
	"math"
)

// GapProcess watches the rates of two streams, of two versions or two groups, for a difference
// First minus Second above Margin, window by window, and may be asked after every window.
//
// It is a [Wager] against "the difference is at most Margin", with the e-variables of Turner, Ly
// and Grünwald (arXiv 2106.02693): a bet names a pair of rates before the
// window is seen, and multiplies its capital by how much likelier the window is under it than under
// the nearest pair that the claim allows. It need not know the rates, as their mean so far is
// named, nor how rows are routed, as long as their numbers do not depend on the outcomes of the
// same window. So it finds a difference with fewer rows than [DifferenceE], which allows for every
// pair of rates, and must take windows in order of time, which DifferenceE need not.
type GapProcess struct {
	Margin float64    `json:"margin"`
	First  Proportion `json:"first"` // of all windows
	Second Proportion `json:"second"`
	Wager
}

// gapBets is how many bets there are: for odds that differ by a factor exp(0.1), exp(0.2) and so on
// to exp(3.2) more than Margin says.
const gapBets = 6

// NewGapProcess begins with capital 1, of which stake is bet at once and the rest kept in reserve.
func NewGapProcess(margin, stake float64) (*GapProcess, error) {
	if !(margin > -1 && margin < 1) {
		return nil, fmt.Errorf("begin gap process: margin %v is not between -1 and 1", margin)
	}
	return &GapProcess{Margin: margin, Wager: newWager(gapBets, stake)}, nil
}

// Take takes in a window. The first one only tells the rates to bet with; so does one that either
// stream has no rows in.
func (g *GapProcess) Take(first, second Proportion) error {
	for _, p := range []Proportion{first, second} {
		if p.K < 0 || p.N < p.K {
			return fmt.Errorf("add to gap process: %d of %d", p.K, p.N)
		}
	}
	if g.First.N+g.Second.N > 0 && first.N > 0 && second.N > 0 {
		for i := range g.Capital {
			g.multiply(i, g.logFactor(0.1*math.Ldexp(1, i), first, second))
		}
		g.look()
	}
	g.First.K, g.First.N = g.First.K+first.K, g.First.N+first.N
	g.Second.K, g.Second.N = g.Second.K+second.K, g.Second.N+second.N
	return nil
}

// logFactor returns the log of the factor of the bet on the given log odds ratio.
func (g *GapProcess) logFactor(odds float64, first, second Proportion) float64 {
	// The second's rate if the difference were Margin, and the two rates around that and Margin
	// above it between which the mean of all rows stays.
	n, m := float64(g.First.N), float64(g.Second.N)
	clip := func(rate float64) float64 { return max(1e-9, min(1-1e-9, rate)) }
	base := clip((float64(g.First.K+g.Second.K) - g.Margin*n + 0.5) / (n + m + 1))
	effect := 1/(1+math.Exp(-math.Log(base/(1-base))-odds)) - base
	a, b := clip(base+g.Margin+effect*m/(n+m)), clip(base-effect*n/(n+m))
	if !(a-b > g.Margin) {
		return 0
	}
	x, y := float64(first.N), float64(second.N)
	nearest := clip(leastRate(mixture{n: x, sum: x * a}, mixture{n: y, sum: y * b}, g.Margin))
	other := clip(nearest - g.Margin)
	return float64(first.K)*math.Log(a/nearest) + float64(first.N-first.K)*math.Log((1-a)/(1-nearest)) +
		float64(second.K)*math.Log(b/other) + float64(second.N-second.K)*math.Log((1-b)/(1-other))
}

// UnmarshalJSON reads what json.Marshal wrote, and refuses what no gap process can be.
func (g *GapProcess) UnmarshalJSON(data []byte) error {
	type plain GapProcess
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if !(p.Margin > -1 && p.Margin < 1) || p.First.K < 0 || p.First.N < p.First.K || p.Second.K < 0 || p.Second.N < p.Second.K {
		return fmt.Errorf("read gap process: margin %v, %+v and %+v", p.Margin, p.First, p.Second)
	}
	if err := p.check(gapBets); err != nil {
		return err
	}
	*g = GapProcess(p)
	return nil
}
