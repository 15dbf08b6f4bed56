package comparison

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// row judges one metric.
func (w *weigher) row(i int, f *found, alphaHarm float64) MetricRow {
	m := &w.doc.Metrics[i]
	switch m.Measure {
	case Score:
		return w.scoreRow(m, f.edges, alphaHarm)
	case Disagreement:
		return w.disagreementRow(m, f.agreed[i], alphaHarm)
	case Fairness:
		return w.fairnessRow(i, f.groups[i], alphaHarm)
	}
	r, e := w.newRow(m, alphaHarm), w.weigh(&f.duels[i], m, 1, alphaHarm)
	w.rates(&r, m, &e)
	return r
}

func (w *weigher) newRow(m *Metric, alphaHarm float64) MetricRow {
	method := "gap wager by window"
	if w.doc.PairBy != "" {
		method = "wager on pairs"
	}
	none := stat.Number(math.NaN())
	return MetricRow{
		Metric: m.Name, Measure: m.Measure, Role: m.Role, Method: string(m.Measure) + "/1: " + method, New: none, Old: none, Difference: none, Low: none, High: none,
		Margin: m.Margin, Better: m.Better, WorseFrom: alphaHarm,
	}
}

// rates ends the verdict of two rates.
func (w *weigher) rates(r *MetricRow, m *Metric, e *evidence) {
	a, b := e.sides[newer], e.sides[older]
	r.NewRows, r.OldRows = a.N, b.N
	r.Worse, r.Within = new(pOf(e.harm)), new(pOf(e.safe))
	w.settle(r, e.needed)
	if a.N == 0 || b.N == 0 {
		r.Words = fmt.Sprintf("%s: of %d predictions of the new version and %d of the old one it is known.", m.title(), a.N, b.N)
		return
	}
	r.New, r.Old, r.Difference = stat.Number(a.Rate()), stat.Number(b.Rate()), stat.Number(a.Rate()-b.Rate())
	r.Low, r.High = stat.Number(e.interval.Low), stat.Number(e.interval.High)
	difference := figure.Points(r.Difference, e.interval)
	subject := m.title()
	if r.Slice != nil {
		subject += " where " + r.Slice.String()
	}
	r.Words = fmt.Sprintf("%s: %s of %d of the new version, %s of %d of the old one, %s points (%s at every look). %s",
		subject, figure.Percent(a.Rate()), a.N, figure.Percent(b.Rate()), b.N, difference.Value, difference.Spelt(), w.outcome(r))
}

// settle ends the verdict of a row from its p-values. Harm needs no least number of rows: a wager is exact at any.
func (w *weigher) settle(r *MetricRow, needed float64) {
	switch {
	case r.Worse != nil && *r.Worse <= r.WorseFrom:
		r.Verdict = tallystick.Fail
	case min(r.NewRows, r.OldRows) < w.doc.MinRows:
		r.Verdict = tallystick.Insufficient
	case r.Within != nil && *r.Within <= w.doc.Alpha:
		r.Verdict = tallystick.Pass
	default:
		r.Verdict = tallystick.Inconclusive
	}
	if r.Verdict != tallystick.Fail && r.Verdict != tallystick.Pass && needed < 1e12 {
		r.Needed = new(int64(math.Ceil(needed)))
	}
}

// outcome is the verdict of a row in a sentence.
func (w *weigher) outcome(r *MetricRow) string {
	margin := figure.Percent(math.Abs(r.Margin))
	allowed := "worse by " + margin + " or more"
	switch {
	case r.Better == Either || r.Measure == Score || r.Measure == Disagreement:
		allowed = "different by " + margin + " or more"
	case r.Margin < 0:
		allowed = "better by less than " + margin
	case r.Margin == 0:
		allowed = "worse"
	}
	allowed = strings.ReplaceAll(allowed, " %", " points")
	switch r.Verdict {
	case tallystick.Fail:
		return "It is surely " + allowed + "."
	case tallystick.Pass:
		return "It is surely not " + allowed + "."
	case tallystick.Insufficient:
		return fmt.Sprintf("Fewer than %d of a version are too few.", w.doc.MinRows)
	}
	if r.Needed != nil {
		of := "predictions"
		if w.doc.PairBy != "" {
			of = "pairs"
		}
		return fmt.Sprintf("Whether it is %s is open; if it goes on so, some %s %s in all settle it.", allowed, figure.Number(float64(*r.Needed)), of)
	}
	return "Whether it is " + allowed + " is open, and so near that no number of predictions can be foreseen to settle it."
}

func (w *weigher) scoreRow(m *Metric, edges []duel, alphaHarm float64) MetricRow {
	r := w.newRow(m, alphaHarm)
	if len(edges) == 0 {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("Scores: fewer than %d of the old version tell where its deciles are, or all are alike.", teaching)
		return r
	}
	r.Method += ", at the old version's deciles"
	e, value := w.weighScores(edges, m, alphaHarm)
	r.NewRows, r.OldRows = e.sides[newer].N, e.sides[older].N
	r.Worse, r.Within = new(pOf(e.harm)), new(pOf(e.safe))
	w.settle(&r, e.needed)
	if min(r.NewRows, r.OldRows) > 0 {
		r.Difference, r.Low, r.High = stat.Number(value), stat.Number(e.interval.Low), stat.Number(e.interval.High)
	}
	difference := figure.Points(r.Difference, e.interval)
	r.Words = fmt.Sprintf("Scores: the two distributions are at most %s points apart (%s at every look) at the deciles of the old one, of %d and %d scores. %s",
		strings.TrimPrefix(difference.Value, "+"), difference.Spelt(), r.NewRows, r.OldRows, w.outcome(&r))
	return r
}

func (w *weigher) disagreementRow(m *Metric, p stat.Proportion, alphaHarm float64) MetricRow {
	r := w.newRow(m, alphaHarm)
	r.Method, r.NewRows, r.OldRows = "disagreement/1: share of pairs, interval at every look", p.N, p.N
	i := p.Anytime(1 - w.doc.Alpha)
	switch {
	case p.Anytime(1-alphaHarm).Low > m.Margin:
		r.Verdict = tallystick.Fail
	case p.N < w.doc.MinRows:
		r.Verdict = tallystick.Insufficient
	case i.High < m.Margin:
		r.Verdict = tallystick.Pass
	default:
		r.Verdict = tallystick.Inconclusive
	}
	if p.N > 0 {
		r.Difference, r.Low, r.High = stat.Number(p.Rate()), stat.Number(i.Low), stat.Number(i.High)
	}
	is := figure.Share(r.Difference, i)
	r.Words = fmt.Sprintf("The versions answer %s of %d pairs differently (%s at every look). %s", is.Value, p.N, is.Spelt(), w.outcome(&r))
	return r
}

func (w *weigher) fairnessRow(i int, groups []sides, alphaHarm float64) MetricRow {
	m := &w.doc.Metrics[i]
	r := w.newRow(m, alphaHarm)
	r.Method = "fairness/1: gap between groups, intervals of their rates at every look"
	var large []sides
	for _, g := range groups {
		if min(g[newer].N, g[older].N) >= minGroup {
			large = append(large, g)
			r.NewRows, r.OldRows = r.NewRows+g[newer].N, r.OldRows+g[older].N
		}
	}
	if len(large) < 2 {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("Gap of %s by %s: fewer than two groups have %d predictions of each version.", m.Of, m.By, minGroup)
		return r
	}
	value, harm, safe := weighGroups(large, alphaHarm, w.doc.Alpha)
	r.New, r.Old, r.Difference = stat.Number(value[newer]), stat.Number(value[older]), stat.Number(value[newer]-value[older])
	r.Low, r.High = stat.Number(safe.Low), stat.Number(safe.High)
	switch {
	case harm.Low > m.Margin:
		r.Verdict = tallystick.Fail
	case min(r.NewRows, r.OldRows) < w.doc.MinRows:
		r.Verdict = tallystick.Insufficient
	case safe.High < m.Margin:
		r.Verdict = tallystick.Pass
	default:
		r.Verdict = tallystick.Inconclusive
	}
	difference := figure.Points(r.Difference, safe)
	r.Words = fmt.Sprintf("Gap of %s between %d groups of %s: %s of the new version, %s of the old one, %s points (%s at every look). %s",
		m.Of, len(large), m.By, figure.Percent(value[newer]), figure.Percent(value[older]), difference.Value, difference.Spelt(), w.outcome(&r))
	return r
}

// slices judges each slice by each primary metric that is a share, and returns the worst.
func (w *weigher) slices(f *found) (worst []MetricRow, judged int) {
	var by []int
	for i := range w.doc.Metrics {
		if m := &w.doc.Metrics[i]; m.Role == Primary && m.rate() {
			by = append(by, i)
		}
	}
	alpha := w.doc.Alpha / 2 / float64(max(1, len(by)*len(w.learnt.slices)))
	for s := range w.learnt.slices {
		for _, i := range by {
			m := &w.doc.Metrics[i]
			e := w.weigh(&f.slices[s][i], m, coarse, alpha)
			if e.sides[newer].N == 0 || e.sides[older].N == 0 {
				continue
			}
			judged++
			r := w.newRow(m, alpha)
			r.Slice = &w.learnt.slices[s]
			w.rates(&r, m, &e)
			worst = append(worst, r)
		}
	}
	slices.SortStableFunc(worst, func(a, b MetricRow) int {
		return cmp.Or(cmp.Compare(*a.Worse, *b.Worse), -cmp.Compare(against(&a), against(&b)))
	})
	return worst[:min(len(worst), maxTold)], judged
}

// against is by how much the new version is worse in a row.
func against(r *MetricRow) float64 {
	switch r.Better {
	case More:
		return -float64(r.Difference)
	case Either:
		return math.Abs(float64(r.Difference))
	}
	return float64(r.Difference)
}
