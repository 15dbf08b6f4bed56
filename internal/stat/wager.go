package stat

import (
	"fmt"
	"math"
)

// Wager is the capital of a test that may be looked at at any time: it starts with 1 and does not
// gain on average while the claim that it is staked against holds, so that it ever reaches 1/alpha
// with probability alpha at most, however often and whenever somebody looks (Ville 1939).
//
// What has been lost through years in which all was well is missed when something happens. So
// capital can be kept in reserve and staked bit by bit; each stake starts anew (the sum over
// starting points of Shin, Ramdas and Rinaldo, New England Journal of Statistics in Data Science 2
// (2024) 229-260, with weights that add up to 1, so that alpha covers the whole time).
type Wager struct {
	Reserve float64   `json:"reserve"` // capital that is not staked yet
	Capital []float64 `json:"capital"` // of each bet
	Peak    float64   `json:"peak"`    // most that Value was after a value or window
}

// Capital is kept within these: to forget or to cap it cannot raise a false alarm.
const leastCapital, mostCapital = 1e-290, 1e290

func newWager(bets int, stake float64) Wager {
	w := Wager{Reserve: 1, Capital: make([]float64, bets), Peak: 1}
	w.Stake(stake)
	return w
}

// Stake moves capital from the reserve to the bets, which from now on count what comes as a new
// start: once an hour 1/8760 of what was kept for a year, for example. It takes no more than is
// there.
func (w *Wager) Stake(amount float64) {
	amount = max(0, min(amount, w.Reserve))
	w.Reserve -= amount
	each := amount / float64(len(w.Capital))
	for i := range w.Capital {
		w.Capital[i] += each
	}
}

// Value returns the capital: the e-value now.
func (w *Wager) Value() float64 {
	total := w.Reserve
	for _, c := range w.Capital {
		total += c
	}
	return total
}

// P returns a p-value that holds at every look: 1/Peak. It never rises.
func (w *Wager) P() float64 { return 1 / w.Peak }

// multiply multiplies the capital of bet i, given the logarithm of the factor.
func (w *Wager) multiply(i int, log float64) {
	if w.Capital[i] > 0 {
		w.Capital[i] = keepCapital(math.Exp(min(math.Log(w.Capital[i])+log, 700)))
	}
}

func (w *Wager) look() { w.Peak = max(w.Peak, w.Value()) }

// check refuses what no wager of that many bets can be.
func (w *Wager) check(bets int) error {
	if len(w.Capital) != bets || !(w.Reserve >= 0 && w.Reserve <= 1 && w.Peak >= 1) {
		return fmt.Errorf("read wager: %d bets of %d, reserve %v, peak %v", len(w.Capital), bets, w.Reserve, w.Peak)
	}
	for _, c := range w.Capital {
		if c != keepCapital(c) || c < 0 {
			return fmt.Errorf("read wager: capital %v", c)
		}
	}
	return nil
}

func keepCapital(c float64) float64 {
	if c < leastCapital {
		return 0
	}
	return min(c, mostCapital)
}
