package main

import "fmt"

// metric names one figure: a benchmark without the suffix of its processors, and a unit.
type metric struct{ benchmark, unit string }

// row is a line of the table. Where there is something to measure against, the target is about the
// ratio; otherwise it is about the figure.
type row struct {
	name   string
	figure metric
	unit   string
	beside metric
	what   string // the metric beside it, in words
	target target
}

// target is a bound. The zero value is none.
type target struct {
	at      float64
	atLeast bool
	unit    string
}

func atLeast(x float64, unit string) target { return target{x, true, unit} }
func atMost(x float64, unit string) target  { return target{x, false, unit} }

// String writes the bound, or nothing where the figure is only to be seen.
func (t target) String() string {
	switch {
	case t == target{}:
		return "-"
	case t.atLeast:
		return fmt.Sprintf("at least %s %s", number(t.at), t.unit)
	}
	return fmt.Sprintf("at most %s %s", number(t.at), t.unit)
}

func (t target) met(x float64) string {
	switch {
	case t == target{}:
		return "-"
	case t.atLeast == (x >= t.at) || x == t.at:
		return "yes"
	}
	return "no"
}

// rows lists what the table shows.
func rows() []row {
	recorder := func(callers, unit, what, beside string, t target) row {
		name := "BenchmarkRecorder/callers=" + callers
		return row{"events recorded, " + callers + " callers", metric{name, "events/s"}, unit, metric{name, beside}, what, t}
	}
	check := func(name, figure, beside, what string) row {
		return row{name, metric{"BenchmarkCheck", figure}, "s", metric{"BenchmarkCheck", beside}, what, atMost(2, "x")}
	}
	seal := func(unit string) metric { return metric{"BenchmarkSealLatency", unit} }
	audit := func(unit string) metric { return metric{"BenchmarkAudit", unit} }
	journal := func(size, other, what string, t target) row {
		return row{"journal, 32 clients, batches of " + size + ", beside " + what, metric{"BenchmarkJournal/batch=" + size, "x_" + other}, "x", metric{}, "", t}
	}
	const oneRow, plainFile = "inserts of one row into SQLite", "records to a plain file"
	return []row{
		recorder("64", "1/s", oneRow, "rows/s", atLeast(0.5, "x")),
		recorder("1024", "1/s", oneRow, "rows/s", atLeast(0.5, "x")),
		{"models registered through HTTP, 64 clients", metric{"BenchmarkRegister", "calls/s"}, "1/s", metric{"BenchmarkRegister", "rows/s"}, oneRow, atLeast(0.15, "x")},
		recorder("64", "1/s", plainFile, "records/s", target{}),
		recorder("1024", "1/s", plainFile, "records/s", target{}),
		journal("1", "plain", "a plain file", atLeast(0.7, "x")),
		journal("500", "plain", "a plain file", atLeast(0.7, "x")),
		journal("1", "copy", "COPY into PostgreSQL", atLeast(5, "x")),
		journal("500", "copy", "COPY into PostgreSQL", atLeast(3, "x")),
		{"event to checkpoint at 1,000/s, p99", seal("p99_ms"), "ms", seal("limit_ms"), "interval + 10 x p99 of fdatasync", atMost(1, "x")},
		{"event to checkpoint at 1,000/s, p50", seal("p50_ms"), "ms", seal("interval_ms"), "checkpoint interval", target{}},
		{"fdatasync in that run, p99", seal("fdatasync_p99_ms"), "ms", metric{}, "", target{}},
		// Two readings of "SHA-256 of the same bytes on one core": the time that one waits for the check,
		// which uses all cores, and the processor time that it takes on all of them together.
		check("ledger check, on the clock, all cores", "s/check", "s/stream", "SHA-256 of the bytes in one piece, one core"),
		check("ledger check, processor time", "cpu-s/check", "cpu-s/stream", "SHA-256 of the bytes in one piece, one core"),
		check("ledger check, on the clock, all cores", "s/check", "s/tree", "SHA-256 of every leaf and node, one core"),
		check("ledger check, processor time", "cpu-s/check", "cpu-s/tree", "SHA-256 of every leaf and node, one core"),
		{"audit of 25 columns, peak resident", audit("peak-MiB"), "MiB", metric{}, "", atMost(1024, "MiB")},
		{"audit, statistics after decoding, a core", audit("stat-rows/s/core"), "rows/s", metric{}, "", atLeast(1e6, "rows/s")},
		{"audit, as a whole on all cores", audit("rows/s"), "rows/s", audit("decode-rows/s"), "decoding alone", target{}},
		{"comparison of 10M values, exact", metric{"BenchmarkCompare/exact/reference=100000", "Mvalues/s"}, "M/s", metric{"BenchmarkCompare/sweep", "Mvalues/s"}, "reading them once", target{}},
		{"comparison of 10M values, exact", metric{"BenchmarkCompare/exact/reference=100000", "Mvalues/s"}, "M/s", metric{"BenchmarkCompare/radix_sort", "Mvalues/s"}, "radix sort", target{}},
		// Records of 20 numbers and 5 categories; rates by processor time.
		{"segment written, a core", metric{"BenchmarkWrite", "rows/s/core"}, "rows/s", metric{}, "", atLeast(200_000, "rows/s")},
		{"segment written, a core", metric{"BenchmarkWrite", "rows/s/core"}, "rows/s", metric{"BenchmarkWrite", "leaves/s/core"}, "hashing the leaves alone", target{}},
		{"segment, a record on disk", metric{"BenchmarkWrite", "B/row"}, "B", metric{}, "", atMost(190, "B")},
		{"segment, scan of 3 columns, a core", metric{"BenchmarkScan", "rows/s/core"}, "rows/s", metric{}, "", atLeast(20e6, "rows/s")},
		{"segment, scan of 3 columns, a core", metric{"BenchmarkScan", "rows/s/core"}, "rows/s", metric{"BenchmarkScan", "memory-rows/s/core"}, "adding up numbers in memory", target{}},
		{"segment read back, each record against its leaf, a core", metric{"BenchmarkRead", "rows/s/core"}, "rows/s", metric{}, "", target{}},
		{"proof of one of 200,000 records", metric{"BenchmarkOne/prove", "ms"}, "ms", metric{}, "", atMost(20, "ms")},
		{"verification of it", metric{"BenchmarkOne/verify", "ms"}, "ms", metric{}, "", atMost(1, "ms")},
		// Monitors, of 20 numbers and 5 categories, by processor time.
		{"window profile, rows counted from codes, a core", metric{"BenchmarkAdd/codes", "Mrows/cpu-s"}, "M/s", metric{}, "", atLeast(3, "M/s")},
		{"10,000 window profiles merged from their bytes", metric{"BenchmarkMerge10000/bytes", "cpu-s/op"}, "s", metric{}, "", atMost(1, "s")},
		{"1,000 features judged, of which 5 % moved", metric{"BenchmarkJudge1000Features/moved=5%", "cpu-ms/op"}, "ms", metric{}, "", atMost(10, "ms")},
		{"a model's minute counted, judged and on the trail", metric{"BenchmarkRun", "cpu-ms/window"}, "ms", metric{}, "", atMost(60, "ms")},
		{"two versions compared in five metrics and three slices, a core", metric{"BenchmarkVersions", "rows/s/core"}, "rows/s", metric{"BenchmarkVersions", "plain-rows/s/core"}, "reading the columns, counting one share", atLeast(0.1, "x")},
	}
}
