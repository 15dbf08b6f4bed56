package table

import (
	"fmt"
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
	buffer  []byte
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
