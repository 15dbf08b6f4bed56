package segment

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of the Thrift compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt64  = 6 // from 16 bits on, they are written alike
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

const (
	maxThriftDepth   = 32
	maxThriftStructs = 1 << 18 // of one footer: column chunks, of some 700 bytes of memory each, and smaller things
)

var errThriftShort = faultf("its metadata ends early")

// decodeThrift decodes the struct at the start of data and returns its length. The library sets
// memory aside for as many elements as a list says that it has, so all lengths are held against the bytes first.
func decodeThrift(data []byte, into any) (n int, err error) {
	w := thriftWalk{data: data}
	if err := w.fields(0); err != nil {
		return 0, err
	}
	// The decoder is written for files that its users trust: a panic in it is a fault of the file.
	defer func() {
		if r := recover(); r != nil {
			err = faultf("its metadata: %v", r)
		}
	}()
	protocol := new(thrift.CompactProtocol)
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(data[:w.at])).Decode(into); err != nil {
		return 0, faultf("its metadata: %v", err)
	}
	return w.at, nil
}

// thriftWalk steps over encoded values.
type thriftWalk struct {
	data    []byte
	at      int
	structs int
}

func (w *thriftWalk) byte() (byte, error) {
	if w.at >= len(w.data) {
		return 0, errThriftShort
	}
	w.at++
	return w.data[w.at-1], nil
}

func (w *thriftWalk) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.data[w.at:])
	if n < 0 {
		return 0, faultf("its metadata has a number that is too long")
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

func (w *thriftWalk) fields(depth int) error {
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
		if typ := header & 0xf; typ != thriftTrue && typ != thriftFalse {
			if err := w.value(typ, depth+1); err != nil {
				return err
			}
		}
	}
}

func (w *thriftWalk) value(typ byte, depth int) error {
	if depth > maxThriftDepth {
		return faultf("its metadata is nested too deep")
	}
	switch typ {
	case thriftTrue, thriftFalse, thriftByte:
		return w.skip(1)
	case thriftByte + 1, thriftByte + 2, thriftInt64:
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
	case thriftMap:
		size, err := w.uvarint()
		if err != nil || size == 0 {
			return err
		}
		types, err := w.byte()
		if err != nil {
			return err
		}
		return w.values(size, depth, types>>4, types&0xf)
	case thriftStruct:
		return w.fields(depth)
	}
	return faultf("its metadata has a value of type %d", typ)
}

// values steps over size times a value of each of the types.
func (w *thriftWalk) values(size uint64, depth int, types ...byte) error {
	if size > uint64(len(w.data)-w.at) {
		return errThriftShort
	}
	if types[0] == thriftStruct {
		if w.structs += int(size); w.structs > maxThriftStructs {
			return faultf("its metadata has more than %d elements", maxThriftStructs)
		}
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
