package capture_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestStall holds whoever makes segments up for ten minutes by the clock of the capture, while sixteen clients go on
// sending. What they send lies on the disk and not in memory; when the journal has what it may have, they are told when
// to come again; and afterwards everything that was acknowledged is in segments, once. It does not run beside others,
// whose memory would count.
func TestStall(t *testing.T) { //nolint:paralleltest // see above
	const (
		clients    = 16
		batchSize  = 16
		limit      = 6 << 20 // of the journal
		flat       = 1 << 20 // by which memory may grow while the journal does by more than four mebibytes
		acceptable = 1000    // batches, of which the journal takes a third
	)
	h := open(t, journal.Options{MaxStored: limit})
	begun, hold := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h.config.Reached(func(string) {
		once.Do(func() {
			close(begun)
			<-hold
		})
	})
	var clock atomic.Int64 // milliseconds since noon
	h.config.Now = func() time.Time { return noon.Add(time.Duration(clock.Load()) * time.Millisecond) }
	h.restart(t)

	want := h.send(t, 0)
	cut := make(chan error, 1)
	go func() { cut <- h.Cut(t.Context()) }()
	<-begun

	var mu sync.Mutex
	var next, refused atomic.Int64
	again := map[int64]bool{}
	text := strings.Repeat("x", 1000)
	batch := func(n int64) capture.Batch {
		b := capture.Batch{Sender: "ada", ID: fmt.Sprint("stall", n)}
		for i := range batchSize {
			b.Records = append(b.Records, prediction.Record{Model: "credit", Version: "1", Subject: fmt.Sprint(n, "/", i), Rationale: text})
		}
		return b
	}
	// send lets the clients send until so many bytes are stored, or somebody is told that it is full.
	send := func(until int64) {
		var group sync.WaitGroup
		for range clients {
			group.Go(func() {
				for status := (journal.Status{}); status.Stored < until && refused.Load() == 0; status, _ = h.config.Journal.Status() {
					clock.Add(2000)
					n := next.Add(1)
					answer, err := h.Accept(t.Context(), batch(n))
					mu.Lock()
					var full *journal.FullError
					switch {
					case errors.As(err, &full) && full.Stored && full.RetryAfter >= time.Second && tallystick.CodeOf(err) == tallystick.Unavailable:
						refused.Add(1)
						again[n] = true
					case err != nil || n > acceptable:
						t.Errorf("batch %d: %v", n, err)
						refused.Add(1)
					default:
						want = append(want, answer.IDs...)
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
	}
	send(limit / 4)
	memory, disk := heap(), size(t, h.options.Dir)
	send(2 * limit) // which it never has
	if grown := heap() - memory; grown > flat {
		t.Errorf("memory grew by %d KiB", grown>>10)
	} else {
		t.Logf("memory grew by %d KiB, the journal's files by %d", grown>>10, (size(t, h.options.Dir)-disk)>>10)
	}
	if grown := size(t, h.options.Dir) - disk; grown < limit/2 {
		t.Errorf("the journal's files grew by %d KiB", grown>>10)
	}
	if status, err := h.config.Journal.Status(); err != nil || status.Stored > limit || status.Stored < limit*9/10 {
		t.Errorf("the journal holds %d bytes of %d, %v", status.Stored, limit, err)
	}
	if clock.Load() < (10 * time.Minute).Milliseconds() {
		t.Errorf("it was %d ms", clock.Load())
	}

	close(hold)
	if err := <-cut; err != nil {
		t.Fatal(err)
	}
	h.cut(t)
	for n := range again {
		answer, err := h.Accept(t.Context(), batch(n))
		if err != nil || answer.Repeated {
			t.Fatalf("batch %d, which was refused, %+v, %v", n, answer, err)
		}
		want = append(want, answer.IDs...)
	}
	h.cut(t)
	if diff := cmp.Diff(sorted(want), h.stored(t)); diff != "" {
		t.Errorf("acknowledged and stored: %.2000s", diff)
	}
	if left := h.records(t); len(left) != 0 {
		t.Errorf("%d records are left in the journal", len(left))
	}
	if err := h.replay(t); err != nil {
		t.Error(err)
	}
}

// heap returns the bytes that live.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools held back
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// size returns the bytes of the files of a directory.
func size(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
