package monitor

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// TestChanceOfAnAlarm: a share that is just what may be fails no oftener than the confidence says, however rare it is and
// however small the window; and no count that fails is needed more than that takes.
func TestChanceOfAnAlarm(t *testing.T) {
	t.Parallel()
	const tail = (1 - confidence) / 2
	for _, n := range []int64{200, 1000, 5000, 100_000} {
		for _, may := range []float64{0.001, 0.01, 0.05, 0.5} {
			f := &facts{document: &Document{}}
			f.document.Checks.Drift.MinRows = 200
			first := func(fails func(k int64) bool) int64 {
				k := int64(0)
				for k <= n && !fails(k) {
					k++
				}
				return k
			}
			share := first(func(k int64) bool {
				var r Row
				f.share(&r, stat.Proportion{K: k, N: n}, may)
				return r.Verdict == tallystick.Fail
			})
			rare := first(func(k int64) bool {
				var r Row
				f.rare(&r, stat.Proportion{K: k, N: n}, Limits{Warn: may, Fail: may})
				return r.Verdict == tallystick.Fail
			})
			if chance, before := stat.AtLeast(share, n, may), stat.AtLeast(share-1, n, may); chance > tail || before <= tail || rare != share {
				t.Errorf("of %d with %g: %d fail, or %d, by chance in %.4f; one less in %.4f", n, may, share, rare, chance, before)
			}
			if most := math.Pow(1-may, float64(n)); most <= tail { // so many that none among them is proof
				var r Row
				if f.share(&r, stat.Proportion{K: 0, N: n}, may); r.Verdict != tallystick.Pass {
					t.Errorf("none of %d, of which %g may: %s", n, may, r.Verdict)
				}
			}
		}
	}
}
