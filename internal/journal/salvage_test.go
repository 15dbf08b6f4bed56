package journal

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRanges compares with a set that is kept the simple way.
func TestRanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var set ranges
		present := make(map[uint64]bool)
		for range r.IntN(60) {
			n := 1 + r.Uint64N(40)
			if fresh := set.add(n); fresh == present[n] {
				t.Fatalf("seed %d: add(%d) says %v", seed, n, fresh)
			}
			present[n] = true
		}
		from, to := 1+r.Uint64N(20), 20+r.Uint64N(30)
		var want []Range
		for n := from; n <= to; n++ {
			switch {
			case present[n]:
			case len(want) > 0 && want[len(want)-1].To == n-1:
				want[len(want)-1].To = n
			default:
				want = append(want, Range{n, n})
			}
		}
		if diff := cmp.Diff(want, set.without(from, to)); diff != "" {
			t.Fatalf("seed %d, %v without %d to %d: %s", seed, set, from, to, diff)
		}
	}
}
