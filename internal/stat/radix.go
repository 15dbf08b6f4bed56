package stat

import (
	"math"
	"math/bits"
	"slices"
)

const (
	radixFrom = 512 // values from which counting bits beats comparing values
	radixBits = 11
	radixFew  = 16 // values that are not dealt further
)

// sortFloats sorts values that hold no NaN, in place. scratch is used when it is long enough, so that
// a caller that sorts many slices allocates once.
func sortFloats(values, scratch []float64) {
	if len(values) < radixFrom {
		slices.Sort(values)
		return
	}
	if cap(scratch) < len(values) {
		scratch = make([]float64, len(values))
	}
	low, high := uint64(math.MaxUint64), uint64(0)
	for _, v := range values {
		key := orderedKey(v)
		low, high = min(low, key), max(high, key)
	}
	deal(values, scratch[:len(values)], low, bits.Len64(high-low))
	insert(values)
}

// deal is a most significant digit radix sort of values whose keys are less than 2^width above low. It
// leaves few neighbours in disorder. Each bucket but the first is dealt while it is in the cache.
func deal(values, scratch []float64, low uint64, width int) {
	if width == 0 {
		return
	}
	digit := min(radixBits, width, bits.Len(uint(len(values))))
	width -= digit
	var next [1 << radixBits]int
	for _, v := range values {
		next[(orderedKey(v)-low)>>width&(1<<radixBits-1)]++
	}
	if only := (orderedKey(values[0]) - low) >> width; next[only] == len(values) {
		deal(values, scratch, low+only<<width, width)
		return
	}
	start := 0
	for bucket, count := range next[:1<<digit] {
		next[bucket] = start
		start += count
	}
	for _, v := range values {
		bucket := (orderedKey(v) - low) >> width & (1<<radixBits - 1)
		scratch[next[bucket]] = v
		next[bucket]++
	}
	copy(values, scratch)
	start = 0
	for bucket, end := range next[:1<<digit] {
		if end-start > radixFew {
			deal(values[start:end], scratch[start:end], low+uint64(bucket)<<width, width)
		}
		start = end
	}
}

// insert sorts values that are nearly in order.
func insert(values []float64) {
	for i, v := range values {
		for ; i > 0 && v < values[i-1]; i-- {
			values[i] = values[i-1]
		}
		values[i] = v
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
