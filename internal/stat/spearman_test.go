package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSpearman compares with the example of SciPy's documentation of spearmanr, ties among it, and counts how often the
// interval has the true value: of bivariate normal pairs with correlation r that is 6/pi asin(r/2).
func TestSpearman(t *testing.T) {
	t.Parallel()
	e := Spearman([]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7})
	if math.Abs(e.Value-0.8207826816681233) > 1e-12 || e.N != 5 {
		t.Errorf("%+v, SciPy has 0.8207826816681233", e)
	}
	if e := Spearman([]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}); e.Value != -1 || e.Interval.Low != -1 {
		t.Errorf("of opposite orders %+v", e)
	}
	for _, none := range []Estimate{Spearman([]float64{1, 2, 3}, []float64{1, 2, 3}), Spearman([]float64{1, 1, 1, 1}, []float64{1, 2, 3, 4})} {
		if none.Value == none.Value {
			t.Errorf("%+v of what has no correlation", none)
		}
	}
	r := rand.New(rand.NewPCG(5, 1))
	const rho, samples = 0.6, 2000
	truth, missed := 6/math.Pi*math.Asin(rho/2), 0
	for range samples {
		var x, y []float64
		for range 40 {
			a := r.NormFloat64()
			x, y = append(x, a), append(y, rho*a+math.Sqrt(1-rho*rho)*r.NormFloat64())
		}
		if i := Spearman(x, y).Interval; truth < i.Low || truth > i.High {
			missed++
		}
	}
	if share := float64(missed) / samples; share < 0.03 || share > 0.07 {
		t.Errorf("%.1f %% of intervals miss, 5 %% should", 100*share)
	}
}
