package archive_test

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// processorTime returns the seconds that all threads of this process have used.
func processorTime() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkKeepUp registers segments of 32,768 records of 12 numbers and 3 categories, more than 6 million records, as cuts under
// full load make them and as fast as they can be written, and joins files meanwhile: how many files there are at most, and when both
// are done; and which part of one core joining takes where 24,000 records a second come in, by the processor time of joining as many
// alone.
func BenchmarkKeepUp(b *testing.B) {
	const rows = 1 << 15
	cuts := 192
	if testing.Short() {
		cuts = 32
	}
	records := loaded(b, rows)
	for b.Loop() {
		h := open(b)
		most, done := 0, make(chan error, 1)
		go func() {
			for i := range cuts {
				if err := h.register(b, i, records); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for running := true; running; {
			select {
			case err := <-done:
				if err != nil {
					b.Fatal(err)
				}
				running = false
			default:
			}
			if err := h.Compact(b.Context()); err != nil {
				b.Fatal(err)
			}
			most = max(most, h.files(b, "credit"))
		}
		b.ReportMetric(float64(most), "files-at-most")
		b.ReportMetric(float64(h.files(b, "credit")), "files")
		b.ReportMetric(float64(cuts), "segments")
	}
	b.StopTimer()
	h := open(b)
	for i := range 16 {
		if err := h.register(b, i, records); err != nil {
			b.Fatal(err)
		}
	}
	before := processorTime()
	if err := h.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := processorTime() - before
	if n := h.files(b, "credit"); n != 1 {
		b.Fatalf("%d files", n)
	}
	b.ReportMetric(100*24_000*took/(16*rows), "%core-at-24000/s")
}

// register puts records into a segment of credit and registers it.
func (h *house) register(tb testing.TB, i int, records [][]byte) error {
	tb.Helper()
	name := fmt.Sprintf("bench.%d", i)
	var file bytes.Buffer
	s, err := segment.Write(&file, name, each(records))
	if err != nil {
		return err
	}
	if _, err := h.Segments.PutAs(tb.Context(), &file, s.Digest); err != nil {
		return err
	}
	return h.DB.Write(tb.Context(), func(tx *state.Tx) error {
		_, err := h.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "tallystick", Kind: "program"}}, &capture.SegmentSealed{
			Model: "credit", Segment: name, File: s.Digest, Bytes: s.Bytes, Root: s.Parts[0].Root, Records: s.Count, Shard: name, First: 1, Last: 1,
			FirstTime: s.FirstTime, LastTime: s.LastTime, FirstID: s.FirstID, LastID: s.LastID,
		})
		return err
	})
}

func each(records [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// loaded returns records like those with which bench/ingest measures a server.
func loaded(tb testing.TB, n int) (records [][]byte) {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		at := noon.Add(time.Duration(i) * 40 * time.Microsecond)
		features := map[string]prediction.Value{}
		for k := range 12 {
			features[fmt.Sprint("number_", k)] = prediction.Number(float64(random.IntN(100_000)) / 100)
		}
		for k := range 3 {
			features[fmt.Sprint("category_", k)] = prediction.String([]string{"low", "medium", "high"}[random.IntN(3)])
		}
		r := prediction.Record{
			ID: prediction.NewID(at), Time: prediction.TimeOf(at), Model: "credit", Version: "1", Environment: "production", Subject: fmt.Sprintf("customer-%09d", random.IntN(1_000_000_000)),
			Output: prediction.String("refuse"), Score: prediction.Number(random.Float64()), Latency: prediction.Integer(int64(random.IntN(5000))), Status: prediction.OK,
			Features: prediction.NewFeatures(features), DecidedBy: prediction.Automated,
		}
		for k := range r.Salt {
			r.Salt[k] = byte(random.Uint32())
		}
		encoding, err := r.Append(nil)
		if err != nil {
			tb.Fatal(err)
		}
		records = append(records, encoding)
	}
	return records
}
