package stat

import (
	"math"
	"slices"
	"testing"
)

// SciPy 1.17.1, kstwo.sf.
func TestKSTail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n         int64
		d, want   float64
		tolerance float64 // relative
	}{
		{5, .3, 0.664, 1e-12},
		{5, .6, 0.03008, 1e-12},
		{10, .274, 0.3715203845434957, 1e-12}, // also the example of Marsaglia, Tsang and Wang: 0.628479615456504
		{50, .08, 0.880839701941023, 1e-12},
		{50, .2, 0.03143877776953241, 1e-11},
		{140, .05, 0.8576480297656114, 1e-11},
		{140, .169, 0.0005778682806183945, 1e-9},
		{140, .3, 1.1370251710737309e-11, 1e-9},
		{141, .02, 0.9999999744561288, 1e-6},
		{200, .06, 0.45015844138021865, 1e-6},
		{1000, .03, 0.3226902143914636, 1e-9},
		{1000, .045, 0.03378304014546085, 1e-9},
		{1475, .19288, 1.53770480229019e-48, 1e-9},
		{4096, .05, 2.4418931681830775e-09, 1e-9},
		{5000, .03, 0.00024159234422666817, 1e-4},
		{5000, .05, 2.6523052328711187e-11, 1e-4},
		{5000, .1, 5.590495886396459e-44, 2e-3},
		{5000, .2, 9.004289573855005e-176, .1},
		{20000, .02, 2.2181270070049744e-07, 1e-5},
		{100000, .008, 5.491331159979234e-06, 1e-6},
		{900000, .002, 0.0014911751530685168, 1e-6},
		{900000, .0017, 0.010998589847631971, 1e-6},
		{900000, .001, 0.32888845998477456, 1e-9},
		{10, 0, 1, 0}, {10, 1, 0, 0}, {10, .04, 1, 0},
	} {
		nearRelative(t, "tail", KSTail(test.d, test.n), test.want, test.tolerance)
	}
}

func TestKolmogorovSmirnov(t *testing.T) {
	t.Parallel()
	half, whole := make([]float64, 30), make([]float64, 40)
	for i := range half {
		half[i] = float64(i) + .5
	}
	for i := range whole {
		whole[i] = float64(i) / 2
	}
	for _, test := range []struct { // SciPy 1.17.1, ks_2samp(method='exact')
		a, b []float64
		d, p float64
	}{
		{[]float64{1, 2, 3, 4, 5.5}, []float64{3.5, 6, 7, 8}, .75, 0.14285714285714285},
		{[]float64{1, 2, 2, 3}, []float64{2, 5, 6, 7, 8}, .8, 0.07936507936507936},
		{half, whole, 0.3416666666666667, 0.029137611434829822},
		{[]float64{1, 2}, []float64{1, 2}, 0, 1},
		{nil, []float64{1}, math.NaN(), math.NaN()},
	} {
		got := KolmogorovSmirnov(test.a, test.b)
		near(t, "d", got.Statistic, test.d, 1e-15)
		nearRelative(t, "p", got.P, test.p, 1e-12)
	}
}

// SciPy 1.10.1 on African-American against Caucasian defendants.
func TestTwoSampleCompas(t *testing.T) {
	t.Parallel()
	a, c := readCompas(t, "African-American"), readCompas(t, "Caucasian")
	for _, test := range []struct {
		name                        string
		a, c                        []float64
		d, ksP, u, mwP, w1, overStd float64
	}{
		{"age", a.age, c.age, .1928847945, 1.5291916941678688e-48, 3485384.5, 1.5779348379525461e-53, 4.9857680014, .3907717578},
		{"decile", a.decile, c.decile, .2402002032, 2.213718330443093e-75, 6042398.5, 1.0212698157764043e-109, 1.6336507319, .6289570421},
	} {
		ks, mw, w1 := KolmogorovSmirnov(test.a, test.c), MannWhitney(test.a, test.c), Wasserstein(test.a, test.c)
		near(t, test.name+" d", ks.Statistic, test.d, 5e-11)
		nearRelative(t, test.name+" ks p", ks.P, test.ksP, 1e-6)
		near(t, test.name+" u", mw.Statistic, test.u, 0)
		nearRelative(t, test.name+" mann-whitney p", mw.P, test.mwP, 1e-6)
		near(t, test.name+" w1", w1, test.w1, 5e-11)
		near(t, test.name+" w1/sd", w1/MomentsOf(test.c).SD(), test.overStd, 5e-11)
	}
}

func TestMannWhitney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b   []float64
		u, p   float64
		method string
	}{
		{[]float64{19, 22, 16, 29, 24}, []float64{20, 11, 17, 12}, 17, .1111111111111111, "exact"}, // SciPy's documentation
		{[]float64{1.1, 2.2, 3.3, 8}, []float64{4, 5, 6, 7, 9.5}, 4, 0.19047619047619047, "exact"},
		{[]float64{1, 2, 2, 3}, []float64{2, 3, 4, 5}, 2.5, 0.1366582477381475, "asymptotic"},
		{[]float64{2, 2}, []float64{2, 2}, 2, 1, "asymptotic"},
	} {
		got := MannWhitney(test.a, test.b)
		near(t, "u", got.Statistic, test.u, 0)
		nearRelative(t, "p", got.P, test.p, 1e-12)
		if got.Method != test.method {
			t.Errorf("method %q, want %q", got.Method, test.method)
		}
	}
	// The same by the normal: research value .1113468865 of 6c.
	u, sd := 17.0, math.Sqrt(5*4*10.0/12)
	near(t, "asymptotic", normalTwoSided((u-10-.5)/sd), .1113468865, 5e-11)
}

func TestWasserstein(t *testing.T) {
	t.Parallel()
	near(t, "w1", Wasserstein([]float64{0, 1, 3}, []float64{5, 6, 8}), 5, 0) // SciPy's documentation
	near(t, "w1 of itself", Wasserstein([]float64{1, 2}, []float64{2, 1, 1, 2}), 0, 0)
	near(t, "w1 of none", Wasserstein(nil, []float64{2}), math.NaN(), 0)
}

// NaN and infinite values must not move ranks, nor must the order of the values.
func TestTwoSampleInvariance(t *testing.T) {
	t.Parallel()
	a, b := normals(700, 1), normals(900, 2)
	dirty := append([]float64{math.NaN(), math.Inf(1)}, a...)
	dirty = append(dirty, math.Inf(-1), math.NaN())
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	if x, y := KolmogorovSmirnov(a, b), KolmogorovSmirnov(dirty, reversed); x != y {
		t.Errorf("ks %v, %v", x, y)
	}
	if x, y := MannWhitney(a, b), MannWhitney(dirty, reversed); x != y {
		t.Errorf("mann-whitney %v, %v", x, y)
	}
	if x, y := Wasserstein(a, b), Wasserstein(dirty, reversed); x != y {
		t.Errorf("wasserstein %v, %v", x, y)
	}
}
