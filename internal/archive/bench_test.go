package archive_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// BenchmarkFind finds a record by its id, warm, among 100 million: 200,000 segments of 500 are registered, as ten models
// make them that are cut each 10 seconds. Around the records that are asked for there are 20 with files, all of which can
// hold each id; of the others no file is ever asked for, so they have none.
func BenchmarkFind(b *testing.B) {
	h := open(b)
	at, ids := h.now, []prediction.ID(nil)
	for range 10 {
		for _, model := range []string{"churn", "credit"} {
			h.now = at
			ids = append(ids, h.send(b, model, 500)[100:400]...)
		}
		h.cut(b)
	}
	const others = 200_000
	const batch = 5_000
	random := rand.New(rand.NewPCG(1, 2))
	for first := 0; first < others; first += batch {
		err := h.DB.Write(b.Context(), func(tx *state.Tx) error {
			for i := first; i < first+batch; i++ {
				begin := at.Add(time.Duration(i/10-others/20) * 10 * time.Second)
				end := begin.Add(10*time.Second + time.Duration(random.IntN(1000))*time.Millisecond)
				if begin.Before(h.now.Add(time.Minute)) && end.After(at.Add(-time.Minute)) {
					continue
				}
				change := &capture.SegmentSealed{
					Model: fmt.Sprint("m", i%10), Segment: fmt.Sprint("s", i), File: tallystick.DigestOf(fmt.Append(nil, i)), Bytes: 1, Root: tallystick.DigestOf(nil), Records: 500,
					Shard: fmt.Sprint("s", i), First: 1, Last: 2, FirstTime: prediction.TimeOf(begin), LastTime: prediction.TimeOf(end), FirstID: prediction.NewID(begin), LastID: prediction.NewID(end),
				}
				if err := change.Apply(tx, trail.Mark{Sequence: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	cold := archive.New(archive.Config{Workspace: h.Workspace, Now: time.Now})
	defer cold.Close()
	most := 0
	for range 100 {
		n, err := cold.Candidates(b.Context(), prediction.NewID(at.Add(-time.Duration(random.IntN(others/20*10-100)+90)*time.Second)))
		if err != nil {
			b.Fatal(err)
		}
		most = max(most, n)
	}
	b.Run("find", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := cold.Find(b.Context(), ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
		n, err := cold.Candidates(b.Context(), ids[0])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "candidates")
		b.ReportMetric(float64(most), "most-elsewhere")
	})
	b.Run("prove", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, _, err := cold.Prove(b.Context(), ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
