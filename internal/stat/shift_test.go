package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHodgesLehmann(t *testing.T) {
	t.Parallel()
	// Kayenta's MannWhitneySuite.
	got := HodgesLehmann([]float64{10, 20, 30, 40}, []float64{1, 2, 3, 4}, 0.95)
	near(t, "estimate", got.Value, 22.5, 0)
	near(t, "low", got.Interval.Low, 6, 0)
	near(t, "high", got.Interval.High, 39, 0)
	if got.Method != "hodges-lehmann, exact" {
		t.Errorf("method %q", got.Method)
	}
	if e := HodgesLehmann([]float64{math.NaN()}, []float64{1}, 0.95); e.Valid() {
		t.Errorf("of nothing: %+v", e)
	}
	if e := HodgesLehmann([]float64{3}, []float64{1}, 0.95); e.Value != 2 || e.Interval != (Interval{2, 2}) {
		t.Errorf("of one each: %+v", e)
	}
}

// All pairwise differences, sorted, hold the estimate and the bounds at the same places; and the
// test of the samples moved together by a bound is near its level.
func TestHodgesLehmannAgainstAllPairs(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for _, sizes := range [][2]int{{1, 7}, {8, 8}, {20, 33}, {60, 45}, {120, 90}} {
		for _, step := range []float64{0, 0.25} { // of values that are tied
			a, b := make([]float64, sizes[0]), make([]float64, sizes[1])
			for i := range a {
				a[i] = rng.NormFloat64() + 0.5
			}
			for i := range b {
				b[i] = rng.NormFloat64()
			}
			if step > 0 {
				for _, values := range [][]float64{a, b} {
					for i := range values {
						values[i] = math.Round(values[i]/step) * step
					}
				}
			}
			var all []float64
			for _, x := range a {
				for _, y := range b {
					all = append(all, x-y)
				}
			}
			slices.Sort(all)
			got := HodgesLehmann(a, b, 0.95)
			near(t, "median of differences", got.Value, Quantile(all, 0.5), 1e-15)
			low, found := slices.BinarySearch(all, got.Interval.Low)
			if !found {
				t.Errorf("%v: %v is no difference", sizes, got.Interval.Low)
			}
			if !slices.Contains(all, got.Interval.High) {
				t.Errorf("%v: %v is no difference", sizes, got.Interval.High)
			}
			if step > 0 || len(all) < 400 {
				continue
			}
			moved := slices.Clone(a)
			for i := range moved {
				moved[i] -= all[low] + 1e-9
			}
			if p := MannWhitney(moved, b).P; !(p > 0.04 && p < 0.07) {
				t.Errorf("%v: p %v at the lower bound", sizes, p)
			}
		}
	}
}

func TestCommonLanguage(t *testing.T) {
	t.Parallel()
	near(t, "of SciPy's example", CommonLanguage([]float64{19, 22, 16, 29, 24}, []float64{20, 11, 17, 12}), 17./20, 1e-15)
	near(t, "all above", CommonLanguage([]float64{3, 4, math.NaN()}, []float64{1, 2}), 1, 0)
	near(t, "of nothing", CommonLanguage(nil, []float64{1}), math.NaN(), 0)
}

func TestSampleRatioE(t *testing.T) {
	t.Parallel()
	// With two versions it is the mixture of Proportion.Anytime.
	nearRelative(t, "two versions", SampleRatioE([]int64{60, 40}, []float64{1, 1}), math.Exp(newMixture(100, 60).logE(0.5)), 1e-12)
	near(t, "no rows", SampleRatioE([]int64{0, 0, 0}, []float64{1, 2, 3}), 1, 1e-12)
	// A fair wager: the mean over the next row is the value now.
	shares := []float64{0.05, 0.15, 0.8}
	for _, counts := range [][]int64{{0, 0, 0}, {1, 5, 9}, {70, 100, 830}} {
		mean := 0.0
		for i, share := range shares {
			next := slices.Clone(counts)
			next[i]++
			mean += share * SampleRatioE(next, shares)
		}
		nearRelative(t, "mean over the next row", mean, SampleRatioE(counts, shares), 1e-10)
	}
	// A canary that gets 4.5 % instead of 5 % of 100,000 rows; routing that is right.
	if e := SampleRatioE([]int64{4500, 95_500}, []float64{5, 95}); e < 1e6 {
		t.Errorf("a tenth of a canary's rows is missing: e %v", e)
	}
	if e := SampleRatioE([]int64{5030, 94_970}, []float64{5, 95}); e > 1 {
		t.Errorf("routing by the shares: e %v", e)
	}
	for name, e := range map[string]float64{
		"no share":       SampleRatioE([]int64{1, 2}, []float64{0, 1}),
		"negative count": SampleRatioE([]int64{-1, 2}, []float64{1, 1}),
		"lengths":        SampleRatioE([]int64{1, 2}, []float64{1, 1, 1}),
		"one version":    SampleRatioE([]int64{1}, []float64{1}),
	} {
		near(t, name, e, math.NaN(), 0)
	}
}
