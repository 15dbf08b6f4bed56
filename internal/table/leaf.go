package table

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// meaning is what the values of a Parquet column stand for, as far as decoding them differs.
type meaning uint8

const (
	meansNumber meaning = iota
	meansUnsigned
	meansDecimal
	meansFloat16
	meansBoolean
	meansTime // ticks of leaf.unit
	meansInt96
	meansText
	meansUUID
	meansNothing // the null type: every value is missing
)

// leaf is one column of a Parquet file.
type leaf struct {
	name        string
	chunk       int // index in a row group's columns
	optional    bool
	physical    format.Type
	length      int // bytes of a FIXED_LEN_BYTE_ARRAY value
	label       string
	meaning     meaning
	scale       int   // of a decimal: digits after the point
	unit        int64 // of a time: nanoseconds a tick
	unsupported string
}

// kind returns the kind that the column has unless the options demand another; empty for the null
// type, which goes with any.
func (l *leaf) kind() Kind {
	switch l.meaning {
	case meansBoolean, meansText, meansUUID:
		return Category
	case meansTime, meansInt96:
		return Time
	case meansNothing:
		return ""
	}
	return Number
}

// integer reports whether the values are integers by type.
func (l *leaf) integer() bool {
	return (l.physical == format.Int32 || l.physical == format.Int64) && (l.meaning == meansNumber || l.meaning == meansUnsigned)
}

// describe reads the type of a schema element (LogicalTypes.md of the format). Where both the logical
// type and its older form, the converted type, are stated the former holds.
func describe(e *format.SchemaElement) leaf {
	l := leaf{
		name:     e.Name,
		optional: e.RepetitionType.Valid && e.RepetitionType.V == format.Optional,
		physical: e.Type.V,
		length:   int(e.TypeLength.V),
	}
	if e.RepetitionType.Valid && e.RepetitionType.V == format.Repeated {
		l.unsupported = "it is repeated"
	}
	switch l.physical {
	case format.Boolean:
		l.label, l.meaning = "boolean", meansBoolean
	case format.Int32:
		l.label = "int32"
	case format.Int64:
		l.label = "int64"
	case format.Int96:
		l.label, l.meaning, l.length = "int96", meansInt96, 12
	case format.Float:
		l.label = "float"
	case format.Double:
		l.label = "double"
	case format.ByteArray:
		l.label, l.meaning = "binary", meansText
	case format.FixedLenByteArray:
		l.label = fmt.Sprintf("fixed[%d]", l.length)
		if l.length <= 0 || l.length > 1<<16 {
			l.unsupported = fmt.Sprintf("its values cannot have %d bytes", l.length)
		}
	default:
		l.unsupported = fmt.Sprintf("its physical type %d is unknown", l.physical)
	}
	known := l.describeLogical(e.LogicalType.Value)
	if !known && e.ConvertedType.Valid {
		known = l.describeConverted(e)
	}
	if l.physical == format.FixedLenByteArray && !known && l.unsupported == "" {
		l.unsupported = "it holds raw bytes"
	}
	return l
}

// describeLogical returns false if there is no logical type.
func (l *leaf) describeLogical(logical any) bool {
	integer := l.physical == format.Int32 || l.physical == format.Int64
	fits := true
	switch t := logical.(type) {
	case nil:
		return false
	case *format.StringType:
		l.label, fits = "string", l.physical == format.ByteArray
	case *format.EnumType:
		l.label, fits = "enum", l.physical == format.ByteArray
	case *format.JsonType:
		l.label, fits = "json", l.physical == format.ByteArray
	case *format.UUIDType:
		l.label, l.meaning, fits = "uuid", meansUUID, l.physical == format.FixedLenByteArray && l.length == 16
	case *format.Float16Type:
		l.label, l.meaning, fits = "float16", meansFloat16, l.physical == format.FixedLenByteArray && l.length == 2
	case *format.NullType:
		l.label, l.meaning = "null", meansNothing
	case *format.IntType:
		l.label, fits = fmt.Sprintf("int%d", t.BitWidth), integer
		if !t.IsSigned {
			l.label, l.meaning = "u"+l.label, meansUnsigned
		}
	case *format.DecimalType:
		fits = l.decimal(t.Precision, t.Scale)
	case *format.DateType:
		l.label, l.meaning, l.unit, fits = "date", meansTime, 24*int64(time.Hour), l.physical == format.Int32
	case *format.TimestampType:
		l.meaning, fits = meansTime, l.physical == format.Int64
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			l.label, l.unit = "timestamp[ms]", 1e6
		case *format.MicroSeconds:
			l.label, l.unit = "timestamp[us]", 1e3
		case *format.NanoSeconds:
			l.label, l.unit = "timestamp[ns]", 1
		default:
			fits = false
		}
	default:
		l.unsupported = fmt.Sprintf("its type %v is not one of a table", t)
	}
	if !fits {
		l.unsupported = fmt.Sprintf("its logical and physical types do not go together (%s)", l.label)
	}
	return true
}

// describeConverted reads the form of types that came before the logical ones. It returns false for
// those that say nothing.
func (l *leaf) describeConverted(e *format.SchemaElement) bool {
	integers := map[deprecated.ConvertedType]format.IntType{
		deprecated.Int8: {BitWidth: 8, IsSigned: true}, deprecated.Int16: {BitWidth: 16, IsSigned: true},
		deprecated.Int32: {BitWidth: 32, IsSigned: true}, deprecated.Int64: {BitWidth: 64, IsSigned: true},
		deprecated.Uint8: {BitWidth: 8}, deprecated.Uint16: {BitWidth: 16},
		deprecated.Uint32: {BitWidth: 32}, deprecated.Uint64: {BitWidth: 64},
	}
	switch t := e.ConvertedType.V; t {
	case deprecated.UTF8:
		return l.describeLogical(new(format.StringType))
	case deprecated.Enum:
		return l.describeLogical(new(format.EnumType))
	case deprecated.Json:
		return l.describeLogical(new(format.JsonType))
	case deprecated.Date:
		return l.describeLogical(new(format.DateType))
	case deprecated.TimestampMillis:
		return l.describeLogical(&format.TimestampType{Unit: format.TimeUnit{Value: new(format.MilliSeconds)}})
	case deprecated.TimestampMicros:
		return l.describeLogical(&format.TimestampType{Unit: format.TimeUnit{Value: new(format.MicroSeconds)}})
	case deprecated.Decimal:
		return l.describeLogical(&format.DecimalType{Precision: e.Precision.V, Scale: e.Scale.V})
	default:
		if integer, ok := integers[t]; ok {
			return l.describeLogical(&integer)
		}
		l.unsupported = fmt.Sprintf("its type %v is not one of a table", t)
		return true
	}
}

func (l *leaf) decimal(precision, scale int32) bool {
	l.label, l.meaning, l.scale = fmt.Sprintf("decimal(%d,%d)", precision, scale), meansDecimal, int(scale)
	switch l.physical {
	case format.Int32, format.Int64, format.ByteArray:
	case format.FixedLenByteArray:
		if l.length <= 0 || l.length > 64 {
			return false
		}
	default:
		return false
	}
	return 0 <= scale && scale <= precision && precision <= 76
}

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
		return appendMoment(dst, l.intTime(v))
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

// bytesTime reads an INT96: nanoseconds of the day, then the Julian day.
func (l *leaf) bytesTime(b []byte) int64 {
	const julian1970 = 2440588
	ofDay := int64(binary.LittleEndian.Uint64(b))
	day := int64(int32(binary.LittleEndian.Uint32(b[8:]))) - julian1970
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
		return appendMoment(dst, l.bytesTime(b))
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

func appendMoment(dst []byte, ns int64) []byte {
	return time.Unix(0, ns).UTC().AppendFormat(dst, time.RFC3339Nano)
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
