package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// benchEntries is the size of the log that BenchmarkCheck checks. LEDGER_BENCH_ENTRIES sets it.
func benchEntries(b *testing.B) int {
	s := os.Getenv("LEDGER_BENCH_ENTRIES")
	if s == "" {
		return 100_000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("LEDGER_BENCH_ENTRIES=%q is not a number of entries", s)
	}
	return n
}

// benchLeaves fills a batch with entries of 500 bytes, no two alike.
func benchLeaves(batch [][]byte, first int) {
	for i := range batch {
		batch[i] = bytes.Repeat([]byte("tallystick"), 50)
		binary.BigEndian.PutUint64(batch[i], uint64(first+i))
	}
}

// cpuTime is what this process has used on all cores.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCheck reports the time of Check as a multiple of two limits that one core needs, measured in
// turns with it. x-stream: SHA-256 of as many bytes as bundles and leaf tiles have, in one piece and
// from memory. x-tree: SHA-256 of every leaf and node that the tree needs. The cpu figures divide CPU time on
// all cores by CPU time, which is the figure for one core and steadier on a busy machine. (GOMAXPROCS=1
// in the environment shows one core alone; -cpu 1 does not, because b.Loop runs before it is set.)
func BenchmarkCheck(b *testing.B) {
	cfg := testConfig(b)
	cfg.CheckpointInterval = time.Second
	l := open(b, cfg)
	n := benchEntries(b)
	batch := make([][]byte, MaxBatch)
	for done := 0; done < n; {
		part := batch[:min(MaxBatch, n-done)]
		benchLeaves(part, done)
		if _, err := l.Append(b.Context(), part); err != nil {
			b.Fatal(err)
		}
		done += len(part)
	}
	closeLog(b, l)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 1<<18) // as much as a processor's cache holds
	var leaf [501]byte
	var node [65]byte
	var check, stream, tree stopwatch
	var report Report
	for b.Loop() {
		check.time(b, func() {
			report, err = r.Check(b.Context(), CheckOptions{Verifiers: cfg.Verifiers, Anchor: cfg.Anchor})
		})
		if err != nil {
			b.Fatal(err)
		}
		stream.time(b, func() {
			h := sha256.New()
			for left := report.Bytes; left > 0; left -= int64(len(block)) {
				h.Write(block[:min(left, int64(len(block)))])
			}
			leaf[2] += h.Sum(nil)[0]
		})
		tree.time(b, func() {
			for range n {
				leaf[1] += sha256.Sum256(leaf[:])[0]
				node[1] += sha256.Sum256(node[:])[0]
			}
		})
	}
	b.ReportMetric(float64(report.Bytes)/check.wall.Seconds()*float64(b.N)/1e6, "MB/s")
	for unit, watch := range map[string]stopwatch{"check": check, "stream": stream, "tree": tree} {
		b.ReportMetric(watch.wall.Seconds()/float64(b.N), "s/"+unit)
		b.ReportMetric(watch.cpu.Seconds()/float64(b.N), "cpu-s/"+unit)
	}
	b.ReportMetric(check.wall.Seconds()/stream.wall.Seconds(), "x-stream")
	b.ReportMetric(check.cpu.Seconds()/stream.cpu.Seconds(), "x-stream-cpu")
	b.ReportMetric(check.wall.Seconds()/tree.wall.Seconds(), "x-tree")
	b.ReportMetric(check.cpu.Seconds()/tree.cpu.Seconds(), "x-tree-cpu")
	b.ReportMetric(0, "ns/op")
}

// stopwatch sums the time of calls, on the clock and on all cores.
type stopwatch struct{ wall, cpu time.Duration }

func (s *stopwatch) time(b *testing.B, f func()) {
	start, cpu := time.Now(), cpuTime(b)
	f()
	s.wall += time.Since(start)
	s.cpu += cpuTime(b) - cpu
}

// BenchmarkAppend appends batches, each acknowledged before the next, and in turns writes the same
// bytes to a plain file with one fdatasync a batch.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 256, 1024, 4096} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			cfg := testConfig(b)
			cfg.CheckpointInterval = time.Second
			l := open(b, cfg)
			plain, err := os.Create(filepath.Join(filepath.Dir(cfg.Dir), "plain"))
			if err != nil {
				b.Fatal(err)
			}
			defer plain.Close()
			batch := make([][]byte, size)
			var appended, written time.Duration
			var done int
			for b.Loop() {
				benchLeaves(batch, done)
				start := time.Now()
				if _, err := l.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				appended += time.Since(start)
				done += size

				joined := bytes.Join(batch, nil)
				start = time.Now()
				if _, err := plain.Write(joined); err != nil {
					b.Fatal(err)
				}
				if err := syscall.Fdatasync(int(plain.Fd())); err != nil {
					b.Fatal(err)
				}
				written += time.Since(start)
			}
			closeLog(b, l)
			b.ReportMetric(float64(done)/appended.Seconds(), "entries/s")
			b.ReportMetric(appended.Seconds()/written.Seconds(), "x-fdatasync")
			b.ReportMetric(float64(diskUse(b, cfg.Dir))/float64(done), "disk-B/entry")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// diskUse is what the files below dir take on the disk, in bytes.
func diskUse(b *testing.B, dir string) (total int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		total += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}
