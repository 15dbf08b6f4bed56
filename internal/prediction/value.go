package prediction

import (
	"math"
	"strconv"
)

// Kind is the type of a [Value].
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Int   // a number without a fraction, from -2^63 to 2^63-1
	Float // any other number, the infinities and NaN
	Text
	Octets // bytes: of fields alone, no value has it
)

// String returns the kind as messages name it.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Int:
		return "integer"
	case Float:
		return "number"
	}
	return "text"
}

// Value is null, a boolean, a number or text. It is always in its one form, so that == compares
// values, NaN included. The zero value is null.
type Value struct {
	kind Kind
	bits uint64
	text string
}

// The texts that JSON has for the numbers that it lacks, wherever a value can stand.
const (
	textNaN = "NaN"
	textInf = "Infinity"
	textNeg = "-Infinity"
)

// canonicalNaN is the quiet NaN with no payload.
const canonicalNaN = 0x7ff8000000000000

// Boolean returns b as a value.
func Boolean(b bool) Value {
	if b {
		return Value{kind: Bool, bits: 1}
	}
	return Value{kind: Bool}
}

// Integer returns i as a value.
func Integer(i int64) Value { return Value{kind: Int, bits: uint64(i)} }

// Number returns f as a value: an integer if it has no fraction and fits 64 bits.
func Number(f float64) Value {
	if i, ok := whole(f); ok {
		return Integer(i)
	}
	if f != f {
		return Value{kind: Float, bits: canonicalNaN}
	}
	return Value{kind: Float, bits: math.Float64bits(f)}
}

// whole returns f as an integer if it is one. Negative zero is zero.
func whole(f float64) (int64, bool) {
	if -1<<63 <= f && f < 1<<63 {
		if i := int64(f); float64(i) == f {
			return i, true
		}
	}
	return 0, false
}

// String returns s as a value. "NaN", "Infinity" and "-Infinity" are the numbers of that name.
func String(s string) Value {
	switch s {
	case textNaN:
		return Value{kind: Float, bits: canonicalNaN}
	case textInf:
		return Number(math.Inf(1))
	case textNeg:
		return Number(math.Inf(-1))
	}
	return Value{kind: Text, text: s}
}

// Kind returns the type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == Null }

// IsNumber reports whether v is an integer or another number.
func (v Value) IsNumber() bool { return v.kind == Int || v.kind == Float }

// Bool returns a boolean; false if v is none.
func (v Value) Bool() bool { return v.kind == Bool && v.bits == 1 }

// Int returns an integer; 0 if v is none.
func (v Value) Int() int64 {
	if v.kind != Int {
		return 0
	}
	return int64(v.bits)
}

// Float returns a number as the nearest float64, and whether that is the number itself. It is NaN
// and false if v is no number.
func (v Value) Float() (f float64, exact bool) {
	switch v.kind {
	case Int:
		f = float64(int64(v.bits))
		i, ok := whole(f)
		return f, ok && i == int64(v.bits)
	case Float:
		return math.Float64frombits(v.bits), true
	}
	return math.NaN(), false
}

// Text returns a text; empty if v is none.
func (v Value) Text() string { return v.text }

// String returns v as JSON has it, but text without quotes.
func (v Value) String() string {
	if v.kind == Text {
		return v.text
	}
	return string(appendValue(nil, v))
}

// appendFloat writes a finite number as ECMAScript prints it (RFC 8785 section 3.2.2.3).
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if format == 'e' {
		// Go writes e-07 where ECMAScript writes e-7.
		if n := len(dst); n-start >= 4 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}
