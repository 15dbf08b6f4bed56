package main

import (
	"math"
	"reflect"
	"testing"
)

// A small study, the same wherever it runs, keeps the promise by its exact bound, finds a quarter of a
// standard deviation, and shows why a rule with one key is no use.
func TestPromise(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("draws nine million values")
	}
	o := defaults()
	o.windows, o.shifted, o.shifts = 400, 60, []float64{0.25}
	results, err := study(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stable, moved := results[0], results[1]
	for _, rule := range []int{ours, oursExact} {
		if bound := upper(stable.flagged[rule], stable.windows); bound > promise {
			t.Errorf("%s: %d of %d stable windows are flagged, a bound of %.4f", ruleNames[rule], stable.flagged[rule], stable.windows, bound)
		}
		if moved.share(rule) < 0.99 {
			t.Errorf("%s: finds %d of %d", ruleNames[rule], moved.flagged[rule], moved.windows)
		}
	}
	for _, rule := range []int{ksSmall, ksLarge, ksChunks} {
		if share := stable.share(rule); share < 0.25 {
			t.Errorf("%s: flags %.3f of stable windows, which would be news", ruleNames[rule], share)
		}
	}
}

func TestStudyIsDrawnAgain(t *testing.T) {
	t.Parallel()
	o := defaults()
	o.windows, o.shifted, o.each, o.features, o.reference = 30, 10, 10, 5, 1000
	results, err := study(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := study(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(results, again) {
		t.Errorf("the same study gives %v and %v", results, again)
	}
}

// The upper bound of Clopper and Pearson for 10 of 100, from SciPy: beta.ppf(.99, 11, 90).
func TestBounds(t *testing.T) {
	t.Parallel()
	near(t, "upper bound", upper(10, 100), 0.191330285386031)
}

// The rules of others on whole numbers, against NumPy 2 and SciPy 1.17: histogram_bin_edges(bins="doane"),
// quantile, histogram, jensenshannon(base=2).
func TestRivals(t *testing.T) {
	t.Parallel()
	reference, current := make([]float64, 10_000), make([]float64, 1000)
	few, fewer := make([]float64, 10_000), make([]float64, 1000)
	for i := range reference {
		x := float64(i * 7919 % 10_007)
		reference[i], few[i] = x*x, float64(i%7)
	}
	for i := range current {
		x := float64((i*104_729 + 17) % 10_007)
		current[i], fewer[i] = x*x*1.05, float64(min(i%9, 7))
	}
	js, values := newJSReference(reference), newJSReference(few)
	if len(js.counts) != 21 {
		t.Errorf("%d bins and one outside, want 20", len(js.counts)-1)
	}
	near(t, "JS of bins", js.distance(current), 0.10865202105891987)
	near(t, "JS of values", values.distance(fewer), 0.34788652647554674)
	ks := newKSReference(reference)
	near(t, "KS", ks.d(current), 0.023)
	near(t, "limit of KS", ks.limit(reference), 0.002674772708486806)
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
