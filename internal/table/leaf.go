package table

import (
	"fmt"
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

// rounded reports whether a number or a time in memory may not be the value that the file has.
func (l *leaf) rounded() bool {
	switch l.meaning {
	case meansTime, meansInt96:
		return true
	case meansDecimal:
		return l.scale == 0
	case meansNumber, meansUnsigned:
		return l.physical == format.Int64
	}
	return false
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
