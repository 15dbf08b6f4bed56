package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Seed is the seed of every resampling in this package that takes none, so that a result can be
// computed again years later.
const Seed uint64 = 20260101

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) } //nolint:gosec // the same sample again is the point

// Bootstrap is the setting of a percentile bootstrap (Efron and Tibshirani 1993, chapter 13).
type Bootstrap struct {
	Draws int     // resamples; 2,000 if zero
	Conf  float64 // level; Confidence if zero
	Seed  uint64  // of the PCG generator; Seed if zero
}

// Interval draws resamples of n row numbers with replacement and returns the percentile interval
// of statistic over them. statistic must not keep its argument. Draws for which it is NaN are left
// out; without any other, bounds are NaN.
func (b Bootstrap) Interval(n int, statistic func(rows []int) float64) Interval {
	if n == 0 {
		return noInterval()
	}
	if b.Draws == 0 {
		b.Draws = 2000
	}
	if b.Conf == 0 {
		b.Conf = Confidence
	}
	if b.Seed == 0 {
		b.Seed = Seed
	}
	rng := newRand(b.Seed)
	rows, values := make([]int, n), make([]float64, 0, b.Draws)
	for range b.Draws {
		for i := range rows {
			rows[i] = rng.IntN(n)
		}
		if v := statistic(rows); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return percentiles(values, b.Conf)
}

// percentiles sorts values and returns their central interval.
func percentiles(values []float64, conf float64) Interval {
	slices.Sort(values)
	return Interval{Quantile(values, (1-conf)/2), Quantile(values, (1+conf)/2)}
}
