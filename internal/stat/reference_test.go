package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func reference(t testing.TB, values []float64) *Reference {
	t.Helper()
	r, err := NewReference(values)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// samples are shapes that break comparisons: ties, atoms, constants, far outliers, few values, a
// location far from 0.
func samples(rng *rand.Rand, n int) map[string][]float64 {
	draw := func(f func() float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = f()
		}
		return values
	}
	return map[string][]float64{
		"normal":     draw(rng.NormFloat64),
		"shifted":    draw(func() float64 { return rng.NormFloat64() + .3 }),
		"integers":   draw(func() float64 { return float64(rng.IntN(12)) }),
		"atoms":      draw(func() float64 { return math.Floor(math.Abs(rng.NormFloat64())) * rng.ExpFloat64() }),
		"constant":   draw(func() float64 { return 3 }),
		"heavy":      draw(func() float64 { return math.Tan(math.Pi * (rng.Float64() - .5)) }),
		"outlier":    append(draw(rng.Float64), 1e12),
		"far":        draw(func() float64 { return 1e9 + rng.NormFloat64() }),
		"negative 0": draw(func() float64 { return math.Copysign(0, float64(rng.IntN(2))-.5) }),
		"tiny":       draw(func() float64 { return 5e-324 * float64(rng.IntN(5)) }),
		"huge":       draw(func() float64 { return (rng.Float64() - .5) * 1e290 }),
	}
}

// Every way to compare must agree with the plain two-sample functions.
func TestCompareAgrees(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	for _, size := range [][2]int{{1, 1}, {40, 3}, {3, 40}, {900, 150}, {900, 4000}, {5000, 500}} {
		references, windows := samples(rng, size[0]), samples(rng, size[1])
		for name, ref := range references {
			if len(ref) > quickKnots && (name == "integers" || name == "constant" || name == "shifted") {
				continue // few knots either way
			}
			r := reference(t, ref)
			for other, window := range windows {
				what := name + " against " + other
				want := TwoSample{
					N: int64(len(window)), NReference: int64(len(ref)),
					W1: Wasserstein(window, ref),
				}
				ks := KolmogorovSmirnov(window, ref)
				want.KS, want.P = ks.Statistic, ks.P
				fine := r.Tally()
				fine.add(window)
				settled, _ := fine.Settle(window)
				for _, got := range []TwoSample{r.Compare(window), settled} {
					if got.N != want.N || got.NReference != want.NReference || got.KSBound != 0 || got.W1Bound != 0 {
						t.Fatalf("%s: %+v", what, got)
					}
					near(t, what+" ks", got.KS, want.KS, 1e-14)
					nearRelative(t, what+" p", got.P, want.P, 1e-9)
					near(t, what+" w1", got.W1, want.W1, 1e-12*(want.W1+r.IQR())+1e-300)
					bins := make([]int64, len(r.Edges())+1)
					for _, v := range window {
						i, _ := slices.BinarySearch(r.Edges(), v)
						bins[i]++
					}
					if !slices.Equal(got.Bins, bins) {
						t.Errorf("%s: bins %v, want %v", what, got.Bins, bins)
					}
				}
				tally := r.Tally()
				for part := range slices.Chunk(window, len(window)/3+1) {
					p := r.Tally()
					if err := p.Add(part); err != nil {
						t.Fatal(err)
					}
					if err := tally.Merge(p); err != nil {
						t.Fatal(err)
					}
				}
				got := tally.Result()
				near(t, what+" tally ks", got.KS, want.KS, 1e-14)
				near(t, what+" tally w1", got.W1, want.W1, got.W1Bound+1e-12*(want.W1+r.IQR())+1e-300)
			}
		}
	}
}

// Coarse knots must keep the exact values within the bounds that they state.
func TestCoarseTally(t *testing.T) {
	t.Parallel()
	ref := normals(200_000, 1)
	r := reference(t, ref)
	if len(r.fine().x) > fineKnots+deciles {
		t.Fatalf("%d coarse knots", len(r.fine().x))
	}
	for _, shift := range []float64{0, 0.01, 0.5} {
		window := normals(100_000, 2)
		for i := range window {
			window[i] += shift
		}
		want := r.Compare(window)
		ks := KolmogorovSmirnov(window, ref)
		near(t, "ks", want.KS, ks.Statistic, 1e-15)
		near(t, "w1", want.W1, Wasserstein(window, ref), 1e-12)
		coarse := newTally(r, r.quick())
		coarse.add(window)
		quick, _ := coarse.Settle(window)
		near(t, "ks by few knots", quick.KS, want.KS, 0)
		near(t, "w1 by few knots", quick.W1, want.W1, 1e-12)
		tally := r.Tally()
		if err := tally.Add(window); err != nil {
			t.Fatal(err)
		}
		got := tally.Result()
		if !(got.KS <= want.KS && want.KS <= got.KS+got.KSBound) || got.KSBound > 2./fineKnots {
			t.Errorf("shift %v: ks %v + %v, exact %v", shift, got.KS, got.KSBound, want.KS)
		}
		near(t, "w1", got.W1, want.W1, got.W1Bound+1e-12)
		if got.W1Bound > 1e-3 {
			t.Errorf("shift %v: w1 bound %v", shift, got.W1Bound)
		}
		if !slices.Equal(got.Bins, want.Bins) || got.Deciles != want.Deciles {
			t.Errorf("shift %v: bins %v, exact %v", shift, got.Bins, want.Bins)
		}
	}
}

func TestReferenceCompas(t *testing.T) {
	t.Parallel()
	a, c := readCompas(t, "African-American"), readCompas(t, "Caucasian")
	r := reference(t, c.age)
	if got, want := r.Edges(), []float64{23, 26, 28, 31, 35, 39, 45, 50, 56}; !slices.Equal(got, want) {
		t.Errorf("deciles of age %v, want %v", got, want)
	}
	got := r.Compare(a.age)
	near(t, "psi of age", got.Deciles.PSI, .1835900270, 5e-11)
	near(t, "ks", got.KS, .1928847945, 5e-11)
	nearRelative(t, "p", got.P, 1.5291916941678688e-48, 1e-6)
	near(t, "w1", got.W1, 4.9857680014, 5e-11)
	near(t, "w1/sd", got.W1SD, .3907717578, 5e-11)
}

// NannyML's California housing, reference against analysis: values of 6d, where Evidently's
// PSI over equal widths of AveOccup is 0.000013.
func TestReferenceCalifornia(t *testing.T) {
	t.Parallel()
	before := readColumns(t, "california-housing/california_housing_reference.csv")
	after := readColumns(t, "california-housing/california_housing_analysis.csv")
	for _, test := range []struct {
		column    string
		psi, w1SD float64
	}{
		{"MedInc", .037248, .157537},
		{"HouseAge", .079670, .178565},
		{"AveRooms", .027077, .082767},
		{"AveBedrms", .002512, .035204},
		{"Population", .004483, .043411},
		{"AveOccup", .055715, .235714},
		{"Latitude", -1, 1.124458},
		{"Longitude", -1, 1.243107},
	} {
		got := reference(t, numbers(t, before[test.column], nil)).Compare(numbers(t, after[test.column], nil))
		near(t, test.column+" w1/sd", got.W1SD, test.w1SD, 5e-7)
		if test.psi >= 0 {
			near(t, test.column+" psi", got.Deciles.PSI, test.psi, 5e-7)
		}
	}
}

// Mean KS over the monthly chunks of reference and analysis, as NannyML's notebook reports it.
func TestReferenceCaliforniaMonths(t *testing.T) {
	t.Parallel()
	before := readColumns(t, "california-housing/california_housing_reference.csv")
	after := readColumns(t, "california-housing/california_housing_analysis.csv")
	for _, test := range []struct {
		column string
		want   float64
	}{
		{"id", .874280}, {"Longitude", .712709}, {"Latitude", .672904}, {"HouseAge", .201638}, {"MedInc", .154952},
		{"AveOccup", .143890}, {"AveRooms", .129277}, {"AveBedrms", .089140}, {"Population", .073562},
	} {
		r := reference(t, numbers(t, before[test.column], nil))
		sum, months := 0.0, 0
		for _, columns := range []map[string][]string{before, after} {
			values := numbers(t, columns[test.column], nil)
			for start := 0; start < len(values); {
				end, month := start, columns["timestamp"][start][:7]
				for end < len(values) && columns["timestamp"][end][:7] == month {
					end++
				}
				sum += r.Compare(values[start:end]).KS
				months++
				start = end
			}
		}
		near(t, test.column, sum/float64(months), test.want, 5e-7)
	}
}

// A small spread far from 0, which logarithmic buckets cannot see.
func TestCompareFarFromZero(t *testing.T) {
	t.Parallel()
	shift := func(values []float64, by float64) []float64 {
		for i := range values {
			values[i] += by
		}
		return values
	}
	r := reference(t, shift(normals(20_000, 5), 1000))
	tally := r.Tally()
	window := shift(normals(20_000, 6), 1000.5)
	if err := tally.Add(window); err != nil {
		t.Fatal(err)
	}
	for _, got := range []TwoSample{r.Compare(window), r.Compare(window[:2000]), tally.Result()} {
		near(t, "ks", got.KS, .1974, .015) // 2 Phi(0.25) - 1
		if got.KS < .19 && got.N > 2000 {
			t.Errorf("ks %v over %d rows", got.KS, got.N)
		}
	}
}

func TestReferenceNumbers(t *testing.T) {
	t.Parallel()
	r := reference(t, []float64{4, 1, math.NaN(), 2, 2, math.Inf(1), 10})
	if r.N() != 5 || r.Distinct() != 4 || r.Median() != 2 || r.IQR() != 2 {
		t.Errorf("n %d, distinct %d, median %v, iqr %v", r.N(), r.Distinct(), r.Median(), r.IQR())
	}
	sorted := []float64{1, 2, 2, 4, 10}
	for q := 0.0; q <= 1; q += 1. / 64 {
		near(t, "quantile", r.Quantile(q), Quantile(sorted, q), 0)
	}
	if _, err := NewReference([]float64{math.NaN()}); err == nil {
		t.Error("a reference without a value was made")
	}
	for _, empty := range []TwoSample{r.Compare([]float64{math.NaN(), math.Inf(-1)}), r.Compare(nil), r.Tally().Result()} {
		if !math.IsNaN(empty.KS) || !math.IsNaN(empty.W1) || !math.IsNaN(empty.Deciles.PSI) || empty.N != 0 || empty.KSBound != 0 || empty.W1Bound != 0 {
			t.Errorf("empty window: %+v", empty)
		}
	}
	if got := r.Compare([]float64{math.NaN(), 2, math.Inf(1), 4}); got.N != 2 || got.Dropped != 2 {
		t.Errorf("window with holes: %+v", got)
	}
	other := reference(t, []float64{1, 2})
	if err := r.Tally().Merge(other.Tally()); err == nil {
		t.Error("tallies of two references were merged")
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	// numpy.quantile 2.4.6 of these.
	values := []float64{1, 2, 4, 8, 16.5}
	for _, test := range [][2]float64{{0, 1}, {.1, 1.4}, {.5, 4}, {.9, 13.1}, {.99, 16.16}, {1, 16.5}} {
		near(t, "quantile", Quantile(values, test[0]), test[1], 1e-14)
	}
	near(t, "of none", Quantile(nil, .5), math.NaN(), 0)
	near(t, "outside", Quantile(values, 1.1), math.NaN(), 0)
}
