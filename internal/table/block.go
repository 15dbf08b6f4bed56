package table

import (
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/bloom/xxhash"
)

// MaxBlockRows bounds the rows of a Block.
const MaxBlockRows = 1 << 16

// NoCode stands in Vector.Code, and NoTime in Vector.Time, where the value is missing.
const (
	NoCode uint32 = math.MaxUint32
	NoTime int64  = math.MinInt64
)

// Block is some rows of the columns that a Scan asked for. It is reused for the next rows when the
// function that it was given to has returned.
type Block struct {
	Row  int64    // index in the table of the first row, from 0
	N    int      // rows
	Cols []Vector // in the order of the names given to Scan
}

// Vector is the values of one column in a Block. Of Float, Code and Time the one that fits the
// kind has the block's length; the others are nil. Text is read by the methods.
type Vector struct {
	Kind  Kind
	Null  []bool    // which values are missing; nil if none is
	Float []float64 // Number: NaN where missing, so look at Null first
	Code  []uint32  // Category: index into the table's Dictionary, NoCode where missing
	Time  []int64   // Time: nanoseconds since 1970 UTC, NoTime where missing; years before 1678 and after 2261 are held at the ends

	text []byte   // Text: the values one after the other
	ends []uint32 // and where each ends
}

// Text returns value i of a Text vector, the empty string where it is missing.
func (v *Vector) Text(i int) string { return string(v.Bytes(i)) }

// Bytes returns value i of a Text vector without copying it: it is valid as long as the block.
func (v *Vector) Bytes(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = v.ends[i-1]
	}
	return v.text[start:v.ends[i]:v.ends[i]]
}

// Hash returns the XXH64 hash (seed 0) of value i of a Text vector: equal text has equal hashes in
// every table. Whoever must not be fooled by chosen collisions compares Bytes as well.
func (v *Vector) Hash(i int) uint64 { return xxhash.Sum64(v.Bytes(i)) }

// reset empties v, keeping its memory.
func (v *Vector) reset() {
	v.Null, v.Float, v.Code, v.Time = v.Null[:0], v.Float[:0], v.Code[:0], v.Time[:0]
	v.text, v.ends = v.text[:0], v.ends[:0]
}

// discard drops the first n values.
func (v *Vector) discard(n int) {
	if n == len(v.Null) {
		v.reset()
		return
	}
	if n == 0 {
		return
	}
	v.Null = slices.Delete(v.Null, 0, n)
	if len(v.Float) > 0 {
		v.Float = slices.Delete(v.Float, 0, n)
	}
	if len(v.Code) > 0 {
		v.Code = slices.Delete(v.Code, 0, n)
	}
	if len(v.Time) > 0 {
		v.Time = slices.Delete(v.Time, 0, n)
	}
	if len(v.ends) > 0 {
		start := v.ends[n-1]
		v.ends = slices.Delete(v.ends, 0, n)
		for i := range v.ends {
			v.ends[i] -= start
		}
		v.text = slices.Delete(v.text, 0, int(start))
	}
}

// pad appends what stands for a missing value of that kind.
func (v *Vector) pad(kind Kind) {
	switch kind {
	case Number:
		v.Float = append(v.Float, math.NaN())
	case Category:
		v.Code = append(v.Code, NoCode)
	case Time:
		v.Time = append(v.Time, NoTime)
	case Text:
		v.ends = append(v.ends, uint32(len(v.text)))
	}
}

// spell turns codes into the text of their values.
func (v *Vector) spell(values []string) {
	v.text, v.ends = v.text[:0], v.ends[:0]
	for _, code := range v.Code {
		if code != NoCode {
			v.text = append(v.text, values[code]...)
		}
		v.ends = append(v.ends, uint32(len(v.text)))
	}
	v.Code = v.Code[:0]
}

// head returns the first n values of v as those of a column of that kind. Null stays nil if none of
// them is missing.
func (v *Vector) head(kind Kind, n int) Vector {
	h := Vector{Kind: kind}
	if slices.Contains(v.Null[:n], true) {
		h.Null = v.Null[:n:n]
	}
	switch kind {
	case Number:
		h.Float = v.Float[:n:n]
	case Category:
		h.Code = v.Code[:n:n]
	case Time:
		h.Time = v.Time[:n:n]
	case Text:
		h.text, h.ends = v.text, v.ends[:n:n]
	}
	return h
}
