package segment

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/wire"
)

var errShort = faultf("a page has fewer values than it states")

// cursor reads one column, page by page.
type cursor struct {
	pages pages
	group int   // of the chunk, -1 before the first
	left  int64 // rows of the chunk to come, beyond the open page

	dictionary [][]byte
	dictBytes  []byte
	numbers    []float64 // the dictionary of a column of doubles

	// The open page: as many rows as null has. Which of the others counts follows from the storage.
	null   []bool
	nulls  int
	floats []float64
	ints   []int64
	bytes  [][]byte
	used   int // rows of it

	index []uint32
}

func newCursor(f *File, c *column, r *room) *cursor {
	return &cursor{pages: pages{file: f, column: c, room: r}, group: -1}
}

// ready returns how many rows of the open page are to come, after opening the next if there were
// none; 0 at the end.
func (c *cursor) ready() (int, error) {
	for c.used == len(c.null) {
		if c.left == 0 {
			if c.group+1 == len(c.pages.file.groups) {
				return 0, nil
			}
			c.begin(c.group + 1)
		}
		if err := c.open(); err != nil {
			return 0, err
		}
	}
	return len(c.null) - c.used, nil
}

func (c *cursor) begin(group int) {
	c.group, c.left = group, c.pages.file.groups[group].NumRows
	c.dictionary, c.numbers, c.null, c.used = c.dictionary[:0], c.numbers[:0], c.null[:0], 0
	c.pages.begin(group)
}

// open opens the next page of the chunk. A dictionary is kept and has no rows.
func (c *cursor) open() error {
	p, err := c.pages.next()
	if err != nil {
		return err
	}
	if p.dictionary {
		return c.readDictionary(p)
	}
	if int64(p.rows) > c.left {
		return faultf("a page has %d rows where %d are to come", p.rows, c.left)
	}
	c.left -= int64(p.rows)
	return c.read(p)
}

func (c *cursor) readDictionary(p page) error {
	var err error
	switch physical := c.pages.column.store.physical(); {
	case physical == format.Double && len(c.numbers) == 0:
		if len(p.values) != 8*p.rows {
			return errShort
		}
		c.numbers, err = resize(c.numbers, p.rows, 8, c.pages.room)
		for i := range c.numbers {
			c.numbers[i] = math.Float64frombits(binary.LittleEndian.Uint64(p.values[8*i:]))
		}
		return err
	case physical != format.ByteArray || len(c.dictionary) > 0:
		return faultf("there is a dictionary where none should be")
	}
	if c.dictBytes, err = c.pages.grow(c.dictBytes, len(p.values)); err != nil {
		return err
	}
	copy(c.dictBytes, p.values)
	if c.dictionary, err = resize(c.dictionary, p.rows, 24, c.pages.room); err != nil {
		return err
	}
	rest, err := splitTexts(c.dictionary, c.dictBytes[:len(p.values)])
	if err != nil || len(rest) > 0 {
		return errShort
	}
	return nil
}

// resize returns a slice of n elements of the given size, in the memory of s if it fits.
func resize[T any](s []T, n int, size int64, r *room) ([]T, error) {
	if n <= cap(s) {
		return s[:n], nil
	}
	if err := r.take(int64(n-cap(s)) * size); err != nil {
		return nil, err
	}
	return make([]T, n), nil
}

// read decodes the values of a data page.
func (c *cursor) read(p page) error {
	var err error
	if c.null, err = resize(c.null, p.rows, 1, c.pages.room); err != nil {
		return err
	}
	clear(c.null)
	c.used = 0
	levels, _ := wire.NewHybrid(p.levels, 1, wire.Strict)
	present, err := levels.ReadMissing(c.null)
	if err != nil {
		return err
	}
	c.nulls = p.rows - present
	switch c.pages.column.store.physical() {
	case format.Double:
		return c.readFloats(p, present)
	case format.Int64:
		return c.readIntegers(p, present)
	case format.Boolean:
		return c.readBooleans(p, present)
	}
	return c.readBytes(p, present)
}

// spread moves the first values to the rows that are not null, and puts hole into the others.
func spread[T any](values []T, null []bool, present int, hole T) {
	if present == len(values) {
		return
	}
	for i := len(values) - 1; i >= 0; i-- {
		if null[i] {
			values[i] = hole
			continue
		}
		present--
		values[i] = values[present]
	}
}

func (c *cursor) plain(p page, bytes int) error {
	if p.encoding != format.Plain || len(p.values) != bytes {
		return faultf("a page has %d bytes of values in encoding %v", len(p.values), p.encoding)
	}
	return nil
}

func (c *cursor) readFloats(p page, present int) (err error) {
	if c.floats, err = resize(c.floats, p.rows, 8, c.pages.room); err != nil {
		return err
	}
	if p.encoding == format.RLEDictionary {
		if err := c.readIndex(p, present); err != nil {
			return err
		}
		if err := look(c.floats, c.numbers, c.index); err != nil {
			return err
		}
		spread(c.floats, c.null, present, math.NaN())
		return nil
	}
	if err := c.plain(p, 8*present); err != nil {
		return err
	}
	values := p.values
	for i := 0; i < present && len(values) >= 8; i++ {
		c.floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(values))
		values = values[8:]
	}
	spread(c.floats, c.null, present, math.NaN())
	return nil
}

func (c *cursor) readIntegers(p page, present int) (err error) {
	if c.ints, err = resize(c.ints, p.rows, 8, c.pages.room); err != nil {
		return err
	}
	if p.encoding == format.DeltaBinaryPacked {
		if err := wire.ReadDelta(c.ints[:present], p.values); err != nil {
			return faultf("a page of differences: %v", err)
		}
		spread(c.ints, c.null, present, 0)
		return nil
	}
	if err := c.plain(p, 8*present); err != nil {
		return err
	}
	for i := range c.ints[:present] {
		c.ints[i] = int64(binary.LittleEndian.Uint64(p.values[8*i:]))
	}
	spread(c.ints, c.null, present, 0)
	return nil
}

func (c *cursor) readBooleans(p page, present int) (err error) {
	if err := c.plain(p, (present+7)/8); err != nil {
		return err
	}
	if c.ints, err = resize(c.ints, p.rows, 8, c.pages.room); err != nil {
		return err
	}
	for i := range c.ints[:present] {
		c.ints[i] = int64(p.values[i/8] >> (i % 8) & 1)
	}
	spread(c.ints, c.null, present, 0)
	return nil
}

func (c *cursor) readBytes(p page, present int) (err error) {
	if c.bytes, err = resize(c.bytes, p.rows, 24, c.pages.room); err != nil {
		return err
	}
	values := c.bytes[:present]
	if width := c.pages.column.store.width(); width > 0 {
		if err := c.plain(p, width*present); err != nil {
			return err
		}
		for i := range values {
			values[i] = p.values[i*width : (i+1)*width : (i+1)*width]
		}
	} else if p.encoding == format.Plain {
		if rest, err := splitTexts(values, p.values); err != nil || len(rest) > 0 {
			return errShort
		}
	} else if err := c.readIndex(p, present); err != nil {
		return err
	} else if err := look(values, c.dictionary, c.index); err != nil {
		return err
	}
	spread(c.bytes, c.null, present, nil)
	return nil
}

// splitTexts cuts texts with their length before them.
func splitTexts(dst [][]byte, data []byte) (rest []byte, err error) {
	for i := range dst {
		if len(data) < 4 {
			return nil, errShort
		}
		n := uint64(binary.LittleEndian.Uint32(data))
		if n > uint64(len(data)-4) {
			return nil, errShort
		}
		dst[i] = data[4 : 4+n : 4+n]
		data = data[4+n:]
	}
	return data, nil
}

// look finds values in a dictionary, one for each index.
func look[T any](values, dictionary []T, index []uint32) error {
	values = values[:len(index)]
	for i, at := range index {
		if uint(at) >= uint(len(dictionary)) {
			return faultf("a page refers to a value that is not in its dictionary")
		}
		values[i] = dictionary[at]
	}
	return nil
}

// readIndex decodes n indexes into a dictionary.
func (c *cursor) readIndex(p page, n int) (err error) {
	if c.index, err = resize(c.index, n, 4, c.pages.room); err != nil || n == 0 {
		return err
	}
	if p.encoding != format.RLEDictionary || len(p.values) == 0 {
		return faultf("a page is in encoding %v", p.encoding)
	}
	h, err := wire.NewHybrid(p.values[1:], int(p.values[0]), wire.Strict)
	if err != nil {
		return err
	}
	return h.Read(c.index)
}
