package quality

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// repeats counts what sorting shows, whatever the hashes: few, crowded into one bucket, equal, zero.
func TestRepeats(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	for name, hash := range map[string]func(i int) uint64{
		"spread":  func(int) uint64 { return rng.Uint64() },
		"paired":  func(i int) uint64 { return mix(uint64(i / 2)) },
		"crowded": func(int) uint64 { return rng.Uint64() >> 40 },
		"few":     func(int) uint64 { return uint64(rng.IntN(3)) },
		"zero":    func(int) uint64 { return 0 },
	} {
		for _, n := range []int{0, 1, 2, 1000, 60_000} {
			hashes := make([]uint64, n)
			for i := range hashes {
				hashes[i] = hash(i)
			}
			sorted := slices.Clone(hashes)
			slices.Sort(sorted)
			want := int64(n - len(slices.Compact(sorted)))
			if got := repeats(hashes); got != want {
				t.Errorf("%s: %d of %d hashes repeat one before, want %d", name, got, n, want)
			}
		}
	}
}
