package table

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/wire"
)

// textBlockBytes is how much text makes a block end before it has all its rows.
const textBlockBytes = 16 << 20

// parquetCursor reads one column of Parquet files, page by page.
type parquetCursor struct {
	source  *parquetSource
	column  *parquetColumn
	collect bool // give codes to values that have none yet

	file, group int // the next row group
	leaf        *leaf
	row         int64 // of the file, from 0: how many have been read
	pages       pageReader
	left        int // rows of the present page to come
	levels      wire.Hybrid
	optional    bool // the page has levels
	values      values
	lookup      lookup

	ready  Vector // rows made ready
	taken  int    // of them, by take
	ints   []int64
	floats []float64
	index  []uint32
	text   []byte
}

// lookup is a dictionary page, turned into what the kind of the column wants.
type lookup struct {
	n      int
	floats []float64
	times  []int64
	codes  []uint32 // NoCode until the value occurs
	text   []byte   // of categories and text
	ends   []uint32
}

func (l *lookup) bytes(i uint32) []byte {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.text[start:l.ends[i]]
}

func (c *parquetCursor) close() { c.pages.unpacker.close() }

func (c *parquetCursor) take(n int) Vector {
	c.taken = n
	return c.ready.head(c.column.kind, n)
}

func (c *parquetCursor) fill(want int) (int, error) {
	c.ready.discard(c.taken)
	c.taken = 0
	for len(c.ready.Null) < want && len(c.ready.text) < textBlockBytes {
		if c.left == 0 {
			more, err := c.nextPage()
			if err != nil {
				return 0, c.explain(err)
			}
			if !more {
				break
			}
			continue
		}
		n := min(want-len(c.ready.Null), c.left)
		if c.column.kind == Text {
			n = min(n, 64) // between looks at the bytes gathered
		}
		if err := c.readRows(n); err != nil {
			return 0, c.explain(err)
		}
		c.left -= n
		c.row += int64(n)
	}
	return len(c.ready.Null), nil
}

// explain names file, column and row.
func (c *parquetCursor) explain(err error) error {
	if errors.Is(err, errDictionaryFull) {
		return err
	}
	path := c.source.files[max(c.file, 0)].path
	if errors.Is(err, errNotUTF8) || errors.Is(err, errLongText) {
		return tallystick.Errorf(tallystick.Invalid, "%s: column %q, near row %d: %w", path, c.leaf.name, c.row+1, err).
			WithHint("leave the column out, or write it otherwise")
	}
	return damaged(path, "column %q, near row %d: %w", c.leaf.name, c.row+1, err)
}

var errLongText = errors.New("value is too long")

// nextPage moves to the next data page that has rows, across row groups and files. It returns false
// at the end.
func (c *parquetCursor) nextPage() (bool, error) {
	for c.pages.rows == 0 {
		if c.leaf != nil && c.group == len(c.source.files[c.file].groups) {
			if c.file+1 == len(c.source.files) {
				return false, nil
			}
			c.file, c.group, c.row, c.leaf = c.file+1, 0, 0, nil
		}
		c.leaf = c.column.leaves[c.file]
		f := c.source.files[c.file]
		if c.group == len(f.groups) {
			continue
		}
		group := &f.groups[c.group]
		c.group++
		c.lookup = lookup{}
		if err := c.pages.begin(f.reader, &group.Columns[c.leaf.chunk], group.NumRows, c.leaf.optional); err != nil {
			return false, err
		}
		if physical := group.Columns[c.leaf.chunk].MetaData.Type; physical != c.leaf.physical {
			return false, fmt.Errorf("its type is %v in the schema and %v in a row group", c.leaf.physical, physical)
		}
	}
	p, err := c.pages.next()
	if err != nil {
		return false, err
	}
	if p.dictionary {
		return true, c.readLookup(p)
	}
	c.left = p.rows
	c.optional = p.levels != nil
	if c.optional {
		if c.levels, err = wire.NewHybrid(p.levels, 1, wire.Lenient); err != nil {
			return false, err
		}
	}
	c.values, err = newValues(c.leaf, p.encoding, p.values, p.rows)
	if err == nil && c.values.index != nil && c.lookup.n == 0 && c.values.index.Width() > 0 {
		return false, errors.New("a page refers to a dictionary that is not there")
	}
	return true, err
}
