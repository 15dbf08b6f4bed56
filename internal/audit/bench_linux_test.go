package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/table"
)

// Environment of the benchmarks.
const (
	envRows   = "TALLYSTICK_BENCH_ROWS"   // of the audited file; 1,000,000 if empty
	envDir    = "TALLYSTICK_BENCH_DIR"    // where files are kept for the next run; empty for a temporary directory
	envFormat = "TALLYSTICK_BENCH_FORMAT" // parquet, or csv
	envChild  = "TALLYSTICK_BENCH_CHILD"  // what this process is to do for its parent
)

const benchReferenceRows = 100_000

// TestMain does the work of one step of BenchmarkAudit where this process is its child.
func TestMain(m *testing.M) {
	if step := os.Getenv(envChild); step != "" {
		if err := benchStep(step, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func benchRows(tb testing.TB) int {
	rows := 1_000_000
	if s := os.Getenv(envRows); s != "" {
		var err error
		if rows, err = strconv.Atoi(s); err != nil {
			tb.Fatal(err)
		}
	}
	return rows
}

// benchFiles returns a file of predictions and its reference, which it makes where they are not
// there yet.
func benchFiles(tb testing.TB, rows int) (data, reference string) {
	tb.Helper()
	dir := os.Getenv(envDir)
	if dir == "" {
		dir = tb.TempDir()
	}
	form := os.Getenv(envFormat)
	if form == "" {
		form = "parquet"
	}
	paths := [2]string{}
	for i, n := range []int{rows, benchReferenceRows} {
		paths[i] = filepath.Join(dir, fmt.Sprintf("generated-%d-%d.%s", n, i, form))
		if _, err := os.Stat(paths[i]); errors.Is(err, fs.ErrNotExist) {
			generateFile(tb, paths[i]+".part."+form, n, uint64(i))
			if err := os.Rename(paths[i]+".part."+form, paths[i]); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return paths[0], paths[1]
}

// TestBenchFiles makes the files for scripts, and prints where they are.
func TestBenchFiles(t *testing.T) {
	if os.Getenv(envDir) == "" {
		t.Skipf("needs %s: makes the files of the benchmarks there", envDir)
	}
	data, reference := benchFiles(t, benchRows(t))
	fmt.Println(data)
	fmt.Println(reference)
}

// benchStep is what a child does: audit measures the file, decode opens, hashes and reads what the
// audit does and makes nothing of it, sweep reads as much memory as the columns have bytes.
func benchStep(step string, args []string) error {
	debug.SetMemoryLimit(SoftMemory)
	ctx := context.Background()
	switch step {
	case "audit":
		_, err := Measure(ctx, Config{Files: args[:1], Reference: args[1:2], Label: "label", Score: "score", Groups: []string{"region"}})
		if err != nil {
			return err
		}
	case "decode":
		// The columns of predictions are looked at for what they are, and taken in, before every
		// column is measured.
		core := []string{"label", "score", "region"}
		if err := decode(ctx, args[0], core, core); err != nil {
			return err
		}
		if err := decode(ctx, args[1], core[:2]); err != nil {
			return err
		}
	case "sweep":
		rows, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		sweep(rows * 25)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(peak)[0], 10, 64)
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(kib << 10)
		}
	}
	return errors.New("no VmHWM in /proc/self/status")
}

// decode reads those columns, and then every one.
func decode(ctx context.Context, path string, reads ...[]string) error {
	t, err := table.Open(ctx, []string{path}, table.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	for _, c := range t.Columns() {
		reads = append(reads, []string{c.Name})
	}
	for _, columns := range reads {
		if err := t.Scan(ctx, columns, func(*table.Block) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// sweep adds up as many float64 as there are values, from memory and not from the cache.
func sweep(values int) {
	memory := make([]float64, 1<<25)
	for i := range memory {
		memory[i] = float64(i)
	}
	var sum [4]float64 // side by side, because each addition waits for the one before it
	for values > 0 {
		part := memory[:min(values, len(memory))&^3]
		if len(part) == 0 {
			break
		}
		for i := 0; i < len(part); i += 4 {
			sum[0] += part[i]
			sum[1] += part[i+1]
			sum[2] += part[i+2]
			sum[3] += part[i+3]
		}
		values -= len(part)
	}
	if sum[0]+sum[1]+sum[2]+sum[3] < 0 {
		panic("a sum of positive numbers is negative")
	}
}

// child is what one step cost.
type child struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident
}

func runChild(b *testing.B, step string, args ...string) child {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, args...)
	cmd.Env = append(os.Environ(), envChild+"="+step)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	started := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", step, err, errs.String())
	}
	c := child{wall: time.Since(started), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if err := json.Unmarshal(out.Bytes(), &c.peak); err != nil {
		b.Fatalf("%s: %v", step, err)
	}
	return c
}

// BenchmarkAudit measures a file of 25 columns against a reference of 100,000 rows, in a process of
// its own. In the same run it only reads the same columns as often, and sweeps as many bytes of memory.
//
// rows/s is of the whole on all cores; decode-rows/s that of decoding alone; stat-rows/s/core the
// rows over the CPU seconds that the audit takes beyond hashing and decoding; peak-MiB what
// the process had resident at most; x-sweep the CPU seconds of the audit over those of the sweep.
func BenchmarkAudit(b *testing.B) {
	rows := benchRows(b)
	data, reference := benchFiles(b, rows)
	var audit, decoding, sweeping child
	for b.Loop() {
		args := []string{data, reference, strconv.Itoa(rows)}
		decoding, audit, sweeping = runChild(b, "decode", args...), runChild(b, "audit", args...), runChild(b, "sweep", args...)
	}
	n := float64(rows)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/audit.wall.Seconds(), "rows/s")
	b.ReportMetric(n/decoding.wall.Seconds(), "decode-rows/s")
	b.ReportMetric(n/(audit.cpu-decoding.cpu).Seconds(), "stat-rows/s/core")
	b.ReportMetric(audit.cpu.Seconds(), "cpu-s")
	b.ReportMetric(decoding.cpu.Seconds(), "decode-cpu-s")
	b.ReportMetric(float64(audit.peak)/(1<<20), "peak-MiB")
	b.ReportMetric(audit.cpu.Seconds()/sweeping.cpu.Seconds(), "x-sweep")
}
