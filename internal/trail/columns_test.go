package trail

import (
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/state"
)

// TestCatchUpTogether lets several readers of two processes' databases write the same columns while
// events are still recorded.
func TestCatchUpTogether(t *testing.T) { databases(t, testCatchUpTogether) }

func testCatchUpTogether(t *testing.T, fresh func(testing.TB) state.Config) {
	config := fresh(t)
	db, recorder := connect(t, config)
	other, err := state.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	const events = 3 * columnsBatch / 2
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range events / 4 {
				if _, err := recorder.Record(t.Context(), registration()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers := []*Reader{NewReader(db, origin), NewReader(db, origin), NewReader(other, origin)}
	for _, reader := range readers {
		group.Go(func() {
			for range 20 {
				if err := reader.CatchUp(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, reader := range readers {
		n, err := reader.Count(t.Context(), Filter{Model: "compas"})
		if err != nil || n != events {
			t.Errorf("%d events of the model, %v; want %d", n, err, events)
		}
	}
	if n, err := CheckEvents(t.Context(), readers[0]); err != nil || n != events {
		t.Errorf("%d events, %v", n, err)
	}
}
