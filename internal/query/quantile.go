package query

import (
	"maps"
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
)

// The methods by which quantiles are found.
const (
	exactly  = "exact"
	byBins   = "log-linear bins, relative error at most 1/1024"
	binBits  = 9 // of the fraction that a bin keeps: its middle is at most 2^-10 of a number away
	dropBits = 52 - binBits
)

// room is what the samples of one question share.
type room struct{ values, bins int }

// What the samples of a question may hold, all together. Beyond the values, numbers are put into bins.
const (
	maxValues = 4 << 20
	maxBins   = 4 << 20
)

// sample gathers numbers for their quantiles: exactly, until that takes too much.
type sample struct {
	n      int64
	values []float64
	bins   map[int64]int64 // number of values by bin; nil while values has all
}

// add takes in a finite number. It reports false if there is no room even for bins.
func (s *sample) add(x float64, r *room) bool {
	s.n++
	if s.bins == nil && r.values < maxValues {
		s.values = append(s.values, x)
		r.values++
		return true
	}
	if s.bins == nil {
		s.bins = map[int64]int64{}
		for _, v := range s.values {
			s.count(v, r)
		}
		r.values -= len(s.values)
		s.values = nil
	}
	s.count(x, r)
	return r.bins <= maxBins
}

func (s *sample) count(x float64, r *room) {
	before := len(s.bins)
	s.bins[binOf(x)]++
	r.bins += len(s.bins) - before
}

// binOf returns the bin of a finite number; bins are in the order of their numbers.
func binOf(x float64) int64 {
	if x == 0 {
		return 0
	}
	bin := int64(math.Float64bits(math.Abs(x))>>dropBits) + 1
	if x < 0 {
		return -bin
	}
	return bin
}

// middle returns the number that stands for a bin.
func middle(bin int64) float64 {
	switch {
	case bin == 0:
		return 0
	case bin < 0:
		return -middle(-bin)
	}
	low, high := math.Float64frombits(uint64(bin-1)<<dropBits), math.Float64frombits(uint64(bin)<<dropBits)
	if math.IsInf(high, 1) {
		return low
	}
	return low + (high-low)/2
}

// quantiles returns the quantiles at q, and the method.
func (s *sample) quantiles(q []float64) (found []float64, method string) {
	if s.bins == nil {
		slices.Sort(s.values)
		for _, at := range q {
			found = append(found, stat.Quantile(s.values, at))
		}
		return found, exactly
	}
	bins := slices.Sorted(maps.Keys(s.bins))
	for _, at := range q {
		rank, seen := int64(at*float64(s.n-1)), int64(0)
		for _, bin := range bins {
			if seen += s.bins[bin]; seen > rank {
				found = append(found, middle(bin))
				break
			}
		}
	}
	return found, byBins
}
