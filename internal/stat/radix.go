package stat

import (
	"math"
	"slices"
)

// radixFrom is the length from which counting digits beats comparing values.
const radixFrom = 512

// sortFloats sorts values that hold no NaN, in place. It is a least significant
// digit radix sort over keys whose unsigned order is the order of the floats; a pass whose digit
// is the same in every key is skipped. scratch is used when it is long enough, so that a caller
// that sorts many slices allocates once.
func sortFloats(values, scratch []float64) {
	const (
		bits   = 11
		digits = 6 // 6 x 11 >= 64
		radix  = 1 << bits
	)
	if len(values) < radixFrom {
		slices.Sort(values)
		return
	}
	if cap(scratch) < len(values) {
		scratch = make([]float64, len(values))
	}
	scratch = scratch[:len(values)]

	var counts [digits][radix]int
	for _, v := range values {
		key := orderedKey(v)
		for d := range digits {
			counts[d][key>>(d*bits)&(radix-1)]++
		}
	}
	from, to := values, scratch
	for d := range digits {
		shift := d * bits
		next := &counts[d]
		if next[orderedKey(values[0])>>shift&(radix-1)] == len(values) {
			continue
		}
		sum := 0
		for digit, count := range next {
			next[digit] = sum
			sum += count
		}
		for _, v := range from {
			digit := orderedKey(v) >> shift & (radix - 1)
			to[next[digit]] = v
			next[digit]++
		}
		from, to = to, from
	}
	if &from[0] != &values[0] {
		copy(values, from)
	}
}

// orderedKey maps a float that is not NaN to an integer of the same order: negative numbers have
// all bits flipped, the others the sign bit.
func orderedKey(v float64) uint64 {
	key := math.Float64bits(v)
	return key ^ (uint64(int64(key)>>63) | 1<<63)
}

// sortedFinite returns a sorted copy of the finite values.
func sortedFinite(values []float64) []float64 {
	sorted := make([]float64, 0, len(values))
	for _, v := range values {
		if isFinite(v) {
			sorted = append(sorted, v)
		}
	}
	sortFloats(sorted, nil)
	return sorted
}
