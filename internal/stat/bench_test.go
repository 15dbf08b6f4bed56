package stat

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What large comparisons cost beside the two limits of the same run: a sweep that reads every
// value once, and a radix sort, with which a comparison without a grid would begin.
func BenchmarkCompare(b *testing.B) {
	const rows = 10_000_000
	window := normals(rows, 3)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds()/1e6, "Mvalues/s")
	}
	b.Run("sweep", func(b *testing.B) {
		sum := 0.0
		for b.Loop() {
			for _, v := range window {
				sum += v
			}
		}
		rate(b)
	})
	b.Run("radix sort", func(b *testing.B) {
		values, scratch := make([]float64, rows), make([]float64, rows)
		for b.Loop() {
			copy(values, window)
			sortFloats(values, scratch)
		}
		rate(b)
	})
	for _, size := range []int{10_000, 100_000, 1_000_000} {
		r, err := NewReference(normals(size, 4))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("exact/reference=%d", size), func(b *testing.B) {
			for b.Loop() {
				r.Compare(window)
			}
			rate(b)
		})
		b.Run(fmt.Sprintf("tally/reference=%d", size), func(b *testing.B) {
			for b.Loop() {
				t := r.Tally()
				t.add(window)
				t.Result()
			}
			rate(b)
		})
		b.Run(fmt.Sprintf("chunks of 5000/reference=%d", size), func(b *testing.B) {
			for b.Loop() {
				for start := 0; start < rows; start += 5000 {
					r.Compare(window[start : start+5000])
				}
			}
			rate(b)
		})
	}
}

func BenchmarkScored(b *testing.B) {
	const rows = 1_000_000
	rng := rand.New(rand.NewPCG(1, 2))
	scores, positive := make([]float64, rows), make([]bool, rows)
	for i := range scores {
		scores[i] = rng.Float64()
		positive[i] = rng.Float64() < scores[i]
	}
	for b.Loop() {
		s, err := NewScored(scores, positive)
		if err != nil {
			b.Fatal(err)
		}
		s.ROCAUC()
		s.AveragePrecision()
		s.Losses()
		s.Reliability(EqualWidthBins(10)).ECE()
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
