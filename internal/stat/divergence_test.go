package stat

import (
	"math"
	"slices"
	"testing"
)

func TestDiverge(t *testing.T) {
	t.Parallel()
	// Deciles of Caucasian and African-American defendants in COMPAS.
	d := Diverge([]int64{681, 361, 273, 285, 241, 194, 143, 114, 98, 64}, []int64{398, 393, 346, 385, 365, 384, 400, 359, 380, 286})
	near(t, "psi", d.PSI, .3686936296, 5e-11)
	near(t, "js nat", d.JSNatural, .2111980667, 5e-11)
	near(t, "js base 2", d.JS, .2536747306, 5e-11)
	near(t, "tvd", d.TVD, .2402002032, 5e-11)
	near(t, "l-infinity", d.LInfinity, .1698221298, 5e-11)
	near(t, "hellinger", d.Hellinger, .2129068839, 5e-11)
	if d.Smoothed || d.Cells != 10 {
		t.Errorf("smoothed %v, %d cells", d.Smoothed, d.Cells)
	}
	near(t, "psi of quarters", Diverge([]int64{25, 25, 25, 25}, []int64{10, 20, 30, 40}).PSI, .2282174096, 5e-11)
	near(t, "js of a point", Diverge([]int64{2, 0}, []int64{1, 1}).JSNatural, .4645014040, 5e-11)
}

func TestDivergeEmptyCells(t *testing.T) {
	t.Parallel()
	d := Diverge([]int64{50, 50, 0, 0}, []int64{60, 0, 0, 40})
	if !d.Smoothed || d.Cells != 3 {
		t.Errorf("smoothed %v, %d cells", d.Smoothed, d.Cells)
	}
	want := (60/100.5-50/100.5)*math.Log(60./50) + (.5/100.5-50/100.5)*math.Log(.5/50) + (40/100.5-.5/100.5)*math.Log(40/.5)
	near(t, "psi", d.PSI, want, 1e-12)
	near(t, "disjoint js", Diverge([]int64{5, 0}, []int64{0, 7}).JS, 1, 1e-15)
	near(t, "disjoint hellinger", Diverge([]int64{5, 0}, []int64{0, 7}).Hellinger, 1, 1e-15)
	for _, bad := range [][2][]int64{{{0, 0}, {1, 2}}, {{1}, {1, 2}}, {{1, -1}, {1, 2}}, {nil, nil}} {
		if d := Diverge(bad[0], bad[1]); !math.IsNaN(d.PSI) || !math.IsNaN(d.TVD) {
			t.Errorf("%v gives %+v", bad, d)
		}
	}
}

func TestPSICritical(t *testing.T) {
	t.Parallel()
	// chi2_9(.95) = 16.9189776 times 1/10000 + 1/1000.
	near(t, "critical", PSICritical(10, 10000, 1000, .05), .01861, 5e-6)
	near(t, "one cell", PSICritical(1, 10, 10, .05), math.NaN(), 0)
}

func TestHomogeneity(t *testing.T) {
	t.Parallel()
	// The example of SciPy's chi2_contingency.
	got := Homogeneity([][]int64{{10, 10, 20}, {20, 20, 20}})
	near(t, "statistic", got.Statistic, 2.7777777778, 5e-11)
	near(t, "p", got.P, .2493522088, 5e-11)
	if got.DOF != 2 {
		t.Errorf("dof %d", got.DOF)
	}
	empty := Homogeneity([][]int64{{10, 0, 10, 20}, {0, 0, 0, 0}, {20, 0, 20, 20}})
	if empty != got {
		t.Errorf("empty row and column count: %+v, want %+v", empty, got)
	}
	if one := Homogeneity([][]int64{{3, 4}}); !math.IsNaN(one.P) {
		t.Errorf("one row: %+v", one)
	}

	columns := readColumns(t, "compas/compas-two-years.csv")
	races, texts := make(map[string]int), make(map[string]int)
	table := make([][]int64, 6)
	for i := range table {
		table[i] = make([]int64, 3)
	}
	index := func(m map[string]int, key string) int {
		if _, ok := m[key]; !ok {
			m[key] = len(m)
		}
		return m[key]
	}
	for i, race := range columns["race"] {
		table[index(races, race)][index(texts, columns["score_text"][i])]++
	}
	all := Homogeneity(table)
	// SciPy 1.17.1 on the counts.
	nearRelative(t, "race and score", all.Statistic, 597.003282915539, 1e-12)
	nearRelative(t, "p of race and score", all.P, 7.723231274290466e-122, 1e-9)
	if all.DOF != 10 {
		t.Errorf("dof %d", all.DOF)
	}
	two := Homogeneity([][]int64{table[races["African-American"]], table[races["Caucasian"]]})
	nearRelative(t, "two races and score", two.Statistic, 386.90281537244175, 1e-12)
	nearRelative(t, "p of two races and score", two.P, 9.663203497731984e-85, 1e-9)
	near(t, "cramer's v", two.CramersV, 0.2508207066608097, 1e-12)
}

func TestGoodnessOfFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		expected     []float64
		statistic, p float64
	}{
		{[]float64{1, 1, 1, 1, 1, 1}, 2.0, .8491450361}, // SciPy's chisquare
		{[]float64{16, 16, 16, 16, 16, 8}, 3.5, .6233876277},
	} {
		got := GoodnessOfFit([]int64{16, 18, 16, 14, 12, 12}, test.expected)
		near(t, "statistic", got.Statistic, test.statistic, 1e-12)
		near(t, "p", got.P, test.p, 5e-11)
	}
	// Evidently's own test case, for all of its tests.
	near(t, "evidently", GoodnessOfFit([]int64{16, 16, 16, 16, 16, 8}, []float64{16, 18, 16, 14, 12, 12}).P, .6730876, 5e-8)
	near(t, "evidently hellinger", Diverge([]int64{16, 16, 16, 16, 16, 8}, []int64{16, 18, 16, 14, 12, 12}).Hellinger, .06812, 1e-5)
	repeat := func(counts ...int) (values []float64) {
		for i, count := range counts {
			values = append(values, slices.Repeat([]float64{float64(i + 1)}, count)...)
		}
		return values
	}
	// Evidently's value is that of the one-sided test.
	near(t, "evidently mann-whitney", MannWhitney(repeat(16, 16, 16, 16, 16, 8), repeat(16, 18, 16, 14, 12, 12)).P/2, .481, 5e-4)
	if got := GoodnessOfFit([]int64{3, 1}, []float64{1, 0}); !math.IsNaN(got.P) {
		t.Errorf("one expected cell: %+v", got)
	}
	if got := GoodnessOfFit([]int64{3, 1, 1}, []float64{1, 1, 0}); got.P != 0 || !math.IsInf(got.Statistic, 1) {
		t.Errorf("a cell that cannot be: %+v", got)
	}
}

func TestFisherExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct { // SciPy 1.17.1
		a, b, c, d   int64
		oddsRatio, p float64
	}{
		{8, 2, 1, 5, 20, 0.034965034965034975},
		{3, 17, 25, 9, 0.06352941176470588, 4.758405039120664e-05},
		{0, 5, 5, 0, 0, 2.0 / 252},
	} {
		oddsRatio, p := FisherExact(test.a, test.b, test.c, test.d)
		near(t, "odds ratio", oddsRatio, test.oddsRatio, 1e-12)
		nearRelative(t, "p", p, test.p, 1e-10)
	}
	if _, p := FisherExact(0, 0, 0, 0); !math.IsNaN(p) {
		t.Errorf("empty table: p %v", p)
	}
}

func TestMultiple(t *testing.T) {
	t.Parallel()
	p := []float64{.2, .01, math.NaN(), .04, .03, .5}
	for _, test := range []struct {
		name string
		got  []float64
		want []float64
	}{
		{"benjamini-hochberg", BenjaminiHochberg(p), []float64{.25, .05, math.NaN(), .2 / 3, .2 / 3, .5}}, // SciPy 1.17.1
		{"holm", Holm(p), []float64{.4, .05, math.NaN(), .12, .12, .5}},
		{"bonferroni", Bonferroni(p), []float64{1, .05, math.NaN(), .2, .15, 1}},
	} {
		for i := range p {
			near(t, test.name, test.got[i], test.want[i], 1e-15)
		}
	}
}
