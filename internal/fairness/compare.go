package fairness

import (
	"fmt"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// DefaultLimits are those of the field: a gap of ten points, and the four-fifths screen of
// 29 CFR 1607.4(D), which is a first sign in United States employment and no law elsewhere.
func DefaultLimits() Limits {
	return Limits{Gap: 0.1, Ratio: 0.8, Shown: 30, Judged: 100, Alpha: 0.05, Origin: "default"}
}

// measure is one rate in which groups are compared.
type measure struct {
	metric string
	of     func(Tally) stat.Proportion
	// among says whose rate it is and what counts, for Words.
	among, counts func(Terms) string
	screen        bool // judged by the ratio, and at most a warning
}

// Terms are the words of the audited data, for sentences.
type Terms struct {
	PositiveLabel string // "two_year_recid = 1"
	NegativeLabel string // "two_year_recid other than 1"
	Positive      string // "predicted Medium or High"
	Negative      string // "predicted neither Medium nor High"
}

func measures(favourablePositive bool) []measure {
	favourable := func(t Terms) string {
		if favourablePositive {
			return t.Positive
		}
		return t.Negative
	}
	everybody := func(Terms) string { return "Of everybody" }
	positive := func(t Terms) string { return t.Positive }
	return []measure{
		{metric: "demographic_parity", of: Tally.selection, among: everybody, counts: positive},
		{metric: "four_fifths", of: func(t Tally) stat.Proportion { return t.predicted(favourablePositive) },
			among: everybody, counts: func(t Terms) string { return favourable(t) + " (the favourable prediction)" }, screen: true},
		{metric: "equal_opportunity", of: tpr, counts: positive,
			among: func(t Terms) string { return "Of those with " + t.PositiveLabel }},
		{metric: "false_positive_rate", of: fpr, counts: positive,
			among: func(t Terms) string { return "Of those with " + t.NegativeLabel }},
		{metric: "false_negative_rate", of: fnr, counts: func(t Terms) string { return t.Negative },
			among: func(t Terms) string { return "Of those with " + t.PositiveLabel }},
		{metric: "predictive_parity", of: ppv,
			among:  func(t Terms) string { return "Of those " + t.Positive },
			counts: func(t Terms) string { return "found with " + t.PositiveLabel }},
		{metric: "false_omission_rate", of: omission,
			among:  func(t Terms) string { return "Of those " + t.Negative },
			counts: func(t Terms) string { return "found with " + t.PositiveLabel }},
		{metric: "accuracy", of: accuracy, among: everybody,
			counts: func(Terms) string { return "predicted rightly" }},
	}
}

func tpr(t Tally) stat.Proportion      { return t.TPR() }
func fpr(t Tally) stat.Proportion      { return t.FPR() }
func fnr(t Tally) stat.Proportion      { return t.FNR() }
func ppv(t Tally) stat.Proportion      { return t.PPV() }
func omission(t Tally) stat.Proportion { return t.FOR() }
func accuracy(t Tally) stat.Proportion { return t.Accuracy() }

// compare sets every tally against the reference one. The verdicts are preliminary: settle ends
// them once every comparison of the metric is known.
func (m measure) compare(attribute string, values []string, tallies []Tally, reference int, limits Limits, terms Terms) []Comparison {
	var comparisons []Comparison
	base := m.of(tallies[reference])
	for i, t := range tallies {
		if i == reference || t.rows() == 0 {
			continue
		}
		s := m.of(t)
		ratio := stat.Ratio(s, base)
		c := Comparison{
			Attribute: attribute, Value: values[i], Reference: values[reference], Metric: m.metric,
			Rate: stat.Number(s.Rate()), RateOfRef: stat.Number(base.Rate()), N: s.N, NRef: base.N,
			Difference: stat.Number(s.Rate() - base.Rate()), DiffCI: stat.Newcombe(s, base, stat.Confidence),
			Ratio: stat.Number(ratio.Value), RatioCI: ratio.Interval,
			P: stat.Number(math.NaN()), PAdjusted: stat.Number(math.NaN()),
			Threshold: limits.Gap, Method: "newcombe; holm over the metric",
		}
		if m.screen {
			c.Threshold, c.Method = limits.Ratio, "katz log; holm over the metric"
		}
		if min(s.N, base.N) >= limits.Judged {
			c.P = stat.Number(m.pValue(s, base, limits))
		}
		c.Words = m.words(c, s, base, terms)
		comparisons = append(comparisons, c)
	}
	return comparisons
}

// pValue tests one-sidedly that the gap (or the ratio) is within the limit.
func (m measure) pValue(s, base stat.Proportion, limits Limits) float64 {
	if !m.screen {
		return min(stat.NewcombeP(s, base, limits.Gap), stat.NewcombeP(base, s, limits.Gap))
	}
	// The log interval is centre +- z x se; its own centre and se give the p-value that agrees
	// with it, half counts included.
	log := stat.Ratio(s, base).Interval
	low, high := math.Log(log.Low), math.Log(log.High)
	se := (high - low) / (2 * math.Sqrt2 * math.Erfinv(stat.Confidence))
	return math.Erfc((math.Abs(low+high)/2+math.Log(limits.Ratio))/se/math.Sqrt2) / 2
}

// settle adjusts the p-values of one metric's comparisons and ends their verdicts. A comparison
// fails only if its whole interval lies beyond the limit and the finding survives Holm's
// correction; it passes only if its whole interval lies within.
func (m measure) settle(comparisons []Comparison, limits Limits) {
	var judged []int
	var ps []float64
	for i, c := range comparisons {
		if c.P.Valid() {
			judged, ps = append(judged, i), append(ps, float64(c.P))
		}
	}
	for k, p := range stat.Holm(ps) {
		comparisons[judged[k]].PAdjusted = stat.Number(p)
	}
	for i := range comparisons {
		c := &comparisons[i]
		c.Verdict = m.verdict(*c, limits)
		c.Words += m.ending(*c)
	}
}

func (m measure) verdict(c Comparison, limits Limits) tallystick.Verdict {
	if !c.P.Valid() {
		return tallystick.Insufficient
	}
	beyond := c.DiffCI.Low > limits.Gap || c.DiffCI.High < -limits.Gap
	within := c.DiffCI.Low >= -limits.Gap && c.DiffCI.High <= limits.Gap
	if m.screen {
		beyond = c.RatioCI.High < limits.Ratio || c.RatioCI.Low > 1/limits.Ratio
		within = c.RatioCI.Low >= limits.Ratio && c.RatioCI.High <= 1/limits.Ratio
	}
	switch {
	case within:
		return tallystick.Pass
	case beyond && float64(c.PAdjusted) <= limits.Alpha && m.screen:
		return tallystick.Warn
	case beyond && float64(c.PAdjusted) <= limits.Alpha:
		return tallystick.Fail
	}
	return tallystick.Inconclusive
}

func (m measure) words(c Comparison, s, base stat.Proportion, terms Terms) string {
	if s.N == 0 || base.N == 0 {
		return fmt.Sprintf("%s there is nobody in %s or in %s.", m.among(terms), c.Value, c.Reference)
	}
	return fmt.Sprintf("%s, %s of %s (%s of %s) and %s of %s (%s of %s) were %s: %s.",
		m.among(terms),
		figure.Percent(float64(c.Rate)), c.Value, chart.Count(s.K), chart.Count(s.N),
		figure.Percent(float64(c.RateOfRef)), c.Reference, chart.Count(base.K), chart.Count(base.N),
		m.counts(terms), m.gap(c))
}

// gap says the difference, or for a screen the ratio, with its interval.
func (m measure) gap(c Comparison) string {
	if m.screen {
		return fmt.Sprintf("a ratio of %.2f (95 %% interval %.2f to %.2f)", c.Ratio, c.RatioCI.Low, c.RatioCI.High)
	}
	low, high, direction := c.DiffCI.Low, c.DiffCI.High, "more"
	if c.Difference < 0 {
		low, high, direction = -high, -low, "less"
	}
	return fmt.Sprintf("%.1f points %s (95 %% interval %.1f to %.1f)", 100*math.Abs(float64(c.Difference)), direction, 100*low, 100*high)
}

func (m measure) ending(c Comparison) string {
	limit := fmt.Sprintf("the accepted %.3g points", 100*c.Threshold)
	if m.screen {
		limit = fmt.Sprintf("the four-fifths screen (%.3g to %.3g)", c.Threshold, 1/c.Threshold)
	}
	switch c.Verdict {
	case tallystick.Fail, tallystick.Warn:
		return " The whole interval is beyond " + limit + "."
	case tallystick.Inconclusive:
		return " The interval does not settle on which side of " + limit + " this lies."
	case tallystick.Insufficient:
		return " Too few to judge."
	}
	return " The whole interval is within " + limit + "."
}
