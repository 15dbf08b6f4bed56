package drift

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// Judge ends the verdicts of one window's features: each needs significance over all of them and
// an effect that matters. rows and reference are the sizes of the window and of the reference.
func Judge(features []Feature, reference, rows int64, th Thresholds) *Drift {
	g := Group{features, reference, rows}
	JudgeAll([]Group{g}, th)
	d := &Drift{Reference: reference, Rows: rows, Thresholds: th, Features: features, Verdict: tallystick.Pass}
	for i := range features {
		switch features[i].Verdict {
		case tallystick.Warn, tallystick.Fail:
			d.Drifted++
		}
		d.Verdict = d.Verdict.Worse(features[i].Verdict)
	}
	if rows < th.MinRows || reference < th.MinReference {
		d.Verdict = tallystick.Insufficient
	}
	return d
}

// Group is the features of one part of a window, with the rows of it and of what it was compared with.
type Group struct {
	Features        []Feature
	Reference, Rows int64
}

// JudgeAll ends the verdicts of features of several parts of a window, in place: each needs significance over all features of
// all parts.
func JudgeAll(groups []Group, th Thresholds) {
	var tested []*Feature
	var ps []float64
	for _, g := range groups {
		for i := range g.Features {
			if f := &g.Features[i]; f.P.Valid() {
				tested, ps = append(tested, f), append(ps, float64(f.P))
			}
		}
	}
	for k, p := range stat.BenjaminiHochberg(ps) {
		tested[k].PAdjusted = stat.Number(p)
	}
	critical := map[[3]int64]stat.Number{} // most features have as many bins and rows
	for _, g := range groups {
		for i := range g.Features {
			f := &g.Features[i]
			sizes := [3]int64{int64(len(f.Bins)), f.NReference, f.N}
			if _, known := critical[sizes]; !known {
				critical[sizes] = stat.Number(stat.PSICritical(len(f.Bins), f.NReference, f.N, th.Q/float64(max(1, len(tested)))))
			}
			f.PSICritical = critical[sizes]
			f.Verdict = f.judge(g.Reference, g.Rows, th)
			f.Words = f.words(th)
		}
	}
}

func (f *Feature) judge(reference, rows int64, th Thresholds) tallystick.Verdict {
	if rows < th.MinRows || reference < th.MinReference || !f.P.Valid() {
		return tallystick.Insufficient
	}
	if float64(f.PAdjusted) > th.Q {
		return tallystick.Pass
	}
	psi := float64(f.PSI)
	if f.Kind == "category" && len(f.Bins) > manyCategories {
		// PSI over many categories measures the noise of small cells.
		if float64(f.LInfinity) >= th.WarnLInfinity {
			return tallystick.Warn
		}
		return tallystick.Pass
	}
	switch {
	case psi >= th.FailPSI && float64(f.TVD) >= th.MinMoved:
		return tallystick.Fail
	case psi >= th.WarnPSI, f.WassersteinSD.Valid() && float64(f.WassersteinSD) >= th.WarnWasserstein:
		return tallystick.Warn
	}
	return tallystick.Pass
}

// words says what changed, for people.
func (f *Feature) words(th Thresholds) string {
	if f.Verdict == tallystick.Insufficient {
		return fmt.Sprintf("%s: too few rows or values to judge (%d against %d).", f.Name, f.N, f.NReference)
	}
	change := ""
	if f.Top != nil {
		change = f.Top.Words(f.Name, f.Kind)
	}
	effect := fmt.Sprintf("PSI %.3g", f.PSI)
	if f.WassersteinSD.Valid() {
		effect += fmt.Sprintf(", Wasserstein %.3g standard deviations", f.WassersteinSD)
	}
	significance := fmt.Sprintf("adjusted p %.2g", f.PAdjusted)
	if f.PAdjusted < 1e-300 {
		significance = "adjusted p below 1e-300"
	}
	switch f.Verdict {
	case tallystick.Pass:
		if float64(f.PAdjusted) > th.Q {
			return fmt.Sprintf("%s shows no significant change (%s, %s).", f.Name, effect, significance)
		}
		return fmt.Sprintf("%s has changed too little to matter (%s, %s).", f.Name, effect, significance)
	}
	return fmt.Sprintf("%s (%s, %s).", change, effect, significance)
}

// Words says how one share changed: "RELP = 17 rises from 5.0 % to 69.8 % of rows".
func (b Bin) Words(name, kind string) string {
	verb := "rises"
	if b.Current < b.Reference {
		verb = "falls"
	}
	is := " = "
	switch {
	case b.Label == "(missing)" || b.Label == "(other)":
		is = " "
	case kind == "number":
		is = " "
	}
	return fmt.Sprintf("%s%s%s %s from %s to %s of rows", name, is, b.Label, verb, figure.Percent(b.Reference), figure.Percent(b.Current))
}
