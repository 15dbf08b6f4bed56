package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestWithoutUndoesMerge(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	var a, b Moments
	for i := range 1000 {
		a.Add(random.NormFloat64())
		if i%3 == 0 {
			b.Add(5 + random.ExpFloat64())
		}
	}
	whole := a
	whole.Merge(b)
	rest := whole.Without(b)
	if rest.N != a.N || math.Abs(rest.Mean-a.Mean) > 1e-12 || math.Abs(rest.M2-a.M2) > 1e-8 {
		t.Errorf("without b: %+v, want %+v", rest, a)
	}
}

// By hand from the definition of the standard error sqrt(var(a)/3 + var(b)/3):
// a = 1, 2, 4 (mean 7/3, variance 7/3), b = 2, 4, 9 (mean 5, variance 13).
func TestMeanDifference(t *testing.T) {
	t.Parallel()
	a, b := MomentsOf([]float64{1, 2, 4}), MomentsOf([]float64{2, 4, 9})
	se := math.Sqrt(7./9 + 13./3)
	e := MeanDifference(a, b)
	if math.Abs(e.Value+8./3) > 1e-12 || math.Abs(e.Interval.High-(-8./3+1.959963984540054*se)) > 1e-9 {
		t.Errorf("difference %+v", e)
	}
	if p := MeanDifferenceP(a, b); math.Abs(p-math.Erfc(8./3/se/math.Sqrt2)) > 1e-12 {
		t.Errorf("p = %v", p)
	}
}
