package stat

import (
	"math"
	"strconv"
	"testing"
)

// ProPublica's truth tables ("How We Analyzed the COMPAS Recidivism Algorithm", 2016), all 7,214
// rows, Medium and High as positive.
func TestConfusionCompas(t *testing.T) {
	t.Parallel()
	tests := []struct {
		race               string
		want               Confusion
		fpr, fnr, ppv, npv float64
	}{
		{"", Confusion{2035, 1282, 2681, 1216}, .3235, .3740, .6135, .6880},
		{"African-American", Confusion{1369, 805, 990, 532}, .4485, .2799, .6297, .6505},
		{"Caucasian", Confusion{505, 349, 1139, 461}, .2345, .4772, .5913, .7119},
		{"Hispanic", Confusion{103, 87, 318, 129}, .2148, .5560, .5421, .7114},
		{"Other", Confusion{43, 36, 208, 90}, .1475, .6767, .5443, .6980},
		{"Asian", Confusion{6, 2, 21, 3}, .0870, .3333, .7500, .8750},
		{"Native American", Confusion{9, 3, 5, 1}, .3750, .1000, .7500, .8333},
	}
	for _, test := range tests {
		got := readCompas(t, test.race).confusion
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.race, got, test.want)
		}
		near(t, test.race+" fpr", got.FPR().Rate(), test.fpr, 5e-5)
		near(t, test.race+" fnr", got.FNR().Rate(), test.fnr, 5e-5)
		near(t, test.race+" ppv", got.PPV().Rate(), test.ppv, 5e-5)
		near(t, test.race+" npv", got.NPV().Rate(), test.npv, 5e-5)
	}
	// The same to eight digits, for the two that the article compares.
	for _, test := range []struct {
		c                  Confusion
		fpr, fnr, ppv, npv float64
	}{
		{tests[1].want, .44846797, .27985271, .62971481, .65045992},
		{tests[2].want, .23454301, .47722567, .59133489, .71187500},
	} {
		near(t, "fpr", test.c.FPR().Rate(), test.fpr, 5e-9)
		near(t, "fnr", test.c.FNR().Rate(), test.fnr, 5e-9)
		near(t, "ppv", test.c.PPV().Rate(), test.ppv, 5e-9)
		near(t, "npv", test.c.NPV().Rate(), test.npv, 5e-9)
	}
}

// The rows that ProPublica's regressions and most later papers keep, and one intersection.
func TestConfusionCompasParts(t *testing.T) {
	t.Parallel()
	type cells = func(column string) string
	filtered := func(race string) func(cell cells) bool {
		return func(cell cells) bool {
			days, err := strconv.Atoi(cell("days_b_screening_arrest"))
			return err == nil && days >= -30 && days <= 30 && cell("is_recid") != "-1" &&
				cell("c_charge_degree") != "O" && cell("score_text") != "N/A" && (race == "" || cell("race") == race)
		}
	}
	by := func(race, sex string) func(cell cells) bool {
		return func(cell cells) bool { return cell("race") == race && cell("sex") == sex }
	}
	for _, test := range []struct {
		name  string
		where func(cell cells) bool
		want  Confusion
	}{
		{"filtered", filtered(""), Confusion{TN: 2345, FP: 1018, FN: 1076, TP: 1733}},
		{"filtered AA", filtered("African-American"), Confusion{TN: 873, FP: 641, FN: 473, TP: 1188}},
		{"filtered C", filtered("Caucasian"), Confusion{TN: 999, FP: 282, FN: 408, TP: 414}},
		{"AA men", by("African-American", "Male"), Confusion{TN: 749, FP: 641, FN: 458, TP: 1196}},
		{"AA women", by("African-American", "Female"), Confusion{TN: 241, FP: 164, FN: 74, TP: 173}},
	} {
		if got := readCompasWhere(t, test.where).confusion; got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	// High alone as positive: decile 8 or more.
	for race, want := range map[string]Confusion{
		"African-American": {TN: 1511, FP: 284, FN: 1160, TP: 741},
		"Caucasian":        {TN: 1407, FP: 81, FN: 771, TP: 195},
	} {
		c := readCompas(t, race)
		if got := scored(t, c.decile, c.recid).At(8); got != want {
			t.Errorf("%s, High alone: %+v, want %+v", race, got, want)
		}
	}
}

func TestFairnessCompas(t *testing.T) {
	t.Parallel()
	a, c := Confusion{1369, 805, 990, 532}, Confusion{505, 349, 1139, 461}
	near(t, "selection rate AA", a.SelectionRate().Rate(), .58820346, 5e-9)
	near(t, "selection rate C", c.SelectionRate().Rate(), .34800326, 5e-9)
	near(t, "demographic parity", Difference(a.SelectionRate(), c.SelectionRate()).Value, .24020020, 5e-9)
	near(t, "its ratio", Ratio(c.SelectionRate(), a.SelectionRate()).Value, .59163756, 5e-9)
	near(t, "equal opportunity", Difference(a.TPR(), c.TPR()).Value, .19737296, 5e-9)
	near(t, "equalized odds", Difference(a.FPR(), c.FPR()).Value, .21392496, 5e-9)
	near(t, "predictive parity", Difference(a.PPV(), c.PPV()).Value, .03837992, 5e-9)
	for _, test := range []struct {
		what      string
		got, want Interval
	}{
		{"fpr AA", a.FPR().Wilson(.95), Interval{.425595, .471561}},
		{"fpr C", c.FPR().Wilson(.95), Interval{.213715, .256738}},
		{"fpr difference", Newcombe(a.FPR(), c.FPR(), .95), Interval{.182053, .245023}},
	} {
		near(t, test.what+" low", test.got.Low, test.want.Low, 5e-7)
		near(t, test.what+" high", test.got.High, test.want.High, 5e-7)
	}
}

// The 18 rows of "Performing a Fairness Assessment" in Fairlearn's user guide, and its rates.
func TestConfusionFairlearn(t *testing.T) {
	t.Parallel()
	const (
		actual    = "011110101000111111"
		predicted = "001011100111100110"
		group     = "bbabbcccaacabccbcc"
	)
	groups := make(map[string]*Confusion)
	for _, g := range []string{"all", "a", "b", "c"} {
		groups[g] = new(Confusion)
	}
	for i := range actual {
		for _, g := range []string{"all", group[i : i+1]} {
			groups[g].Count(predicted[i] == '1', actual[i] == '1')
		}
	}
	for _, test := range []struct {
		group              string
		n                  int64
		tpr, fpr, selected float64
	}{
		{"all", 18, 0.5, 0.666667, 0.555556},
		{"a", 4, 0.5, 1, 0.75},
		{"b", 6, 0.6, 0, 0.5},
		{"c", 8, 0.4, 0.666667, 0.5},
	} {
		c := groups[test.group]
		if c.N() != test.n {
			t.Errorf("group %s has %d rows, want %d", test.group, c.N(), test.n)
		}
		near(t, test.group+" tpr", c.TPR().Rate(), test.tpr, 5e-7)
		near(t, test.group+" fpr", c.FPR().Rate(), test.fpr, 5e-7)
		near(t, test.group+" selection rate", c.SelectionRate().Rate(), test.selected, 5e-7)
	}
}

// Values of scikit-learn 1.9.1.
func TestConfusionScores(t *testing.T) {
	t.Parallel()
	c := Confusion{TP: 15, FP: 6, TN: 24, FN: 5}
	near(t, "mcc", c.MCC().Value, 0.5459208336840117, 1e-12)
	near(t, "balanced accuracy", c.BalancedAccuracy().Value, 0.775, 1e-12)
	near(t, "f1", c.F1().Value, 0.7317073170731707, 1e-12)
	for _, e := range []Estimate{c.MCC(), c.BalancedAccuracy(), c.F1()} {
		if !(e.Interval.Low < e.Value && e.Value < e.Interval.High && e.Interval.High < 1) {
			t.Errorf("interval %+v", e)
		}
	}
	if e := (Confusion{TP: 5, TN: 5}).MCC(); e.Value != 1 || !e.Interval.isNaN() {
		t.Errorf("perfect mcc: %+v", e)
	}
	if e := (Confusion{TP: 5, FN: 5}).MCC(); e.Valid() {
		t.Errorf("mcc of constant predictions: %+v", e)
	}
	for _, e := range []Estimate{(Confusion{}).F1(), (Confusion{}).MCC(), (Confusion{}).BalancedAccuracy(), (Confusion{}).TPR().Estimate()} {
		if e.Valid() {
			t.Errorf("empty confusion gives %+v", e)
		}
	}
}

// The delta-method intervals against a resampling of the rows.
func TestDeltaIntervals(t *testing.T) {
	t.Parallel()
	m := Matrix{{50, 3, 7}, {4, 30, 6}, {9, 1, 40}}
	var cells [][2]int
	for i, row := range m {
		for j, count := range row {
			for range count {
				cells = append(cells, [2]int{i, j})
			}
		}
	}
	resampled := func(statistic func(m Matrix) float64) Interval {
		return Bootstrap{Draws: 2000}.Interval(len(cells), func(rows []int) float64 {
			drawn := Matrix{make([]int64, 3), make([]int64, 3), make([]int64, 3)}
			for _, row := range rows {
				drawn[cells[row][0]][cells[row][1]]++
			}
			return statistic(drawn)
		})
	}
	for _, test := range []struct {
		name string
		of   func(m Matrix) Estimate
	}{
		{"macro precision", func(m Matrix) Estimate { return m.Macro().Precision }},
		{"macro recall", func(m Matrix) Estimate { return m.Macro().Recall }},
		{"macro f1", func(m Matrix) Estimate { return m.Macro().F1 }},
		{"weighted precision", func(m Matrix) Estimate { return m.Weighted().Precision }},
		{"weighted f1", func(m Matrix) Estimate { return m.Weighted().F1 }},
		{"kappa", Matrix.Kappa},
		{"mcc of class 0", func(m Matrix) Estimate { return m.Class(0).MCC() }},
		{"f1 of class 0", func(m Matrix) Estimate { return m.Class(0).F1() }},
		{"balanced accuracy of class 0", func(m Matrix) Estimate { return m.Class(0).BalancedAccuracy() }},
	} {
		got, want := test.of(m).Interval, resampled(func(m Matrix) float64 { return test.of(m).Value })
		width := want.High - want.Low
		near(t, test.name+" low", got.Low, want.Low, width/10)
		near(t, test.name+" high", got.High, want.High, width/10)
		near(t, test.name+" width", (got.High-got.Low)/width, 1, 0.05)
	}
}

// Values of scikit-learn 1.9.1 (precision_recall_fscore_support, cohen_kappa_score).
func TestMatrix(t *testing.T) {
	t.Parallel()
	m := Matrix{{50, 3, 7}, {4, 30, 6}, {9, 1, 40}}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	macro, weighted := m.Macro(), m.Weighted()
	near(t, "macro precision", macro.Precision.Value, 0.8102402386531132, 1e-12)
	near(t, "macro recall", macro.Recall.Value, 0.7944444444444446, 1e-12)
	near(t, "macro f1", macro.F1.Value, 0.8001726566727752, 1e-12)
	near(t, "weighted precision", weighted.Precision.Value, 0.8043267621514013, 1e-12)
	near(t, "weighted recall", weighted.Recall.Value, 0.8, 1e-12)
	near(t, "weighted f1", weighted.F1.Value, 0.8003191446241411, 1e-12)
	near(t, "kappa", m.Kappa().Value, 0.6940856560163154, 1e-12)
	if c := m.Class(1); c != (Confusion{30, 4, 106, 10}) {
		t.Errorf("class 1: %+v", c)
	}
	unpredicted := Matrix{{5, 2, 0}, {1, 4, 0}, {2, 1, 0}}.Macro()
	near(t, "precision, class never predicted", unpredicted.Precision.Value, 0.3988095238095238, 1e-12)
	near(t, "recall, class never predicted", unpredicted.Recall.Value, 0.5047619047619047, 1e-12)
	near(t, "f1, class never predicted", unpredicted.F1.Value, 0.4444444444444444, 1e-12)

	if err := (Matrix{{1, 2}, {3}}).Validate(); err == nil {
		t.Error("a ragged matrix is valid")
	}
	if e := (Matrix{{0, 0}, {0, 0}}).Kappa(); !math.IsNaN(e.Value) {
		t.Errorf("kappa of nothing: %+v", e)
	}
}
