package table

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/tallystick/tallystick"
)

// store holds encoded columns, block by block: in memory up to a budget, beyond it in one unlinked
// temporary file. (One file, not one a column: a block of a column is read at once and is large
// enough for that, and there may be more columns than file descriptors.) After the last append it
// may be read by several goroutines.
type store struct {
	budget int64
	held   int64 // bytes in memory
	temp   *os.File
	tempTo int64 // end of the temporary file
	limit  int64 // of its size
	dir    string

	kinds   []Kind
	dicts   []*dictionary
	blocks  []int       // rows of each block
	columns [][]segment // by column, then block
	check   func() error
	buffer  []byte
}

// segment is one block of one column: a bitmap of missing values if there are any, then the values,
// little-endian: 8 bytes a number or time, width bytes a code, 4 bytes where a text ends and then
// all text.
type segment struct {
	kind   Kind // empty if all values are missing
	nulls  bool
	width  uint8
	size   int
	memory []byte // nil if the segment lies in the file
	offset int64
}

// append encodes the n pending values of b as the next segment of column i.
func (s *store) append(i int, b *builder) error {
	seg, payload := encode(s.buffer[:0], b.kind, &b.pending, b.n)
	s.buffer = payload
	seg.size = len(payload)
	switch {
	case seg.size == 0:
	case s.held+int64(seg.size) <= s.budget:
		seg.memory = append([]byte(nil), payload...)
		s.held += int64(seg.size)
	default:
		if err := s.spill(&seg, payload); err != nil {
			return err
		}
	}
	s.columns[i] = append(s.columns[i], seg)
	return nil
}

// spill writes payload to the temporary file, which it makes first if there is none.
func (s *store) spill(seg *segment, payload []byte) error {
	if s.temp == nil {
		temp, err := os.CreateTemp(s.dir, "tallystick-*")
		if err == nil {
			// Unlinked at once, so that no crash leaves people's data behind.
			err = os.Remove(temp.Name())
		}
		if err != nil {
			return tallystick.Errorf(tallystick.Unavailable, "make a temporary file: %w", err).
				WithHint("set TMPDIR to a directory with room")
		}
		s.temp = temp
	}
	if s.tempTo+int64(len(payload)) > s.limit {
		return tallystick.Errorf(tallystick.Invalid, "the columns need more than %d bytes of temporary disk space", s.limit).
			WithHint("read fewer rows at a time, or raise the limit")
	}
	if _, err := s.temp.WriteAt(payload, s.tempTo); err != nil {
		return tallystick.Errorf(tallystick.Unavailable, "write a temporary file: %w", err).
			WithHint("set TMPDIR to a directory with room")
	}
	seg.offset = s.tempTo
	s.tempTo += int64(len(payload))
	return nil
}

// drop forgets the segments of column i.
func (s *store) drop(i int) {
	for _, seg := range s.columns[i] {
		s.held -= int64(len(seg.memory))
	}
	s.columns[i] = nil
}

func encode(dst []byte, kind Kind, v *Vector, n int) (segment, []byte) {
	seg := segment{kind: kind}
	missing := 0
	for _, null := range v.Null[:n] {
		if null {
			missing++
		}
	}
	if missing == n {
		return segment{}, dst
	}
	if missing > 0 {
		seg.nulls = true
		start := len(dst)
		dst = append(dst, make([]byte, (n+7)/8)...)
		for j, null := range v.Null[:n] {
			if null {
				dst[start+j/8] |= 1 << (j % 8)
			}
		}
	}
	switch kind {
	case Number:
		for _, x := range v.Float[:n] {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
		}
	case Time:
		for _, x := range v.Time[:n] {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
		}
	case Category:
		dst, seg.width = encodeCodes(dst, v.Code[:n])
	case Text:
		for _, end := range v.ends[:n] {
			dst = binary.LittleEndian.AppendUint32(dst, end)
		}
		dst = append(dst, v.text...)
	}
	return seg, dst
}

// encodeCodes writes codes in as few bytes each as their largest needs. A missing one, all ones, is
// cut to that width: the bitmap tells it.
func encodeCodes(dst []byte, codes []uint32) ([]byte, uint8) {
	largest := uint32(0)
	for _, c := range codes {
		if c != NoCode {
			largest = max(largest, c)
		}
	}
	switch {
	case largest <= math.MaxUint8:
		for _, c := range codes {
			dst = append(dst, byte(c))
		}
		return dst, 1
	case largest <= math.MaxUint16:
		for _, c := range codes {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(c))
		}
		return dst, 2
	}
	for _, c := range codes {
		dst = binary.LittleEndian.AppendUint32(dst, c)
	}
	return dst, 4
}

// decode is the inverse of encode. Text is copied: payload may be a buffer that is used again.
func (seg segment) decode(v *Vector, payload []byte, n int) {
	v.reset()
	v.Null = append(v.Null, make([]bool, n)...)
	if seg.nulls {
		for j := range n {
			v.Null[j] = payload[j/8]>>(j%8)&1 == 1
		}
		payload = payload[(n+7)/8:]
	}
	switch seg.kind {
	case Number:
		for j := range n {
			v.Float = append(v.Float, math.Float64frombits(binary.LittleEndian.Uint64(payload[8*j:])))
		}
	case Time:
		for j := range n {
			v.Time = append(v.Time, int64(binary.LittleEndian.Uint64(payload[8*j:])))
		}
	case Category:
		v.Code = seg.decodeCodes(v.Code, payload, n)
		if seg.nulls {
			for j, null := range v.Null {
				if null {
					v.Code[j] = NoCode
				}
			}
		}
	case Text:
		for j := range n {
			v.ends = append(v.ends, binary.LittleEndian.Uint32(payload[4*j:]))
		}
		v.text = append(v.text, payload[4*n:]...)
	}
}

func (seg segment) decodeCodes(codes []uint32, payload []byte, n int) []uint32 {
	switch seg.width {
	case 1:
		for _, c := range payload[:n] {
			codes = append(codes, uint32(c))
		}
	case 2:
		for j := range n {
			codes = append(codes, uint32(binary.LittleEndian.Uint16(payload[2*j:])))
		}
	default:
		for j := range n {
			codes = append(codes, binary.LittleEndian.Uint32(payload[4*j:]))
		}
	}
	return codes
}

// storeSource makes a store the source of a Table.
type storeSource struct {
	*store
}

func (s storeSource) dictionary(i int) []string { return s.dicts[i].values }

func (s storeSource) check(int) error { return nil }

func (s storeSource) cursor(i int) (cursor, error) {
	return &storeCursor{store: s.store, column: i}, nil
}

func (s storeSource) Close() error {
	s.columns, s.buffer = nil, nil
	if s.temp == nil {
		return nil
	}
	return s.temp.Close()
}

// storeCursor reads a column of a store. All columns have the same blocks.
type storeCursor struct {
	store  *store
	column int
	block  int
	values Vector
	buffer []byte
}

func (c *storeCursor) fill(int) (int, error) {
	n := c.store.blocks[c.block]
	seg := c.store.columns[c.column][c.block]
	c.block++
	payload := seg.memory
	if payload == nil && seg.size > 0 {
		if cap(c.buffer) < seg.size {
			c.buffer = make([]byte, seg.size)
		}
		payload = c.buffer[:seg.size]
		if _, err := c.store.temp.ReadAt(payload, seg.offset); err != nil {
			return 0, fmt.Errorf("read temporary file: %w", err)
		}
	}
	seg.decode(&c.values, payload, n)
	kind := c.store.kinds[c.column]
	switch {
	case seg.kind == "":
		for j := range n {
			c.values.Null[j] = true
			c.values.pad(kind)
		}
	case seg.kind != kind: // a category that later became text
		c.values.spell(c.store.dicts[c.column].values)
	}
	return n, nil
}

func (c *storeCursor) take(n int) Vector { return c.values.head(c.store.kinds[c.column], n) }

func (c *storeCursor) close() {}
