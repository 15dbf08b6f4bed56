package contract

import (
	"math"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/table"
)

// eachKey calls fn with a key for every value of v that is neither missing nor NaN. Keys of
// numbers, times and codes are equal only for equal values; those of text are 64-bit hashes, two
// of which are equal by chance with probability n²/2⁶⁵ among n values.
func eachKey(n int, v *table.Vector, fn func(i int, key uint64)) {
	for i := range n {
		if v.Null != nil && v.Null[i] {
			continue
		}
		switch v.Kind {
		case table.Number:
			if x := v.Float[i]; x == x {
				fn(i, math.Float64bits(x+0)) // -0 + 0 is +0
			}
		case table.Category:
			fn(i, uint64(v.Code[i]))
		case table.Time:
			fn(i, uint64(v.Time[i]))
		case table.Text:
			fn(i, v.Hash(i))
		}
	}
}

// describe returns value i of v for an example; categories by code, which is not for people.
func describe(v *table.Vector, i int) string {
	switch v.Kind {
	case table.Number:
		return formatNumber(v.Float[i])
	case table.Time:
		return time.Unix(0, v.Time[i]).UTC().Format(time.RFC3339Nano)
	case table.Text:
		return strconv.Quote(clip(v.Bytes(i)))
	}
	return ""
}
