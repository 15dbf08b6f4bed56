package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGapRows holds the forecast against what streams took: the median of 101 lies within a third of it. 0.13 against 0.10 took 4,450
// rows in the measurements of decision 0036.
func TestGapRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ share, first, second, margin float64 }{
		{0.5, 0.13, 0.1, 0}, {0.5, 0.2, 0.1, 0}, {0.2, 0.2, 0.1, 0.02}, {0.5, 0.02, 0.02, -0.02},
	} {
		forecast := GapRows(test.first, test.second, test.share, test.margin, 0.025)
		var took []float64
		for seed := range uint64(101) {
			g, rng := gapProcess(t, test.margin), rand.New(rand.NewPCG(seed, 61))
			for rows := 0; g.P() > 0.025; {
				var a, b Proportion
				for range 50 {
					if rng.Float64() < test.share {
						a.N, a.K = a.N+1, a.K+int64(bernoulli(rng, test.first))
					} else {
						b.N, b.K = b.N+1, b.K+int64(bernoulli(rng, test.second))
					}
				}
				if err := g.Take(a, b); err != nil {
					t.Fatal(err)
				}
				if rows += 50; g.P() <= 0.025 || rows > 100_000 {
					took = append(took, float64(rows))
					break
				}
			}
		}
		slices.Sort(took)
		t.Logf("%+v: %.0f rows forecast, %.0f at the median", test, forecast, took[50])
		if r := took[50] / forecast; r < 0.66 || r > 1.5 {
			t.Errorf("%+v: %.0f rows forecast, %.0f at the median", test, forecast, took[50])
		}
	}
	for _, none := range []float64{GapRows(0.1, 0.1, 0.5, 0, 0.05), GapRows(0.2, 0.1, 0, 0, 0.05), Pairs{Both: 5}.Rows(0, 0.05), Pairs{}.Rows(-0.1, 0.05)} {
		if !math.IsInf(none, 1) {
			t.Errorf("%v rows for what is never shown", none)
		}
	}
	// So many pairs, a hundredth more of them won than lost, reach it.
	p := Pairs{Both: 50, First: 30, Second: 20, Neither: 900}
	k := p.Rows(0, 0.05) / 1000
	grown := Pairs{int64(50 * k), int64(30 * k), int64(20 * k), int64(900 * k)}
	if e := grown.E(0); e < 20 || e > 16*20 {
		t.Errorf("after %.0f pairs the e-value is %v", 1000*k, e)
	}
}
