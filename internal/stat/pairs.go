package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Pairs counts what two versions did with the same rows: whether each had success (was right, said
// yes).
type Pairs struct{ Both, First, Second, Neither int64 }

// Count takes in one row.
func (p *Pairs) Count(first, second bool) {
	switch {
	case first && second:
		p.Both++
	case first:
		p.First++
	case second:
		p.Second++
	default:
		p.Neither++
	}
}

// Merge takes in the rows of other.
func (p *Pairs) Merge(other Pairs) {
	p.Both += other.Both
	p.First += other.First
	p.Second += other.Second
	p.Neither += other.Neither
}

// N returns the number of rows.
func (p Pairs) N() int64 { return p.Both + p.First + p.Second + p.Neither }

// McNemar tests whether both have success equally often (Psychometrika 12 (1947) 153-157):
// Statistic is the number of rows in which only the first has, P two-sided and exact from the
// binomial, or of a normal with correction for continuity beyond 100,000 rows that differ. P is 1
// where none differ.
func (p Pairs) McNemar() Test {
	n := p.First + p.Second
	t := Test{float64(p.First), 1, "exact"}
	switch {
	case n == 0:
	case n <= 100_000:
		t.P = min(1, 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(min(p.First, p.Second))))
	default:
		z := max(0, math.Abs(float64(p.First-p.Second))-1) / math.Sqrt(float64(n))
		t.P, t.Method = normalTwoSided(z), "asymptotic"
	}
	return t
}

// Difference returns the first's rate of success minus the second's with Tango's score interval
// (Statistics in Medicine 17 (1998) 891-908), which keeps its coverage where few rows differ.
func (p Pairs) Difference() Estimate {
	const method = "tango"
	if p.N() == 0 {
		return noEstimate(0, method)
	}
	value := float64(p.First-p.Second) / float64(p.N())
	return Estimate{value, p.tango(normalQuantile(Confidence)), p.N(), method}
}

func (p Pairs) tango(z float64) Interval {
	n, b, c := float64(p.N()), float64(p.First), float64(p.Second)
	return bracket((b-c)/n, Interval{-1, 1}, func(d float64) bool {
		// The most likely share of Second alone, the difference being d.
		linear := (2*n-b+c)*d - b - c
		share := (math.Sqrt(max(0, linear*linear+8*n*c*d*(1-d))) - linear) / (4 * n)
		return math.Abs(b-c-n*d) <= z*math.Sqrt(max(0, n*(2*share+d*(1-d))))
	})
}

// Anytime returns an interval of the difference of rates that holds at every look at once: for each
// bound the difference is put on [0, 1] and wagered on as [EProcess] does, with (1-conf)/2 on
// either side. It is [-1, 1] without rows.
func (p Pairs) Anytime(conf float64) Interval {
	limit := math.Log(2 / (1 - conf))
	low := func(d float64) bool { return p.logE(d) < limit }
	mirrored := Pairs{First: p.Second, Second: p.First, Both: p.Both, Neither: p.Neither}
	high := func(d float64) bool { return mirrored.logE(-d) < limit }
	start := 0.0
	if n := p.N(); n > 0 {
		start = float64(p.First-p.Second) / float64(n)
	}
	return Interval{bracket(start, Interval{-1, 1}, low).Low, bracket(start, Interval{-1, 1}, high).High}
}

// E returns the e-value against "the first's rate minus the second's is at most margin".
func (p Pairs) E(margin float64) float64 { return math.Exp(p.logE(margin)) }

// pairBets is how many bets a difference is wagered on with: shares 0.9, 0.45 and so on of what can
// be lost. None may depend on what was seen.
const pairBets = 16

// logE averages the capital of the bets, each of which lost or won at every row: with value
// y = (difference of the row + 1)/2 and bound m likewise, the factor is 1 - share + share y/m.
func (p Pairs) logE(margin float64) float64 {
	bound := (margin + 1) / 2
	if bound <= 0 {
		if p.First+p.Both+p.Neither > 0 {
			return math.Inf(1)
		}
		return 0
	}
	var logs [pairBets]float64
	share, most := 0.9, math.Inf(-1)
	for i := range logs {
		logs[i] = p.bet(share, bound)
		most = max(most, logs[i])
		share /= 2
	}
	sum := 0.0
	for _, log := range logs {
		sum += math.Exp(log - most)
	}
	return most + math.Log(sum/pairBets)
}

// bet returns the log of what the capital of a bet of that share is multiplied by.
func (p Pairs) bet(share, bound float64) float64 {
	return float64(p.First)*math.Log1p(share*(1/bound-1)) +
		float64(p.Both+p.Neither)*math.Log1p(share*(0.5/bound-1)) +
		float64(p.Second)*math.Log1p(-share)
}
