package table

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of the Thrift compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

const (
	maxThriftDepth = 48
	// maxThriftStructs bounds the list elements of one footer: column chunks, of some 700 bytes of
	// memory each, and smaller things.
	maxThriftStructs = 1 << 19
)

var errThrift = errors.New("metadata is damaged")

// decodeThrift decodes the struct at the start of data and returns its length. It walks the bytes
// first, because the decoder sets aside memory for as many list elements as a list says it has.
func decodeThrift(data []byte, into any) (n int, err error) {
	w := thriftWalk{data: data}
	if err := w.fields(0); err != nil {
		return 0, err
	}
	// The decoder is written for files that its users trust: a panic in it is a fault of the file.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errThrift, r)
		}
	}()
	protocol := new(thrift.CompactProtocol)
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(data[:w.at])).Decode(into); err != nil {
		return 0, fmt.Errorf("%w: %w", errThrift, err)
	}
	return w.at, nil
}

// thriftWalk steps over encoded values and checks that every length fits the bytes that there are.
type thriftWalk struct {
	data    []byte
	at      int
	structs int
}

// errThriftShort says that the data ends inside a value.
var errThriftShort = fmt.Errorf("%w: it ends early", errThrift)

func (w *thriftWalk) fields(depth int) error {
	if depth > maxThriftDepth {
		return fmt.Errorf("%w: nested too deep", errThrift)
	}
	for {
		if w.at == len(w.data) {
			return errThriftShort
		}
		header := w.data[w.at]
		w.at++
		if header == 0 {
			return nil
		}
		if header>>4 == 0 {
			if _, err := w.uvarint(); err != nil {
				return err
			}
		}
		if typ := header & 0xf; typ != thriftTrue && typ != thriftFalse {
			if err := w.value(typ, depth); err != nil {
				return err
			}
		}
	}
}

func (w *thriftWalk) value(typ byte, depth int) error {
	if depth > maxThriftDepth {
		return fmt.Errorf("%w: nested too deep", errThrift)
	}
	switch typ {
	case thriftTrue, thriftFalse, thriftByte:
		return w.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := w.uvarint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftBinary:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList, thriftSet:
		return w.list(depth)
	case thriftMap:
		return w.entries(depth)
	case thriftStruct:
		return w.fields(depth + 1)
	}
	return fmt.Errorf("%w: type %d", errThrift, typ)
}

func (w *thriftWalk) list(depth int) error {
	if w.at == len(w.data) {
		return errThriftShort
	}
	header := w.data[w.at]
	w.at++
	size := uint64(header >> 4)
	if size == 15 {
		var err error
		if size, err = w.uvarint(); err != nil {
			return err
		}
	}
	typ := header & 0xf
	if size > uint64(len(w.data)-w.at) {
		return errThriftShort
	}
	if typ == thriftStruct {
		if w.structs += int(size); w.structs > maxThriftStructs {
			return fmt.Errorf("%w: more than %d elements", errThrift, maxThriftStructs)
		}
	}
	for range size {
		if err := w.value(typ, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *thriftWalk) entries(depth int) error {
	size, err := w.uvarint()
	if err != nil || size == 0 {
		return err
	}
	if size > uint64(len(w.data)-w.at)/2 || w.at == len(w.data) {
		return errThriftShort
	}
	types := w.data[w.at]
	w.at++
	for range size {
		if err := w.value(types>>4, depth+1); err != nil {
			return err
		}
		if err := w.value(types&0xf, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *thriftWalk) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.data[w.at:])
	if n < 0 {
		return 0, fmt.Errorf("%w: number too long", errThrift)
	}
	if n == 0 {
		return 0, errThriftShort
	}
	w.at += n
	return v, nil
}

func (w *thriftWalk) skip(n uint64) error {
	if n > uint64(len(w.data)-w.at) {
		return errThriftShort
	}
	w.at += int(n)
	return nil
}
