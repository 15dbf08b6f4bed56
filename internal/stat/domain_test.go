package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
)

// Weights of scikit-learn 1.9.1, LogisticRegression(C=2, fit_intercept=False, tol=1e-12), and of
// Newton's method in NumPy 2.4.6.
func TestFitLogistic(t *testing.T) {
	t.Parallel()
	const rows = 40
	x := blas64.General{Rows: rows, Cols: 4, Stride: 4}
	positive := make([]bool, rows)
	for i := range rows {
		a, b := math.Sin(float64(i)), math.Cos(2*float64(i))
		x.Data = append(x.Data, 1, a, b, a*b)
		positive[i] = i*7%10 < 4 || a > 0.5
	}
	weights, err := fitLogistic(x, positive, func(int) bool { return true }, gram(x), 0.5)
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{0.88103122, 1.81578852, -0.69877124, -0.23775386} {
		near(t, "weight", weights[j], want, 5e-6)
	}
	if _, err := fitLogistic(blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float64, 4)}, make([]bool, 2),
		func(int) bool { return true }, gram(blas64.General{Rows: 2, Cols: 2, Stride: 2, Data: make([]float64, 4)}), 0); err == nil {
		t.Error("terms that are nothing were fitted")
	}
}

// pairOf draws rows of standard normal features of which the first two have the given correlation.
func pairOf(rng *rand.Rand, rows, features int, correlation float64) [][]float64 {
	columns := make([][]float64, features)
	for range rows {
		for j := range columns {
			v := rng.NormFloat64()
			if j == 1 {
				v = correlation*columns[0][len(columns[0])-1] + math.Sqrt(1-correlation*correlation)*v
			}
			columns[j] = append(columns[j], v)
		}
	}
	return columns
}

// Two features that were independent move together: each alone is as before.
func TestClassifyDomainsFindsJointDrift(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	reference, window := pairOf(rng, 4000, 6, 0), pairOf(rng, 4000, 6, 0.6)
	var p []float64
	for j := range reference {
		p = append(p, KolmogorovSmirnov(reference[j], window[j]).P)
	}
	for j, adjusted := range BenjaminiHochberg(p) {
		if adjusted < 0.05 {
			t.Errorf("feature %d alone shows drift: p %v", j, adjusted)
		}
	}
	d, err := ClassifyDomains(reference, window)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Pairs || d.LowerBound(0.99) < 0.55 {
		t.Errorf("joint drift is not found: %+v", d)
	}
	if top := d.Terms[0]; top.Feature != 0 || top.Other != 1 || top.Weight <= 0 || math.Abs(d.Terms[1].Weight) > top.Weight/2 {
		t.Errorf("what tells rows apart: %+v", d.Terms[:2])
	}
	again, err := ClassifyDomains(reference, window)
	if err != nil || !reflect.DeepEqual(d, again) {
		t.Errorf("the same rows give %+v, then %+v (%v)", d, again, err)
	}
}

// Without drift the interval at 95 % lies above one half in at most 2.5 % of windows, and the bound
// at 99 % never above 0.55.
func TestClassifyDomainsIsQuiet(t *testing.T) {
	t.Parallel()
	manyStreams(t)
	const windows = 400
	above, alarms := 0, 0
	for seed := range uint64(windows) {
		rng := rand.New(rand.NewPCG(seed, 11))
		d, err := ClassifyDomains(pairOf(rng, 250, 3, 0.4), pairOf(rng, 250, 3, 0.4))
		if err != nil {
			t.Fatal(err)
		}
		if d.AUC.Interval.Low > 0.5 {
			above++
		}
		if d.LowerBound(0.99) > 0.55 {
			alarms++
		}
	}
	t.Logf("%d of %d intervals lie above one half (upper 99 %% bound %.4f), %d alarms", above, windows, clopperPearson(above, windows), alarms)
	if clopperPearson(above, windows) > 0.025 || alarms > 0 {
		t.Errorf("%d of %d intervals lie above one half, %d alarms", above, windows, alarms)
	}
}

// NannyML's California housing: the reference is another part of the state.
func TestClassifyDomainsCalifornia(t *testing.T) {
	t.Parallel()
	before := readColumns(t, "california-housing/california_housing_reference.csv")
	after := readColumns(t, "california-housing/california_housing_analysis.csv")
	names := []string{"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"}
	var reference, window, first, second [][]float64
	for _, name := range names {
		r := numbers(t, before[name], nil)
		reference, window = append(reference, r), append(window, numbers(t, after[name], nil))
		// Rows of the reference in turn: nothing has changed between these.
		var odd, even []float64
		for i, v := range r {
			if i%2 == 0 {
				even = append(even, v)
			} else {
				odd = append(odd, v)
			}
		}
		first, second = append(first, even), append(second, odd)
	}
	d, err := ClassifyDomains(reference, window)
	if err != nil {
		t.Fatal(err)
	}
	if d.LowerBound(0.99) < 0.8 || d.Terms[0].Feature < 6 {
		t.Errorf("reference against analysis: %+v of %v", d.Terms[0], d.AUC)
	}
	d, err = ClassifyDomains(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if d.LowerBound(0.99) > 0.5 {
		t.Errorf("the reference against itself: %+v of %v", d.Terms[0], d.AUC)
	}
}

func TestClassifyDomainsBounds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 12))
	good := pairOf(rng, 60, 2, 0)
	for name, sides := range map[string][2][][]float64{
		"no feature":     {nil, nil},
		"other features": {good, good[:1]},
		"few rows":       {good, pairOf(rng, 49, 2, 0)},
		"ragged":         {good, {good[0], good[1][:59]}},
		"many rows":      {good, {make([]float64, DomainRows+1), make([]float64, DomainRows+1)}},
	} {
		if d, err := ClassifyDomains(sides[0], sides[1]); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
	// Constant features cannot tell; an absent value can, and infinite ones are only the last ranks.
	flat := [][]float64{make([]float64, 100)}
	if d, err := ClassifyDomains(flat, flat); err != nil || d.AUC.Value != 0.5 || len(d.Terms) != 0 {
		t.Errorf("constant: %+v, %v", d, err)
	}
	holes := pairOf(rng, 400, 2, 0)
	for i := range 200 {
		holes[1][i] = math.NaN()
	}
	holes[0][0] = math.Inf(1)
	d, err := ClassifyDomains(pairOf(rng, 400, 2, 0), holes)
	if err != nil || d.LowerBound(0.99) < 0.6 || !d.Terms[0].Missing || d.Terms[0].Feature != 1 {
		t.Errorf("half of the values absent: %+v, %v", d, err)
	}
	wide, err := ClassifyDomains(pairOf(rng, 60, 60, 0), pairOf(rng, 60, 60, 0))
	if err != nil || wide.Pairs || len(wide.Terms) != domainListed {
		t.Errorf("60 features: pairs %v, %d terms, %v", wide.Pairs, len(wide.Terms), err)
	}
}

func BenchmarkClassifyDomains(b *testing.B) {
	for _, features := range []int{5, 20} {
		rng := rand.New(rand.NewPCG(7, 7))
		reference, window := pairOf(rng, 10_000, features, 0), pairOf(rng, 10_000, features, 0.3)
		b.Run(fmt.Sprintf("10000+10000 rows of %d", features), func(b *testing.B) {
			for b.Loop() {
				if _, err := ClassifyDomains(reference, window); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
