package comparison

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// evidence is what was wagered on one metric. Both e-values are 1 on average, at every look, while what they speak against
// holds, so each reaches 1/alpha with probability alpha at most.
type evidence struct {
	sides            // rates
	harm     float64 // against "the new version is worse by at most the margin"
	safe     float64 // against "it is worse by the margin, or more"
	interval stat.Interval
	needed   float64 // predictions of both versions, or pairs, that it takes as a rule if it goes on so; infinite: not foreseeable
}

// coarse is how many windows of slices are looked at together: there are many slices.
const coarse = 10

// weigher wagers on what was counted.
type weigher struct {
	doc     *Document
	learnt  *learnt
	windows int // of the longest comparison: what is kept in reserve is staked over so many
}

// weigh gathers the evidence of a duel. step windows are taken together.
func (w *weigher) weigh(d *duel, m *Metric, step int, alphaHarm float64) evidence {
	up, down, back, forth := 0.0, 0.0, 0.0, 0.0 // against new-old <= margin, old-new <= margin, old-new <= -margin, new-old <= -margin
	e := evidence{sides: d.total()}
	if w.doc.PairBy != "" {
		p := d.pairs
		mirrored := stat.Pairs{Both: p.Both, First: p.Second, Second: p.First, Neither: p.Neither}
		e.sides = sides{{K: p.Both + p.First, N: p.N()}, {K: p.Both + p.Second, N: p.N()}}
		e.interval = p.Anytime(1 - w.doc.Alpha)
		up, down, back, forth = p.E(m.Margin), mirrored.E(m.Margin), mirrored.E(-m.Margin), p.E(-m.Margin)
		e.needed = leastRows(m,
			p.Rows(m.Margin, alphaHarm), mirrored.Rows(m.Margin, alphaHarm), mirrored.Rows(-m.Margin, w.doc.Alpha), p.Rows(-m.Margin, w.doc.Alpha))
	} else {
		e.interval = stat.AnytimeDifference(e.sides[newer], e.sides[older], 1-w.doc.Alpha)
		// Harm may begin late, so half of what is wagered against it waits; that there is none is believed as of now.
		if m.Better != More {
			up, back = w.wager(d, newer, m.Margin, step, true), w.wager(d, older, -m.Margin, step, false)
		}
		if m.Better != Less {
			down, forth = w.wager(d, older, m.Margin, step, true), w.wager(d, newer, -m.Margin, step, false)
		}
		a, b := e.sides[newer].Rate(), e.sides[older].Rate()
		share := float64(e.sides[newer].N) / float64(e.sides[newer].N+e.sides[older].N)
		e.needed = leastRows(m,
			stat.GapRows(a, b, share, m.Margin, alphaHarm), stat.GapRows(b, a, 1-share, m.Margin, alphaHarm),
			stat.GapRows(b, a, 1-share, -m.Margin, w.doc.Alpha), stat.GapRows(a, b, share, -m.Margin, w.doc.Alpha))
	}
	switch m.Better {
	case Less:
		e.harm, e.safe = up, back
	case More:
		e.harm, e.safe = down, forth
	default:
		e.harm, e.safe = (up+down)/2, min(back, forth)
	}
	return e
}

// leastRows returns after how many rows a metric is settled: up and down are what it takes to show harm in each direction, back
// and forth what it takes to show that there is none.
func leastRows(m *Metric, up, down, back, forth float64) float64 {
	switch m.Better {
	case Less:
		return min(up, back)
	case More:
		return min(down, forth)
	}
	return min(up, down, max(back, forth))
}

// wager returns the e-value against "the rate of first is at most margin above that of the other".
func (w *weigher) wager(d *duel, first int, margin float64, step int, reserve bool) float64 {
	stake := 1.0
	if reserve {
		stake = 0.5
	}
	g, err := stat.NewGapProcess(margin, stake)
	if err != nil {
		return 1 // a margin that no gap process takes is refused when it is read
	}
	looks := float64(max(1, w.windows/step))
	var together sides
	take := func() {
		_ = g.Take(together[first], together[1-first]) // counts are never negative
		together = sides{}
	}
	for i, window := range d.windows {
		for side := range window {
			together[side].K += window[side].K
			together[side].N += window[side].N
		}
		if i+1 == w.learnt.until {
			take()
		} else if i >= w.learnt.until && ((i-w.learnt.until)%step == step-1 || i == len(d.windows)-1) {
			if reserve {
				g.Stake(0.5 / looks)
			}
			take()
		}
	}
	if reserve {
		return g.Peak
	}
	return g.Value()
}

// weighScores gathers the evidence of score distributions: at no decile of the old version's are they apart by the margin.
// The value is the largest difference, with the interval of all together.
func (w *weigher) weighScores(edges []duel, m *Metric, alphaHarm float64) (e evidence, value float64) {
	e = evidence{harm: 0, safe: math.Inf(1), needed: 0, interval: stat.Interval{Low: 0, High: 0}}
	for i := range edges {
		one := w.weigh(&edges[i], m, coarse, alphaHarm/float64(len(edges)))
		e.harm += one.harm / float64(len(edges)) // the mean of e-values is one
		e.safe = min(e.safe, one.safe)
		e.needed = max(e.needed, one.needed)
		e.sides = one.sides
		difference := one.sides[newer].Rate() - one.sides[older].Rate()
		value = max(value, math.Abs(difference))
		each := w.simultaneous(&edges[i], one.sides, float64(len(edges)))
		e.interval.Low = max(e.interval.Low, each.Low, -each.High)
		e.interval.High = max(e.interval.High, each.High, -each.Low)
	}
	return e, value
}

// simultaneous is the interval of one of many differences that hold together.
func (w *weigher) simultaneous(d *duel, s sides, many float64) stat.Interval {
	if w.doc.PairBy != "" {
		return d.pairs.Anytime(1 - w.doc.Alpha/many)
	}
	return stat.AnytimeDifference(s[newer], s[older], 1-w.doc.Alpha/many)
}

// gap returns the interval of the largest difference between the rates of groups, given theirs at every look.
func gap(groups []stat.Proportion, confidence float64) (value float64, i stat.Interval) {
	each := 1 - (1-confidence)/float64(len(groups))
	highest, lowest := stat.Interval{Low: 0, High: 0}, stat.Interval{Low: 1, High: 1}
	most, least := 0.0, 1.0
	for _, p := range groups {
		is := p.Anytime(each)
		highest = stat.Interval{Low: max(highest.Low, is.Low), High: max(highest.High, is.High)}
		lowest = stat.Interval{Low: min(lowest.Low, is.Low), High: min(lowest.High, is.High)}
		most, least = max(most, p.Rate()), min(least, p.Rate())
	}
	return most - least, stat.Interval{Low: max(0, highest.Low-lowest.High), High: highest.High - lowest.Low}
}

// weighGroups returns the intervals by which the gap of the new version is wider than that of the old one: that which shows
// harm, and that which shows that there is none.
func weighGroups(groups []sides, alphaHarm, alphaSafe float64) (value figures, harm, safe stat.Interval) {
	var by [2][]stat.Proportion
	for _, g := range groups {
		by[newer], by[older] = append(by[newer], g[newer]), append(by[older], g[older])
	}
	wider := func(alpha float64) stat.Interval {
		a, x := gap(by[newer], 1-alpha/2)
		b, y := gap(by[older], 1-alpha/2)
		value = figures{a, b}
		return stat.Interval{Low: x.Low - y.High, High: x.High - y.Low}
	}
	harm, safe = wider(alphaHarm), wider(alphaSafe)
	return value, harm, safe
}

// figures are a figure of the new version and of the old.
type figures [2]float64
