package fairness

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Config says how the groups of a Counter are to be compared.
type Config struct {
	FavourablePositive bool
	Limits             Limits
	Terms              Terms
}

// Intersection joins two attribute names, or two values, in the name of an intersection.
const Intersection = " & "

// Result compares the groups that have been counted.
func (c *Counter) Result(cfg Config) *Fairness {
	f := &Fairness{Favourable: "negative", Limits: cfg.Limits}
	if cfg.FavourablePositive {
		f.Favourable = "positive"
	}
	f.Groups = append(f.Groups, newGroup("all", "all", c.Total(), cfg.FavourablePositive))
	families := c.families(f, cfg)
	all := measures(cfg.FavourablePositive)
	for _, m := range all {
		var comparisons []Comparison
		for _, fam := range families {
			comparisons = append(comparisons, m.compare(fam.attribute, fam.values, fam.tallies, fam.reference, cfg.Limits, cfg.Terms)...)
		}
		m.settle(comparisons, cfg.Limits)
		f.Comparisons = append(f.Comparisons, comparisons...)
	}
	for _, fam := range families {
		f.Summaries = append(f.Summaries, fam.summarise(f.Comparisons, cfg))
	}
	return f
}

// family is the groups of one attribute, or of one pair of attributes.
type family struct {
	attribute string
	values    []string
	tallies   []Tally
	reference int
}

// families lists single attributes first, then pairs, and appends their groups to f.
func (c *Counter) families(f *Fairness, cfg Config) []family {
	var families []family
	for i, a := range c.attributes {
		tallies := c.byValue(i)
		fam := family{attribute: a.Name, values: a.Values, tallies: tallies, reference: referenceOf(a, tallies)}
		if len(tallies) > 0 {
			families = append(families, fam)
		}
		for v, t := range tallies {
			if t.rows() > 0 {
				f.Groups = append(f.Groups, newGroup(a.Name, a.Values[v], t, cfg.FavourablePositive))
			}
		}
	}
	singles := slices.Clone(families)
	for i := range singles {
		for j := i + 1; j < len(singles); j++ {
			fam := family{attribute: singles[i].attribute + Intersection + singles[j].attribute, reference: -1}
			for a, row := range c.byPair(i, j) {
				for b, t := range row {
					if t.rows() < cfg.Limits.Shown {
						if t.rows() > 0 {
							f.Omitted++
						}
						continue
					}
					if a == singles[i].reference && b == singles[j].reference {
						fam.reference = len(fam.tallies)
					}
					name := singles[i].values[a] + Intersection + singles[j].values[b]
					fam.values, fam.tallies = append(fam.values, name), append(fam.tallies, t)
					f.Groups = append(f.Groups, newGroup(fam.attribute, name, t, cfg.FavourablePositive))
				}
			}
			if fam.reference < 0 {
				fam.reference = largest(fam.tallies)
			}
			if len(fam.tallies) > 1 {
				families = append(families, fam)
			}
		}
	}
	return families
}

// referenceOf returns the code of the named reference group, or of the largest.
func referenceOf(a Attribute, tallies []Tally) int {
	if i := slices.Index(a.Values, a.Reference); i >= 0 {
		return i
	}
	return largest(tallies)
}

func largest(tallies []Tally) int {
	at := 0
	for i, t := range tallies {
		if t.rows() > tallies[at].rows() {
			at = i
		}
	}
	return at
}

// summarise gives the extremes over the groups of the family that are large enough to judge.
func (fam family) summarise(comparisons []Comparison, cfg Config) Summary {
	s := Summary{Attribute: fam.attribute, Reference: fam.values[fam.reference], Verdict: tallystick.Pass}
	var judged []Tally
	for _, t := range fam.tallies {
		switch {
		case t.rows() >= cfg.Limits.Judged:
			judged = append(judged, t)
		case t.rows() > 0:
			s.GroupsTooSmall++
		}
	}
	s.GroupsJudged = len(judged)
	s.DemographicParityDiff, s.DemographicParityRatio = spread(judged, Tally.selection)
	_, s.FavourableRatio = spread(judged, func(t Tally) stat.Proportion { return t.predicted(cfg.FavourablePositive) })
	tprDiff, tprRatio := spread(judged, tpr)
	fprDiff, fprRatio := spread(judged, fpr)
	s.EqualizedOddsDiff, s.EqualizedOddsRatio = max(tprDiff, fprDiff), min(tprRatio, fprRatio)
	s.EqualOpportunityDiff = tprDiff
	s.PredictiveParityDiff, _ = spread(judged, ppv)
	for _, c := range comparisons {
		if c.Attribute == fam.attribute {
			s.Verdict = s.Verdict.Worse(c.Verdict)
		}
	}
	if len(judged) < 2 {
		s.Verdict = tallystick.Insufficient
	}
	return s
}

// spread returns greatest minus least, and least over greatest, of a rate.
func spread(tallies []Tally, of func(Tally) stat.Proportion) (difference, ratio stat.Number) {
	least, greatest := math.Inf(1), math.Inf(-1)
	for _, t := range tallies {
		if rate := of(t).Rate(); !math.IsNaN(rate) {
			least, greatest = min(least, rate), max(greatest, rate)
		}
	}
	if greatest < least {
		return stat.Number(math.NaN()), stat.Number(math.NaN())
	}
	return stat.Number(greatest - least), stat.Number(least / greatest)
}
