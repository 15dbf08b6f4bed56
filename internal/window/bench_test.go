//go:build unix

package window_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/window"
)

// processor measures the time that the processor worked, in the garbage collector too: on a machine
// that others use, the clock on the wall says little.
func processor(b *testing.B) (seconds func() float64) {
	b.Helper()
	now := func() time.Duration {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			b.Fatal(err)
		}
		return time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	start := now()
	return func() float64 { return (now() - start).Seconds() }
}

// Rows of 20 numbers and 5 categories from columns: at least 3 million a second are wanted.
func BenchmarkAdd(b *testing.B) {
	const rows = 100_000
	c := newColumns(rows, 0)
	r := c.reference(b)
	for name, coded := range map[string]bool{"codes": true, "texts": false} {
		b.Run(name, func(b *testing.B) {
			p := r.Profile()
			seconds := processor(b)
			for b.Loop() {
				c.count(p, coded)
			}
			b.ReportMetric(float64(b.N)*rows/seconds()/1e6, "Mrows/cpu-s")
		})
	}
}

// 10,000 profiles of 1,000 rows become one: at most a second is wanted.
func BenchmarkMerge10000(b *testing.B) {
	c := newColumns(1000, 0)
	r := c.reference(b)
	parts := make([]*window.Profile, 500) // 25 MB: more than the caches hold
	for i := range parts {
		parts[i] = r.Profile()
		c.count(parts[i], true)
	}
	data := marshal(b, parts[0])
	b.Run("memory", func(b *testing.B) {
		seconds := processor(b)
		for b.Loop() {
			p := r.Profile()
			for i := range 10_000 {
				if err := p.Merge(parts[i%len(parts)]); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(seconds()/float64(b.N), "cpu-s/op")
	})
	b.Run("bytes", func(b *testing.B) {
		seconds := processor(b)
		for b.Loop() {
			p := r.Profile()
			for range 10_000 {
				part, err := r.ParseProfile(data)
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Merge(part); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(data)), "bytes")
		b.ReportMetric(seconds()/float64(b.N), "cpu-s/op")
	})
}

// One comparison: a million, of 1,000 features in 1,000 windows, may take 10 s, so 10 us each.
func BenchmarkCompare(b *testing.B) {
	r := newColumns(10_000, 0).reference(b)
	for _, shift := range []float64{0, 0.1, 0.5, 2} {
		b.Run(fmt.Sprintf("shift=%v", shift), func(b *testing.B) {
			p := r.Profile()
			newColumns(1000, shift).count(p, true)
			i := 0
			seconds := processor(b)
			for b.Loop() {
				p.Compare(i % 20)
				i++
			}
			b.ReportMetric(seconds()/float64(b.N)*1e6, "cpu-us/op")
		})
	}
}
