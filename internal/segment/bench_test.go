package segment_test

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// processorTime returns the seconds that all threads of this process have used.
func processorTime() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkWrite writes records of 20 numbers and 5 categories. Rates are by processor time, so that
// they mean one core on a busy machine too; leaves/s is hashing the leaves alone.
func BenchmarkWrite(b *testing.B) {
	encodings := shaped(b, 100_000)
	size := 0
	for _, encoding := range encodings {
		size += len(encoding)
	}
	var out bytes.Buffer
	var summary *segment.Summary
	before := processorTime()
	for b.Loop() {
		out.Reset()
		var err error
		if summary, err = segment.Write(&out, "bench", each(encodings)); err != nil {
			b.Fatal(err)
		}
	}
	took := processorTime() - before
	rows := float64(b.N * len(encodings))
	b.ReportMetric(rows/took, "rows/s/core")
	b.ReportMetric(float64(summary.Bytes)/float64(len(encodings)), "B/row")
	b.ReportMetric(float64(size)/float64(len(encodings)), "encoded-B/row")
	before = processorTime()
	for range 10 {
		for _, encoding := range encodings {
			prediction.LeafOf(encoding)
		}
	}
	b.ReportMetric(10*float64(len(encodings))/(processorTime()-before), "leaves/s/core")
}
