package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// allTerms is the sum with every term.
func allTerms(d float64, n int64) float64 {
	rows := float64(n)
	sum, logChoose := math.Exp(rows*math.Log1p(-d)), 0.0
	for j := int64(1); j <= int64(rows*(1-d)); j++ {
		k := float64(j)
		logChoose += math.Log((rows - k + 1) / k)
		rest := 1 - d - k/rows
		if rest <= 0 {
			break
		}
		sum += d * math.Exp(logChoose+(k-1)*math.Log(d+k/rows)+(rows-k)*math.Log(rest))
	}
	return sum
}

// TestSmirnovLeavesOutNothing compares the sum of the terms that matter with that of all, bit for bit, so that no p-value
// that was ever written changes.
func TestSmirnovLeavesOutNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	differ := 0
	const tries = 4000
	for range tries {
		n := int64(141 + random.IntN(smirnovExact-141))
		d := math.Sqrt((2.2 + random.ExpFloat64()*40) / float64(n))
		if d >= 1 || float64(n)*d*d > 370 {
			continue
		}
		if got, want := smirnov(d, n), allTerms(d, n); got != want {
			if differ++; differ <= 5 {
				t.Errorf("n %d, d %v: %v, all terms %v", n, d, got, want)
			}
		}
	}
	for _, n := range []int64{1, 2, 3, 7, 140} {
		for _, d := range []float64{0.01, 0.2, 0.5, 0.75, 0.999} {
			if got, want := smirnov(d, n), allTerms(d, n); got != want {
				t.Errorf("n %d, d %v: %v, all terms %v", n, d, got, want)
			}
		}
	}
}

// BenchmarkSmirnov is a small p-value of 1,000 rows against 10,000.
func BenchmarkSmirnov(b *testing.B) {
	for b.Loop() {
		smirnov(0.08, 909)
	}
}
