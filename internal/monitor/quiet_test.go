package monitor

import (
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// TestQuiet counts how often windows are flagged in which nothing has changed: by decisions in 20 segments, and by
// contributions of 10 features. Significance alone decides here, which Benjamini-Hochberg bounds by 5 % of windows; the second key
// of the checks flags fewer.
func TestQuiet(t *testing.T) {
	t.Parallel()
	const windows, promise = 400, 0.05
	r := rand.New(rand.NewPCG(11, 12))
	f := &facts{document: &Document{Checks: Checks{Drift: drift.Defaults()}}}
	made := func(rows int) map[segmentOf]*decisions {
		all := map[segmentOf]*decisions{{}: {by: map[string]int64{}}}
		for i := range rows {
			key := segmentOf{"job", string(rune('a' + i%20))}
			if all[key] == nil {
				all[key] = &decisions{by: map[string]int64{}}
			}
			decision := outcome.Negatively
			if r.IntN(10) < 3 {
				decision = outcome.Positively
			}
			overridden := r.IntN(20) == 0
			all[segmentOf{}].add(decision, true, overridden)
			all[key].add(decision, true, overridden)
		}
		return all
	}
	attributed := func(rows int) *outcome.Sample {
		s := outcome.NewSample(rows)
		encode := shares(10)
		for range rows {
			var id prediction.ID
			for k := range id {
				id[k] = byte(r.Uint32())
			}
			s.Add(id, 0, encode(func(k int) prediction.Value { return prediction.Number(float64(k+1) * r.NormFloat64()) }))
		}
		return s
	}
	flagged := map[string]int{}
	by := &decisionsCheck{by: []string{"job"}, change: 0.01, origin: ofDefault} // so small that significance alone decides
	var before map[segmentOf]*decisions
	var base *outcome.Sample
	for i := range windows {
		if i%8 == 0 { // windows against one reference share its luck
			before, base = made(20_000), attributed(5000)
		}
		rows := by.rows(f, before, made(4000))
		if len(rows) != 2*21 {
			t.Fatalf("%d rows of 21 segments", len(rows))
		}
		for _, check := range []struct {
			name string
			rows []Row
		}{{"decisions", rows}, {"attribution", (&attributionCheck{warn: 1e-9, fail: 1}).rows(f, make([]string, 10), "the reference", base, attributed(1000))}} {
			worst := tallystick.Verdict("")
			for _, row := range check.rows {
				worst = worst.Worse(row.Verdict)
			}
			if worst != tallystick.Pass {
				flagged[check.name]++
			}
		}
	}
	for _, name := range []string{"decisions", "attribution"} {
		share := stat.Proportion{K: int64(flagged[name]), N: windows}
		t.Logf("%s: %d of %d windows flagged", name, share.K, share.N)
		if low := share.Wilson(0.99).Low; low > promise {
			t.Errorf("%s flags %d of %d windows in which nothing has changed, surely more than %g", name, share.K, share.N, promise)
		}
	}
}
