package table

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/format"
)

// The methods below turn one value as it is stored, an integer or bytes, into what the kind of the
// column wants.

func (l *leaf) intNumber(v int64) float64 {
	switch {
	case l.meaning == meansDecimal:
		if l.scale < len(powersOfTen) && -maxExact <= v && v <= maxExact {
			return float64(v) / powersOfTen[l.scale]
		}
		return parseDecimal(l.appendInt(nil, v))
	case l.meaning == meansUnsigned && l.physical == format.Int32:
		return float64(uint32(v))
	case l.meaning == meansUnsigned:
		return float64(uint64(v))
	}
	return float64(v)
}

func (l *leaf) intTime(v int64) int64 {
	ns, _ := scaleTime(v, l.unit)
	return ns
}

func (l *leaf) appendInt(dst []byte, v int64) []byte {
	switch {
	case l.meaning == meansBoolean:
		return strconv.AppendBool(dst, v != 0)
	case l.meaning == meansTime:
		return appendMoment(dst, l.moment(v))
	case l.meaning == meansDecimal:
		return appendDecimal(dst, big.NewInt(v), l.scale)
	case l.meaning == meansUnsigned && l.physical == format.Int32:
		return strconv.AppendUint(dst, uint64(uint32(v)), 10)
	case l.meaning == meansUnsigned:
		return strconv.AppendUint(dst, uint64(v), 10)
	}
	return strconv.AppendInt(dst, v, 10)
}

func (l *leaf) appendFloat(dst []byte, v float64) []byte {
	bits := 64
	if l.physical == format.Float {
		bits = 32
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

func (l *leaf) bytesNumber(b []byte) float64 {
	switch l.meaning {
	case meansFloat16:
		return halfFloat(binary.LittleEndian.Uint16(b))
	case meansDecimal:
		if len(b) <= 8 {
			return l.intNumber(bigEndian(b))
		}
		return parseDecimal(l.appendBytes(nil, b))
	}
	return math.NaN()
}

const secondsOfDay = 24 * 60 * 60

// int96 reads an INT96: nanoseconds of the day, then the Julian day, which is returned as one since 1970.
func int96(b []byte) (ofDay, day int64) {
	const julian1970 = 2440588
	return int64(binary.LittleEndian.Uint64(b)), int64(int32(binary.LittleEndian.Uint32(b[8:]))) - julian1970
}

func (l *leaf) bytesTime(b []byte) int64 {
	ofDay, day := int96(b)
	ns, held := scaleTime(day, 24*int64(time.Hour))
	if held || ofDay < 0 || ofDay >= 24*int64(time.Hour) || ns > math.MaxInt64-ofDay {
		return ns
	}
	return ns + ofDay
}

func (l *leaf) appendBytes(dst, b []byte) []byte {
	switch l.meaning {
	case meansUUID:
		for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:16]} {
			if i > 0 {
				dst = append(dst, '-')
			}
			dst = hex.AppendEncode(dst, part)
		}
		return dst
	case meansInt96:
		ofDay, day := int96(b)
		return appendMoment(dst, time.Unix(day*secondsOfDay, ofDay))
	case meansDecimal:
		v := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		return appendDecimal(dst, v, l.scale)
	case meansFloat16:
		return strconv.AppendFloat(dst, l.bytesNumber(b), 'g', -1, 32)
	}
	return append(dst, b...)
}

// moment returns a number of ticks as a time, also where an int64 of nanoseconds has none.
func (l *leaf) moment(v int64) time.Time {
	if l.unit > int64(time.Second) {
		return time.Unix(v*(l.unit/int64(time.Second)), 0)
	}
	ticks := int64(time.Second) / l.unit
	return time.Unix(v/ticks, v%ticks*l.unit)
}

func appendMoment(dst []byte, at time.Time) []byte {
	return at.UTC().AppendFormat(dst, time.RFC3339Nano)
}

// appendDecimal writes v * 10^-scale with all its digits.
func appendDecimal(dst []byte, v *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(v).Append(nil, 10)
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	if v.Sign() < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[len(digits)-scale:]...)
	}
	return dst
}

func parseDecimal(text []byte) float64 {
	v, _ := strconv.ParseFloat(string(text), 64)
	return v
}

// bigEndian reads up to 8 bytes of a two's complement integer.
func bigEndian(b []byte) int64 {
	var v int64
	if len(b) > 0 && b[0]&0x80 != 0 {
		v = -1
	}
	for _, c := range b {
		v = v<<8 | int64(c)
	}
	return v
}

// halfFloat widens an IEEE 754 binary16.
func halfFloat(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exponent, mantissa := int(h>>10&0x1f), float64(h&0x3ff)
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(mantissa+1024, exponent-25)
}
