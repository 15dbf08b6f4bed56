package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of the compact protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeInt16  = 4
	typeInt32  = 5
	typeInt64  = 6
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
)

var errDamaged = errors.New("metadata is damaged")

// ErrShort says that the data ends inside a value: with more of it, it may be one.
var ErrShort = fmt.Errorf("%w: it ends early", errDamaged)

// Bounds are what one struct may take.
type Bounds struct {
	Depth   int // of nested values
	Structs int // in lists and maps, in all: a column chunk in a footer takes some 700 bytes of memory
}

// Decode decodes the struct at the start of data and returns its length. It walks the bytes first, because
// the library sets memory aside for as many elements as a list says that it has.
func Decode(data []byte, into any, bounds Bounds) (n int, err error) {
	w := walk{data: data, bounds: bounds}
	if err := w.fields(0); err != nil {
		return 0, err
	}
	// The decoder is written for files that its users trust: a panic in it is a fault of the file.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	protocol := new(thrift.CompactProtocol)
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(data[:w.at])).Decode(into); err != nil {
		return 0, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return w.at, nil
}

// walk steps over encoded values and checks that every length fits the bytes that there are.
type walk struct {
	data    []byte
	at      int
	bounds  Bounds
	structs int
}

func (w *walk) byte() (byte, error) {
	if w.at == len(w.data) {
		return 0, ErrShort
	}
	w.at++
	return w.data[w.at-1], nil
}

func (w *walk) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.data[w.at:])
	if n < 0 {
		return 0, fmt.Errorf("%w: a number is too long", errDamaged)
	}
	if n == 0 {
		return 0, ErrShort
	}
	w.at += n
	return v, nil
}

func (w *walk) skip(n uint64) error {
	if n > uint64(len(w.data)-w.at) {
		return ErrShort
	}
	w.at += int(n)
	return nil
}

// fields steps over the fields of a struct.
func (w *walk) fields(depth int) error {
	for {
		header, err := w.byte()
		if err != nil || header == 0 {
			return err
		}
		if header>>4 == 0 {
			if _, err := w.uvarint(); err != nil {
				return err
			}
		}
		if typ := header & 0xf; typ != typeTrue && typ != typeFalse {
			if err := w.value(typ, depth+1); err != nil {
				return err
			}
		}
	}
}

func (w *walk) value(typ byte, depth int) error {
	if depth > w.bounds.Depth {
		return fmt.Errorf("%w: it is nested too deep", errDamaged)
	}
	switch typ {
	case typeTrue, typeFalse, typeByte:
		return w.skip(1)
	case typeInt16, typeInt32, typeInt64:
		_, err := w.uvarint()
		return err
	case typeDouble:
		return w.skip(8)
	case typeBinary:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case typeList, typeSet:
		header, err := w.byte()
		if err != nil {
			return err
		}
		size := uint64(header >> 4)
		if size == 15 {
			if size, err = w.uvarint(); err != nil {
				return err
			}
		}
		return w.values(size, depth, header&0xf)
	case typeMap:
		size, err := w.uvarint()
		if err != nil || size == 0 {
			return err
		}
		types, err := w.byte()
		if err != nil {
			return err
		}
		return w.values(size, depth, types>>4, types&0xf)
	case typeStruct:
		return w.fields(depth)
	}
	return fmt.Errorf("%w: a value of type %d", errDamaged, typ)
}

// values steps over size times a value of each of the types, which take a byte at least.
func (w *walk) values(size uint64, depth int, types ...byte) error {
	if size > uint64((len(w.data)-w.at)/len(types)) {
		return ErrShort
	}
	for _, typ := range types {
		if typ == typeStruct {
			w.structs += int(size)
		}
	}
	if w.structs > w.bounds.Structs {
		return fmt.Errorf("%w: more than %d elements", errDamaged, w.bounds.Structs)
	}
	for range size {
		for _, typ := range types {
			if err := w.value(typ, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
