package stat_test

import (
	"math"
	"math/rand/v2"
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

// Chances of three or more of 20, and of two or more of ten, counted out term by term.
func TestAtLeast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		k, n int64
		p    float64
		want float64
	}{
		{2, 10, 0.1, 1 - math.Pow(0.9, 10) - 10*0.1*math.Pow(0.9, 9)},
		{3, 20, 0.01, 1 - math.Pow(0.99, 20) - 20*0.01*math.Pow(0.99, 19) - 190*1e-4*math.Pow(0.99, 18)},
		{0, 5, 0.3, 1},
		{6, 5, 0.3, 0},
		{5, 5, 0.3, math.Pow(0.3, 5)},
	} {
		if got := stat.AtLeast(test.k, test.n, test.p); math.Abs(got-test.want) > 1e-14 {
			t.Errorf("%d of %d at %g: %g, want %g", test.k, test.n, test.p, got, test.want)
		}
	}
}

// The limit holds for every distribution: of 20,000 streams of 99 values and one more, one in a hundred exceeds the greatest.
func TestUsuallyBelow(t *testing.T) {
	t.Parallel()
	if _, ok := stat.UsuallyBelow(make([]float64, 98), 0.01); ok {
		t.Error("98 values tell what one in a hundred exceeds")
	}
	if at, ok := stat.UsuallyBelow([]float64{5, 3, 4, 1, 2, 9, 8, 7, 6}, 0.2); !ok || at != 8 { // the eighth of nine: ten times 0.8
		t.Errorf("of nine values a fifth exceeds %g, %v; want 8", at, ok)
	}
	r := rand.New(rand.NewPCG(9, 9))
	over, values := 0, make([]float64, 99)
	for range 20_000 {
		for i := range values {
			values[i] = math.Exp(3 * r.NormFloat64())
		}
		if limit, ok := stat.UsuallyBelow(values, 0.01); !ok || math.Exp(3*r.NormFloat64()) > limit {
			over++
		}
	}
	if p := (stat.Proportion{K: int64(over), N: 20_000}).Exact(0.998); p.Low > 0.01 || p.High < 0.01 {
		t.Errorf("%d of 20000 exceed what one in a hundred does", over)
	}
}

// BenchmarkExact is an exact interval of a small share, beside Wilson's.
func BenchmarkExact(b *testing.B) {
	for name, interval := range map[string]func(stat.Proportion) stat.Interval{
		"exact": func(p stat.Proportion) stat.Interval { return p.Exact(0.99) }, "wilson": func(p stat.Proportion) stat.Interval { return p.Wilson(0.99) },
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				interval(stat.Proportion{K: int64(1 + i%40), N: 5000})
			}
		})
	}
}
