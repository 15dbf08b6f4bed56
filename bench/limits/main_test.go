package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	t.Parallel()
	measured, err := parse(strings.NewReader(`goos: linux
cpu: Example
BenchmarkRecorder/callers=64-2 	 1	 53.2 cpu_µs/event	 5000 events/s	 20000 records/s	 10000 rows/s
BenchmarkRecorder/callers=1024-2 	 1	 4999 events/s	 10000 rows/s
BenchmarkSealLatency-2  1  90 p50_ms  120 p99_ms  100 interval_ms  150 limit_ms
BenchmarkSealLatency-2  1  90 p50_ms  180 p99_ms  100 interval_ms  150 limit_ms
BenchmarkSealLatency-2  1  90 p50_ms  130 p99_ms  100 interval_ms  150 limit_ms
BenchmarkAudit  1  1100.5 peak-MiB  2000000 stat-rows/s/core
Benchmark of something else, said in a log
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := write(&out, rows(), measured); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{} // the first line of each benchmark, blanks folded
	for line := range strings.Lines(out.String()) {
		columns := strings.Fields(line)
		name := strings.Join(columns[:min(4, len(columns))], " ")
		if _, seen := got[name]; !seen {
			got[name] = strings.Join(columns[min(4, len(columns)):], " ")
		}
	}
	for name, want := range map[string]string{
		"events recorded, 64 callers":       "5000 1/s 10000 1/s, inserts of one row into SQLite 0.5 x at least 0.5 x yes",
		"events recorded, 1024 callers":     "4999 1/s 10000 1/s, inserts of one row into SQLite 0.5 x at least 0.5 x no",
		"event to checkpoint at":            "1,000/s, p99 130 ms 150 ms, interval + 10 x p99 of fdatasync 0.867 x at most 1 x yes", // the median of three
		"audit of 25 columns,":              "peak resident 1100 MiB at most 1024 MiB no",
		"audit, statistics after decoding,": "a core 2000000 rows/s at least 1000000 rows/s yes",
		"ledger check, on the":              "clock, all cores not measured at most 2 x",
		"fdatasync in that run,":            "p99 not measured -",
		"BENCHMARK FIGURE BESIDE IT":        "RATIO TARGET MET",
		"comparison of 10M values,":         "exact not measured -",
		"audit, as a whole":                 "on all cores not measured -",
		"ledger check, processor time":      "not measured at most 2 x",
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"BenchmarkX 1 5 ns/op 7", "BenchmarkX 1 many ns/op"} {
		if _, err := parse(strings.NewReader(line)); err == nil {
			t.Errorf("parse(%q) succeeded", line)
		}
	}
}
