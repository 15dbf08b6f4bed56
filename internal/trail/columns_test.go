package trail

import (
	"encoding/base64"
	mathrand "math/rand/v2"
	"strings"
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

// TestColumnsOfStrangeTexts records texts that no index has room for, and U+0000: they hold up nobody.
func TestColumnsOfStrangeTexts(t *testing.T) { databases(t, testColumnsOfStrangeTexts) }

func testColumnsOfStrangeTexts(t *testing.T, fresh func(testing.TB) state.Config) {
	db, recorder := connect(t, fresh(t))
	random := mathrand.NewChaCha8([32]byte{}) // what repeats itself, an index compresses
	long := make([]byte, 3*maxText/4)
	if _, err := random.Read(long); err != nil {
		t.Fatal(err)
	}
	texts := []string{base64.StdEncoding.EncodeToString(long), strings.Repeat("x", 1023) + "é", "a\x00b", "é"}
	for _, text := range texts {
		e := registration()
		e.Resource.ID, e.Actor.ID = strings.ReplaceAll(text, "\x00", "0"), text // it names the subject, which must be printable
		e.Data["model"] = text
		record(t, recorder, e)
	}
	reader := NewReader(db, origin)
	for i, text := range texts {
		id := strings.ReplaceAll(text, "\x00", "0")
		for _, f := range []Filter{{Resource: Resource{ID: id}}, {Actor: text}, {Model: text}} {
			events, err := reader.Events(t.Context(), f)
			if err != nil || len(events) != 1 || events[0].Sequence != uint64(i+1) || events[0].Resource.ID != id || events[0].Actor != text {
				t.Errorf("text %d: %d events, %v", i, len(events), err)
			}
		}
	}
	if n, err := CheckEvents(t.Context(), reader); err != nil || int(n) != len(texts) {
		t.Errorf("%d events, %v", n, err)
	}
}
