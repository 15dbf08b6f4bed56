package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// attributeView is one protected attribute, or one intersection of two.
type attributeView struct {
	Name    string
	Crossed bool
	Summary *fairness.Summary
	Groups  []fairness.Group
	Chart   template.HTML
	Cut     int // groups that the chart leaves out
}

// comparisonGroup is the comparisons of one verdict, in words.
type comparisonGroup struct {
	Verdict tallystick.Verdict
	Shown   []fairness.Comparison
	More    []fairness.Comparison
}

const (
	shownGroups      = 24
	shownComparisons = 6
)

func (p *page) fairness() {
	f := p.Document.Fairness
	if f == nil {
		return
	}
	verdicts := map[[3]string]tallystick.Verdict{}
	for _, c := range f.Comparisons {
		verdicts[[3]string{c.Attribute, c.Value, c.Metric}] = c.Verdict
	}
	index := map[string]int{}
	for _, g := range f.Groups {
		i, ok := index[g.Attribute]
		if !ok {
			i = len(p.Attributes)
			index[g.Attribute] = i
			p.Attributes = append(p.Attributes, attributeView{Name: g.Attribute, Crossed: strings.Contains(g.Attribute, fairness.Intersection)})
		}
		p.Attributes[i].Groups = append(p.Attributes[i].Groups, g)
	}
	for i, s := range f.Summaries {
		if at, ok := index[s.Attribute]; ok {
			p.Attributes[at].Summary = &f.Summaries[i]
		}
	}
	for i := range p.Attributes {
		a := &p.Attributes[i]
		if len(a.Groups) > 1 {
			a.draw(f.Limits.Gap, verdicts)
		}
	}
	for _, v := range []tallystick.Verdict{tallystick.Fail, tallystick.Warn, tallystick.Inconclusive, tallystick.Insufficient} {
		if some := withVerdict(f.Comparisons, v); len(some) > 0 {
			shown := shownComparisons
			if v == tallystick.Inconclusive || v == tallystick.Insufficient {
				shown = 0
			}
			shown = min(shown, len(some))
			p.OpenFindings = append(p.OpenFindings, comparisonGroup{v, some[:shown], some[shown:]})
		}
	}
}

// panels are the rates that the chart of an attribute shows.
var panels = []struct {
	title, metric string
	of            func(fairness.Group) (stat.Number, stat.Interval)
}{
	{"False positive rate", "false_positive_rate", func(g fairness.Group) (stat.Number, stat.Interval) { return g.FPR, g.FPRCI }},
	{"False negative rate", "false_negative_rate", func(g fairness.Group) (stat.Number, stat.Interval) { return g.FNR, g.FNRCI }},
	{"Selection rate", "demographic_parity", func(g fairness.Group) (stat.Number, stat.Interval) { return g.SelectionRate, g.SelectionRateCI }},
	{"Precision (PPV)", "predictive_parity", func(g fairness.Group) (stat.Number, stat.Interval) { return g.PPV, g.PPVCI }},
}

// draw makes the forest plot of the attribute: the reference first, then the groups with the worst
// verdict, then the largest.
func (a *attributeView) draw(gap float64, verdicts map[[3]string]tallystick.Verdict) {
	reference := ""
	if a.Summary != nil {
		reference = a.Summary.Reference
	}
	rank := func(g fairness.Group) int {
		if g.Value == reference {
			return -10
		}
		worst := verdictOrder(tallystick.Pass)
		for _, p := range panels {
			worst = max(worst, verdictOrder(verdicts[[3]string{a.Name, g.Value, p.metric}]))
		}
		return -worst
	}
	groups := slices.Clone(a.Groups)
	slices.SortStableFunc(groups, func(g, h fairness.Group) int {
		return cmp.Or(cmp.Compare(rank(g), rank(h)), cmp.Compare(h.N, g.N))
	})
	a.Cut = max(0, len(groups)-shownGroups)
	groups = groups[:len(groups)-a.Cut]
	c := chart.Dots{Header: chart.Header{Title: "Rates by " + a.Name, Width: 940}, Reference: -1}
	for i, g := range groups {
		c.Rows = append(c.Rows, chart.DotRow{Label: g.Value, Note: count(g.N)})
		if g.Value == reference {
			c.Reference = i
		}
	}
	for _, p := range panels {
		panel := chart.Panel{Title: p.title, Format: chart.Percent, Gap: gap}
		for _, g := range groups {
			v, ci := p.of(g)
			verdict := verdicts[[3]string{a.Name, g.Value, p.metric}]
			tooltip := fmt.Sprintf("%s, %s: %s", g.Value, strings.ToLower(p.title[:1])+p.title[1:], figure.Share(v, ci))
			if verdict != "" {
				tooltip += ", " + string(verdict)
			}
			panel.Dots = append(panel.Dots, chart.Dot{Value: float64(v), Low: ci.Low, High: ci.High, Mark: mark(verdict), Tooltip: tooltip})
		}
		c.Panels = append(c.Panels, panel)
	}
	a.Chart = c.SVG()
}
