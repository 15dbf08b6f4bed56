package window_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
)

// agree compares by bins and exactly, and holds one against the other within the stated bounds.
func agree(t *testing.T, name string, reference, current []float64) (exact, binned stat.TwoSample) {
	t.Helper()
	sample, err := stat.NewReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	exact = sample.Compare(current)
	p := number(t, reference).Profile()
	p.AddNumbers(0, current)
	binned = p.Compare(0)
	clamped := p.Number(0).Clamped + p.Reference().Features[0].Number.Clamped
	const rounding = 1e-12
	if d := exact.KS - binned.KS; d < -rounding || d > binned.KSBound+rounding {
		t.Errorf("%s: KS %v is not within %v of %v", name, binned.KS, binned.KSBound, exact.KS)
	}
	if exact.P > binned.P*(1+1e-9) && exact.N*exact.NReference > 10_000 {
		t.Errorf("%s: p %v is below the exact %v", name, binned.P, exact.P)
	}
	if d := math.Abs(exact.W1 - binned.W1); clamped == 0 && d > binned.W1Bound+rounding*math.Abs(exact.W1) {
		t.Errorf("%s: W1 %v is not within %v of %v", name, binned.W1, binned.W1Bound, exact.W1)
	}
	if clamped > 0 && binned.W1-binned.W1Bound > exact.W1 {
		t.Errorf("%s: W1 %v of clamped values is above the exact %v", name, binned.W1, exact.W1)
	}
	if !slices.Equal(exact.Bins, binned.Bins) || !slices.Equal(exact.ReferenceBins, binned.ReferenceBins) || exact.Deciles != binned.Deciles {
		t.Errorf("%s: deciles %v %v, exactly %v %v", name, binned.ReferenceBins, binned.Bins, exact.ReferenceBins, exact.Bins)
	}
	if exact.N != binned.N || exact.Dropped != binned.Dropped || exact.NReference != binned.NReference {
		t.Errorf("%s: counts %+v, exactly %+v", name, binned, exact)
	}
	return exact, binned
}

func TestAgreesWithExact(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for round := range 20 {
		a, b := mixture(random, 10+random.IntN(4000)), mixture(random, 1+random.IntN(3000))
		for i := range a {
			shift := float64(round%4) * 0.1
			for k := range b[i] {
				b[i][k] += shift
			}
			agree(t, "mixture", a[i], b[i])
			agree(t, "one against another", a[i], b[(i+1)%len(b)])
		}
	}
	for name, c := range map[string][2][]float64{
		"one value":            {{3}, {3, 3}},
		"one value, moved":     {{3}, {4, 2}},
		"two values":           {{0, 1}, {0, 0, 1}},
		"negative zero":        {{math.Copysign(0, -1), 0, 1}, {0, math.Copysign(0, -1)}},
		"subnormal":            {{0, 5e-324, 1e-323}, {5e-324, 0, 1}},
		"greatest":             {{1, 2, 3}, {math.MaxFloat64, -math.MaxFloat64}},
		"integers between":     {{1, 2, 3, 4, 5, 5, 5, 5, 6}, {4.5, 5.5, 0, 7}},
		"nothing but infinite": {{1, 2}, {math.Inf(1)}},
	} {
		if name == "nothing but infinite" {
			p := number(t, c[0]).Profile()
			p.AddNumbers(0, c[1])
			if got := p.Compare(0); got.N != 0 || got.Dropped != 1 || !math.IsNaN(got.KS) || !math.IsNaN(got.W1) {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		agree(t, name, c[0], c[1])
	}
}

// A scale that is narrow beside its place: KS of N(1000,1) and N(1000.5,1) is 0.1974 (A10), where
// buckets of equal ratio see nothing.
func TestNarrowScale(t *testing.T) {
	t.Parallel()
	exact, binned := agree(t, "narrow", normals(1, 50_000, 1000, 1), normals(2, 50_000, 1000.5, 1))
	if binned.KS < 0.19 || binned.KSBound > 1.0/80 || math.Abs(exact.W1SD-binned.W1SD) > 0.002 {
		t.Errorf("KS %v within %v, W1/sd %v; exactly %v and %v", binned.KS, binned.KSBound, binned.W1SD, exact.KS, exact.W1SD)
	}
}

// California housing: AveOccup has a decile PSI of .0557 (A9), not the .000013 that bins of equal
// width over both samples would give; Wasserstein from SciPy.
func TestCaliforniaHousing(t *testing.T) {
	t.Parallel()
	reference := readColumns(t, "california-housing/california_housing_reference.csv")
	analysis := readColumns(t, "california-housing/california_housing_analysis.csv")
	for column, want := range map[string][2]float64{
		"MedInc": {.037248, .157537}, "HouseAge": {.079670, .178565}, "AveRooms": {.027077, .082767},
		"AveBedrms": {.002512, .035204}, "Population": {.004483, .043411}, "AveOccup": {.055715, .235714},
	} {
		_, binned := agree(t, column, floats(t, reference[column]), floats(t, analysis[column]))
		if math.Abs(binned.Deciles.PSI-want[0]) > 5e-7 || math.Abs(binned.W1SD-want[1]) > 0.05*want[1] {
			t.Errorf("%s: PSI %.6f, W1/sd %.6f; want %.6f and about %.6f", column, binned.Deciles.PSI, binned.W1SD, want[0], want[1])
		}
		t.Logf("%s: KS %.5f within %.5f, W1/sd %.6f within %.6f, exactly %.6f", column, binned.KS, binned.KSBound, binned.W1SD, binned.W1Bound*binned.W1SD/binned.W1, want[1])
	}
}

// COMPAS, African-American against Caucasian as the reference: KS and W1 from SciPy 1.10.1.
func TestCompas(t *testing.T) {
	t.Parallel()
	columns := readColumns(t, "compas/compas-two-years.csv")
	for column, want := range map[string]struct{ ks, w1 float64 }{
		"age": {.1928847945, 4.9857680014}, "decile_score": {.2402002032, 1.6336507319},
	} {
		var reference, current []float64
		for i, v := range floats(t, columns[column]) {
			switch columns["race"][i] {
			case "Caucasian":
				reference = append(reference, v)
			case "African-American":
				current = append(current, v)
			}
		}
		_, binned := agree(t, column, reference, current)
		if math.Abs(binned.KS-want.ks) > 1e-9 || math.Abs(binned.W1-want.w1) > 1e-5 {
			t.Errorf("%s: KS %v, W1 %v; want %v, %v", column, binned.KS, binned.W1, want.ks, want.w1)
		}
	}
}
