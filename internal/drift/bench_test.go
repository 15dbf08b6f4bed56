//go:build unix

package drift_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/window"
)

// Judging one window of 1,000 features, of which some have moved by a quarter of a standard
// deviation: 1,000 windows may take 10 s, so 10 ms each. A p-value below 0.02 takes the longest.
func BenchmarkJudge1000Features(b *testing.B) {
	const features = 1000
	random := rand.New(rand.NewPCG(41, 42))
	normals := func(n int, mean float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = mean + random.NormFloat64()
		}
		return values
	}
	builder := window.NewBuilder(window.Options{})
	reference := normals(10_000, 0)
	for i := range features {
		if err := builder.Number(fmt.Sprintf("f%d", i), window.RoleFeature, reference, 0); err != nil {
			b.Fatal(err)
		}
	}
	r, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	for _, percent := range []int{0, 5, 100} {
		b.Run(fmt.Sprintf("moved=%d%%", percent), func(b *testing.B) {
			p := r.Profile()
			p.AddRows(1000)
			for i := range features {
				mean := 0.0
				if i*100 < percent*features {
					mean = 0.25
				}
				p.AddNumbers(i, normals(1000, mean))
			}
			baseline := drift.NewBaseline(r)
			start := processorTime(b)
			for b.Loop() {
				drift.Judge(baseline.Features(p), r.Rows, p.Rows(), drift.Defaults())
			}
			b.ReportMetric((processorTime(b)-start).Seconds()/float64(b.N)*1e3, "cpu-ms/op")
		})
	}
}

// processorTime is what the processor has worked for us: the clock on the wall of a shared machine
// says little.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
