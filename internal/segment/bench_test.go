package segment_test

import (
	"bytes"
	"crypto/sha256"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// processorTime returns the seconds that all threads of this process have used.
func processorTime() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkWrite writes records of 20 numbers and 5 categories: as many as a cut of the journal has at most, and two row
// groups and more. Rates are by processor time, so that they mean one core on a busy machine too. limit-rows/s/core is what hashing the
// leaves, packing the same pages and hashing the file take alone.
func BenchmarkWrite(b *testing.B) {
	all := shaped(b, 150_000)
	for name, encodings := range map[string][][]byte{"cut": all[:32_768], "large": all} {
		b.Run(name, func(b *testing.B) { benchWrite(b, encodings) })
	}
}

func benchWrite(b *testing.B, encodings [][]byte) {
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
	rows := float64(len(encodings))
	b.ReportMetric(float64(b.N)*rows/took, "rows/s/core")
	b.ReportMetric(float64(summary.Bytes)/rows, "B/row")

	pages := segment.PackedPagesForTest(opened(b, out.Bytes()))
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	var packed []byte
	before = processorTime()
	for range b.N {
		for _, encoding := range encodings {
			prediction.LeafOf(encoding)
		}
		for _, page := range pages {
			packed = encoder.EncodeAll(page, packed[:0])
		}
		sha256.Sum256(out.Bytes())
	}
	b.ReportMetric(float64(b.N)*rows/(processorTime()-before), "limit-rows/s/core")
}

// BenchmarkScan reads 3 of the columns of a million rows, beside unpacking alone: rows/s/core of the scan, and of adding up as
// many numbers that lie in memory.
func BenchmarkScan(b *testing.B) {
	data, rows := benchFile(b)
	f := opened(b, data)
	columns := []string{"f_number_00", "f_number_01", "score"}
	sum, read := 0.0, 0
	before := processorTime()
	for b.Loop() {
		for batch, err := range segment.Scan([]*segment.File{f}, columns) {
			if err != nil {
				b.Fatal(err)
			}
			for _, column := range batch.Columns {
				for _, v := range column.Floats {
					sum += v
				}
			}
			read += batch.Rows
		}
	}
	took := processorTime() - before
	if sum == 0 || read != b.N*rows {
		b.Fatalf("%d rows", read)
	}
	b.ReportMetric(float64(read)/took, "rows/s/core")

	numbers := make([]float64, rows)
	before = processorTime()
	for range 30 {
		for _, v := range numbers {
			sum += v
		}
	}
	b.ReportMetric(10*float64(rows)/(processorTime()-before), "memory-rows/s/core")
}

// benchFile is a file of 200,000 rows, or of as many as are quick in short mode.
func benchFile(b *testing.B) ([]byte, int) {
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	data, _ := written(b, "bench", shaped(b, n))
	return data, n
}

// BenchmarkRead gives all records back, each held against its leaf.
func BenchmarkRead(b *testing.B) {
	data, rows := benchFile(b)
	f := opened(b, data)
	before := processorTime()
	for b.Loop() {
		for _, err := range f.Entries() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*rows)/(processorTime()-before), "rows/s/core")
}

// BenchmarkOne does what is asked of one record: open the file, find the record, read it, prove it,
// and verify the proof.
func BenchmarkOne(b *testing.B) {
	encodings := shaped(b, 200_000)
	data, summary := written(b, "bench", encodings)
	at := 123_456
	record, err := prediction.Decode(encodings[at])
	if err != nil {
		b.Fatal(err)
	}
	f := opened(b, data)
	p, err := f.Prove(int64(at))
	if err != nil {
		b.Fatal(err)
	}
	r := prediction.Record{InputDigest: summary.Parts[0].Root}
	root, _ := r.InputSum()
	for name, do := range map[string]func() error{
		"open":   func() error { _, err := segment.Open(bytes.NewReader(data), int64(len(data))); return err },
		"find":   func() error { _, err := f.Find(record.ID); return err },
		"at":     func() error { _, err := f.At(int64(at)); return err },
		"prove":  func() error { _, err := f.Prove(int64(at)); return err },
		"verify": func() error { return p.Verify(prediction.LeafOf(encodings[at]), root) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms")
		})
	}
}
