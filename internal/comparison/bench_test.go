//go:build unix

package comparison_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/query"
)

// BenchmarkVersions is one answer about two versions of which there are 200,000 predictions in 48 windows: three shares in four
// slices, scores and fairness. Beside it stands a loop that reads the same columns and counts the failed predictions of each
// version, which is the least that any answer has to do.
func BenchmarkVersions(b *testing.B) {
	const hours, rows = 4, 50_000
	h := open(b)
	h.apply(b, metrics)
	for i := range hours {
		all := h.predict(noon.Add(time.Duration(i)*time.Hour), rows, 0.3, usual, usual)
		h.now = noon.Add(time.Duration(i+1)*time.Hour + 2*time.Minute)
		h.send(b, all)
	}
	var judging, counting time.Duration
	rounds := 0
	for b.Loop() {
		start := processorTime(b)
		j, _ := h.judge(b, asked)
		judging += processorTime(b) - start
		if n := j.Rows[0].NewRows + j.Rows[0].OldRows; n != hours*rows {
			b.Fatalf("%d predictions were compared", n)
		}
		start = processorTime(b)
		var n, failed [2]int64
		s := query.Selection{Model: "credit", From: noon, To: noon.Add(hours * time.Hour)}
		for block, err := range h.asker.Blocks(b.Context(), s, []string{"time", "version", "status", "latency_us", "output", "score", "f_region", "f_sex"}) {
			if err != nil {
				b.Fatal(err)
			}
			for k := range block.Rows() {
				side := 0
				if version, _ := block.Text(1, k); string(version) == "3" {
					side = 1
				}
				if n[side]++; string(must(block.Text(2, k))) == "error" {
					failed[side]++
				}
			}
		}
		counting += processorTime(b) - start
		if n[0]+n[1] != hours*rows || failed[0] == 0 {
			b.Fatalf("%v predictions, %v failed", n, failed)
		}
		rounds++
	}
	all := float64(rounds * hours * rows)
	b.ReportMetric(all/judging.Seconds(), "rows/s/core")
	b.ReportMetric(all/counting.Seconds(), "plain-rows/s/core")
}

func must(text []byte, _ bool) []byte { return text }

// processorTime is what the processor has worked for us.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
