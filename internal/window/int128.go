package window

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/tallystick/tallystick"
)

// Int128 is a whole number in two's complement. Sums in it cannot overflow: a profile has at most
// 2^40 rows, each adds at most 2^80. It is a decimal string in JSON.
type Int128 struct {
	hi int64
	lo uint64
}

func (x *Int128) add(y Int128) {
	var carry uint64
	x.lo, carry = bits.Add64(x.lo, y.lo, 0)
	x.hi += y.hi + int64(carry)
}

func (x Int128) negative() Int128 {
	lo, borrow := bits.Sub64(0, x.lo, 0)
	return Int128{-x.hi - int64(borrow), lo}
}

// magnitude returns the absolute value as an unsigned number; -2^127 does not occur.
func (x Int128) magnitude() (hi, lo uint64) {
	if x.hi < 0 {
		x = x.negative()
	}
	return uint64(x.hi), x.lo
}

// float returns the nearest float64, but for a rounding of the last place.
func (x Int128) float() float64 {
	hi, lo := x.magnitude()
	f := math.Ldexp(float64(hi), 64) + float64(lo)
	if x.hi < 0 {
		return -f
	}
	return f
}

// within reports whether the absolute value is at most n * 2^shift, for n at most 2^40 and shift at
// most 80.
func (x Int128) within(n int64, shift uint) bool {
	hi, lo := x.magnitude()
	var limitHi, limitLo uint64
	if shift >= 64 {
		limitHi = uint64(n) << (shift - 64)
	} else {
		limitHi, limitLo = uint64(n)>>(64-shift), uint64(n)<<shift
	}
	return hi < limitHi || hi == limitHi && lo <= limitLo
}

func (x Int128) big() *big.Int {
	hi, lo := x.magnitude()
	b := new(big.Int).SetUint64(hi)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(lo))
	if x.hi < 0 {
		b.Neg(b)
	}
	return b
}

// String returns the decimal form.
func (x Int128) String() string { return x.big().String() }

// MarshalText returns the decimal form.
func (x Int128) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText reads the decimal form. It returns an Invalid error beyond 127 bits.
func (x *Int128) UnmarshalText(text []byte) error {
	b, ok := new(big.Int), len(text) <= 40
	if ok {
		_, ok = b.SetString(string(text), 10)
	}
	if !ok || b.BitLen() > 127 {
		return tallystick.Errorf(tallystick.Invalid, "%.50q is not a whole number of 128 bits", text)
	}
	magnitude := new(big.Int).Abs(b)
	*x = Int128{int64(new(big.Int).Rsh(magnitude, 64).Uint64()), new(big.Int).And(magnitude, new(big.Int).SetUint64(math.MaxUint64)).Uint64()}
	if b.Sign() < 0 {
		*x = x.negative()
	}
	return nil
}
