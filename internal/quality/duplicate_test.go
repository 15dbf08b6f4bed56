package quality

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSortHashes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{0, 1, 2, 100, 50_000} {
		hashes := make([]uint64, n)
		for i := range hashes {
			hashes[i] = rng.Uint64()
			if i%3 == 0 {
				hashes[i] >>= rng.IntN(64) // crowded buckets and duplicates
			}
		}
		want := slices.Clone(hashes)
		slices.Sort(want)
		sortHashes(hashes)
		if diff := cmp.Diff(want, hashes); diff != "" {
			t.Fatalf("%d hashes (-want +got):\n%s", n, diff)
		}
	}
}
