package capture_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/journal"
)

// Readers see what was acknowledged before they asked, and many of them have it cut once.
func TestFresh(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	var cuts atomic.Int64
	h.config.Reached(func(stage string) {
		if stage == "put" {
			cuts.Add(1)
		}
	})
	h.restart(t)
	ids := h.send(t, 1)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			if err := h.Fresh(t.Context()); err != nil {
				t.Error(err)
			}
			if found := h.segments(t); len(found) != 2 {
				t.Errorf("%d segments", len(found))
			}
		})
	}
	wait.Wait()
	if n := cuts.Load(); n != 1 {
		t.Errorf("cut %d times", n)
	}
	if found := h.stored(t); len(found) != len(ids) {
		t.Errorf("stored %v, sent %v", found, ids)
	}
	h.restart(t) // and so after a start, when nothing is known of what was cut
	if err := h.Fresh(t.Context()); err != nil || cuts.Load() != 1 {
		t.Errorf("after a start: %v, cut %d times", err, cuts.Load())
	}
}

// A cut ends though others go on sending.
func TestCutEnds(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	n := 1
	h.config.Reached(func(stage string) {
		if stage == "put" && n < 50 {
			n++
			h.send(t, n)
		}
	})
	h.restart(t)
	h.send(t, 1)
	h.cut(t)
	if n != 2 {
		t.Errorf("%d batches came while one was cut", n-1)
	}
}
