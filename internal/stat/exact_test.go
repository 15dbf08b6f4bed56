package stat_test

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
)

// The examples of R's binom.test (stats 4.3): 682 of 925 plants, as its page prints them, and 0 and 10 of 10, whose far end is
// 1 - 0.025^(1/10).
func TestExact(t *testing.T) {
	t.Parallel()
	tenth := math.Pow(0.025, 0.1)
	for _, test := range []struct {
		p         stat.Proportion
		low, high float64
	}{
		{stat.Proportion{K: 682, N: 925}, 0.7076683, 0.7654066},
		{stat.Proportion{K: 0, N: 10}, 0, 1 - tenth},
		{stat.Proportion{K: 10, N: 10}, tenth, 1},
	} {
		if i := test.p.Exact(0.95); math.Abs(i.Low-test.low) > 5e-8 || math.Abs(i.High-test.high) > 5e-8 {
			t.Errorf("%+v: %.7f to %.7f, want %.7f to %.7f", test.p, i.Low, i.High, test.low, test.high)
		}
	}
	// At its lower end as many or more come with the chance of the tail, far out too.
	p := stat.Proportion{K: 12, N: 200}
	low, more := p.Exact(0.9998).Low, 0.0
	for k := p.K; k <= p.N; k++ {
		lk, _ := math.Lgamma(float64(k) + 1)
		ln, _ := math.Lgamma(float64(p.N) + 1)
		lr, _ := math.Lgamma(float64(p.N-k) + 1)
		more += math.Exp(ln - lk - lr + float64(k)*math.Log(low) + float64(p.N-k)*math.Log1p(-low))
	}
	if math.Abs(more/0.0001-1) > 1e-6 {
		t.Errorf("at %.6f as many come with a chance of %g, want 0.0001", low, more)
	}
	if i := (stat.Proportion{}).Exact(0.95); !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("of nothing: %v", i)
	}
}
