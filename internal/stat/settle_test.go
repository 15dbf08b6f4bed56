package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Quantiles of a tally are those of the sorted values, wherever the window lies.
func TestTallyQuantiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 6))
	reference := make([]float64, 50_000)
	for i := range reference {
		reference[i] = rng.NormFloat64()
	}
	r, err := NewReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	qs := []float64{0, 0.05, 0.5, 0.95, 1}
	for name, value := range map[string]func() float64{
		"alike": rng.NormFloat64, "above": func() float64 { return 10 + rng.NormFloat64() }, "below": func() float64 { return -10 - rng.Float64() },
		"discrete": func() float64 { return math.Round(2 * rng.NormFloat64()) }, "constant": func() float64 { return 0.25 },
	} {
		for _, n := range []int{1, 2, 1000, 40_000} {
			window := make([]float64, n)
			for i := range window {
				window[i] = value()
				if i > 0 && i%100 == 0 {
					window[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[i/100%3]
				}
			}
			tally := r.TallyToSettle(make([]uint16, 0, n))
			if err := tally.Add(window); err != nil {
				t.Fatal(err)
			}
			sorted := sortedFinite(window)
			_, quantiles := tally.Settle(window, qs...)
			for i, got := range quantiles {
				if want := Quantile(sorted, qs[i]); got != want {
					t.Errorf("%s: %v-quantile of %d values is %v, want %v", name, qs[i], n, got, want)
				}
			}
		}
	}
	empty := r.TallyToSettle(nil)
	if _, got := empty.Settle(nil, 0.5); !math.IsNaN(got[0]) {
		t.Errorf("the median of nothing is %v", got[0])
	}
}
