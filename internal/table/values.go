package table

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/wire"
)

var errShort = wire.ErrFew

// values gives the non-missing values of one page in order, through the one field that is not nil.
type values struct {
	ints   interface{ ints(dst []int64) error }
	floats interface{ floats(dst []float64) error }
	bytes  interface{ next() ([]byte, error) }
	index  *wire.Hybrid // into the dictionary
}

// newValues begins to decode data, which has at most n values of a column.
func newValues(l *leaf, encoding format.Encoding, data []byte, n int) (values, error) {
	switch encoding {
	case format.Plain:
		return plainValues(l, data)
	case format.PlainDictionary, format.RLEDictionary: //nolint:staticcheck // old files have it
		if len(data) == 0 {
			return values{index: &wire.Hybrid{}}, nil // of no values
		}
		index, err := wire.NewHybrid(data[1:], int(data[0]), wire.Lenient)
		return values{index: &index}, err
	case format.RLE:
		if l.physical == format.Boolean && len(data) >= 4 {
			size := binary.LittleEndian.Uint32(data)
			if uint64(size) > uint64(len(data)-4) {
				return values{}, errShort
			}
			levels, err := wire.NewHybrid(data[4:4+size], 1, wire.Lenient)
			return values{ints: &runInts{levels: levels}}, err
		}
	case format.DeltaBinaryPacked:
		if l.physical == format.Int32 || l.physical == format.Int64 {
			ints, err := newDelta(data, l.physical == format.Int32)
			return values{ints: ints}, err
		}
	case format.DeltaLengthByteArray:
		if l.physical == format.ByteArray {
			bytes, err := newDeltaLength(data, n)
			return values{bytes: bytes}, err
		}
	case format.DeltaByteArray:
		if l.physical == format.ByteArray || l.physical == format.FixedLenByteArray {
			bytes, err := newDeltaBytes(data, n, l)
			return values{bytes: bytes}, err
		}
	case format.ByteStreamSplit:
		return splitValues(l, data)
	}
	return values{}, fmt.Errorf("encoding %v of %v is not supported", encoding, l.physical)
}

func plainValues(l *leaf, data []byte) (values, error) {
	switch l.physical {
	case format.Boolean:
		return values{ints: &bitInts{data: data}}, nil
	case format.Int32:
		return values{ints: &plainInts{data: data, size: 4}}, nil
	case format.Int64:
		return values{ints: &plainInts{data: data, size: 8}}, nil
	case format.Float:
		return values{floats: &plainFloats{data: data, size: 4}}, nil
	case format.Double:
		return values{floats: &plainFloats{data: data, size: 8}}, nil
	case format.ByteArray:
		return values{bytes: &plainBytes{data: data}}, nil
	}
	return values{bytes: &fixedBytes{data: data, size: l.length}}, nil // INT96 too
}

// splitValues undoes BYTE_STREAM_SPLIT, which keeps the first bytes of all values together, then the
// second bytes, and so on.
func splitValues(l *leaf, data []byte) (values, error) {
	size := l.length
	switch l.physical {
	case format.Int32, format.Float:
		size = 4
	case format.Int64, format.Double:
		size = 8
	case format.FixedLenByteArray:
	default:
		return values{}, fmt.Errorf("byte stream split of %v is not supported", l.physical)
	}
	n := len(data) / size
	joined := make([]byte, n*size)
	for k := range size {
		for i, c := range data[k*n : (k+1)*n] {
			joined[i*size+k] = c
		}
	}
	return plainValues(l, joined)
}

// plainInts are little-endian integers of 4 or 8 bytes.
type plainInts struct {
	data []byte
	size int
}

func (p *plainInts) ints(dst []int64) error {
	if len(p.data) < len(dst)*p.size {
		return errShort
	}
	if p.size == 4 {
		for i := range dst {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(p.data[4*i:])))
		}
	} else {
		for i := range dst {
			dst[i] = int64(binary.LittleEndian.Uint64(p.data[8*i:]))
		}
	}
	p.data = p.data[len(dst)*p.size:]
	return nil
}

// plainFloats are little-endian IEEE 754 numbers of 4 or 8 bytes.
type plainFloats struct {
	data []byte
	size int
}

func (p *plainFloats) floats(dst []float64) error {
	if len(p.data) < len(dst)*p.size {
		return errShort
	}
	if p.size == 4 {
		for i := range dst {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(p.data[4*i:])))
		}
	} else {
		for i := range dst {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(p.data[8*i:]))
		}
	}
	p.data = p.data[len(dst)*p.size:]
	return nil
}

// bitInts are booleans of one bit, the lowest first.
type bitInts struct {
	data []byte
	bit  int
}

func (b *bitInts) ints(dst []int64) error {
	if len(b.data)*8-b.bit < len(dst) {
		return errShort
	}
	for i := range dst {
		dst[i] = int64(b.data[b.bit>>3] >> (b.bit & 7) & 1)
		b.bit++
	}
	return nil
}

// runInts are booleans in the hybrid encoding.
type runInts struct {
	levels wire.Hybrid
	buffer [256]uint32
}

func (r *runInts) ints(dst []int64) error {
	for len(dst) > 0 {
		part := r.buffer[:min(len(dst), len(r.buffer))]
		if err := r.levels.Read(part); err != nil {
			return err
		}
		for i, v := range part {
			dst[i] = int64(v)
		}
		dst = dst[len(part):]
	}
	return nil
}

// plainBytes are byte arrays with their length before them.
type plainBytes struct{ data []byte }

func (p *plainBytes) next() ([]byte, error) {
	if len(p.data) < 4 {
		return nil, errShort
	}
	n := binary.LittleEndian.Uint32(p.data)
	if uint64(n) > uint64(len(p.data)-4) {
		return nil, errShort
	}
	value := p.data[4 : 4+n]
	p.data = p.data[4+n:]
	return value, nil
}

// fixedBytes are byte arrays of one size.
type fixedBytes struct {
	data []byte
	size int
}

func (f *fixedBytes) next() ([]byte, error) {
	if len(f.data) < f.size {
		return nil, errShort
	}
	value := f.data[:f.size]
	f.data = f.data[f.size:]
	return value, nil
}

// deltaLength are byte arrays whose lengths come first (DELTA_LENGTH_BYTE_ARRAY).
type deltaLength struct {
	lengths []int64
	data    []byte
}

func newDeltaLength(data []byte, n int) (*deltaLength, error) {
	lengths, data, err := deltaInts(data, n)
	return &deltaLength{lengths, data}, err
}

// deltaInts decodes at most n delta-packed 32-bit integers and returns what follows them.
func deltaInts(data []byte, n int) ([]int64, []byte, error) {
	d, err := newDelta(data, true)
	if err != nil {
		return nil, nil, err
	}
	if d.left > n {
		return nil, nil, fmt.Errorf("%d lengths for %d values", d.left, n)
	}
	ints := make([]int64, d.left)
	err = d.ints(ints)
	return ints, d.data, err
}

func (d *deltaLength) next() ([]byte, error) {
	if len(d.lengths) == 0 || d.lengths[0] < 0 || d.lengths[0] > int64(len(d.data)) {
		return nil, errShort
	}
	n := d.lengths[0]
	value := d.data[:n]
	d.lengths, d.data = d.lengths[1:], d.data[n:]
	return value, nil
}

// deltaBytes are byte arrays that share a prefix with the one before (DELTA_BYTE_ARRAY).
type deltaBytes struct {
	prefixes []int64
	suffixes *deltaLength
	last     []byte
	fixed    int // size of every value, or 0
}

func newDeltaBytes(data []byte, n int, l *leaf) (*deltaBytes, error) {
	prefixes, data, err := deltaInts(data, n)
	if err != nil {
		return nil, err
	}
	suffixes, err := newDeltaLength(data, n)
	d := &deltaBytes{prefixes: prefixes, suffixes: suffixes}
	if l.physical == format.FixedLenByteArray {
		d.fixed = l.length
	}
	return d, err
}

func (d *deltaBytes) next() ([]byte, error) {
	if len(d.prefixes) == 0 || d.prefixes[0] < 0 || d.prefixes[0] > int64(len(d.last)) {
		return nil, errShort
	}
	suffix, err := d.suffixes.next()
	if err != nil {
		return nil, err
	}
	d.last = append(d.last[:d.prefixes[0]], suffix...)
	d.prefixes = d.prefixes[1:]
	if d.fixed > 0 && len(d.last) != d.fixed {
		return nil, fmt.Errorf("a value of %d bytes instead of %d", len(d.last), d.fixed)
	}
	return d.last, nil
}
