package profile

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
)

const (
	maxHashes = 4096    // smallest hashes kept: the count is within 5 % three times out of a thousand
	maxSample = 1 << 20 // values kept for percentiles
)

// mix spreads the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// distinct counts different values by the smallest of their hashes (Bar-Yossef et al., RANDOM 2002,
// section 2.1): exactly up to maxHashes, with a relative error of 1.6 % beyond.
type distinct struct {
	hashes []uint64 // those below bound, some twice
	bound  uint64   // 0: none yet
	full   bool     // more than maxHashes have been seen
}

func (d *distinct) add(hash uint64) {
	if d.full && hash >= d.bound {
		return
	}
	if d.hashes = append(d.hashes, hash); len(d.hashes) >= 4*maxHashes {
		d.settle()
	}
}

// settle keeps the smallest hashes, each once.
func (d *distinct) settle() {
	slices.Sort(d.hashes)
	d.hashes = slices.Compact(d.hashes)
	if len(d.hashes) > maxHashes {
		d.hashes = d.hashes[:maxHashes]
		d.full = true
	}
	if d.full {
		d.bound = d.hashes[len(d.hashes)-1]
	}
}

func (d *distinct) count() int64 {
	d.settle()
	if !d.full {
		return int64(len(d.hashes))
	}
	return int64(math.Round((maxHashes - 1) / (float64(d.bound) / math.MaxUint64)))
}

// sample keeps values for percentiles: all of them, or those of the rows that a hash of their number
// chooses, so that the same data give the same sample.
type sample struct {
	values []drawn
	shift  int // a row is kept if the last shift bits of its hash are 0
}

type drawn struct {
	hash  uint64
	value float64
}

func (s *sample) add(row int64, v float64) {
	hash := mix(uint64(row))
	if !s.keeps(hash) {
		return
	}
	if s.values = append(s.values, drawn{hash, v}); len(s.values) > maxSample {
		s.shift++
		s.values = slices.DeleteFunc(s.values, func(d drawn) bool { return !s.keeps(d.hash) })
	}
}

func (s *sample) keeps(hash uint64) bool { return hash&(1<<s.shift-1) == 0 }

// sampled returns the number of values kept, 0 if that is all of them.
func (s *sample) sampled() int64 {
	if s.shift == 0 {
		return 0
	}
	return int64(len(s.values))
}

// percentiles returns the quantiles 0, 0.01, ..., 1; the extremes are those of all values.
func (s *sample) percentiles(low, high float64) []float64 {
	sorted := make([]float64, len(s.values))
	for i, d := range s.values {
		sorted[i] = d.value
	}
	slices.Sort(sorted)
	list := make([]float64, steps+1)
	for i := range list {
		list[i] = stat.Quantile(sorted, float64(i)/steps)
	}
	list[0], list[steps] = low, high
	return list
}
