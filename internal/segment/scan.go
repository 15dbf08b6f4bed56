package segment

import (
	"iter"

	"github.com/tallystick/tallystick"
)

// ColumnKind is what the values of a column are to a question.
type ColumnKind uint8

// The kinds of columns.
const (
	Missing ColumnKind = iota // the file has no such column: all are null
	Number                    // Floats
	Integer                   // Ints: times in microseconds since 1970, durations
	Boolean                   // Ints: 0 or 1
	Text                      // Bytes, of texts and JSON
	Binary                    // Bytes
)

// Column is a column of a file.
type Column struct {
	Name string
	Kind ColumnKind
}

func (c *column) kind() ColumnKind {
	switch c.store {
	case asDouble:
		return Number
	case asInteger, asTime:
		return Integer
	case asBoolean:
		return Boolean
	case asText, asJSON:
		return Text
	}
	return Binary
}

// Columns returns the columns in the order of their names.
func (f *File) Columns() []Column {
	columns := make([]Column, len(f.columns))
	for i, c := range f.columns {
		columns[i] = Column{c.name, c.kind()}
	}
	return columns
}

// Batch is a run of rows of the columns that a scan was asked for, in that order. It is valid until
// the next.
type Batch struct {
	File    int   // which of the files
	First   int64 // row of it
	Rows    int
	Columns []Vector
}

// Vector is a run of values of one column.
type Vector struct {
	Kind   ColumnKind
	Nulls  int    // of the values
	Null   []bool // by row; nil if the column is missing
	Floats []float64
	Ints   []int64
	Bytes  [][]byte
}

// Scan yields the rows of the named columns from files of one model, and decodes no others. A
// column that a file does not have is missing there; one that has different kinds in different files has its
// own kind in each. It does not hold what it reads against the leaves, as Entries does; pages have checksums.
//
// Where a column says null, the column overflow can have a value that did not fit.
func Scan(files []*File, columns []string) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for _, name := range columns {
			if !anyHas(files, name) {
				yield(nil, unknownColumn(files, name))
				return
			}
		}
		for i, f := range files {
			more, err := f.scan(i, columns, func(b *Batch) bool { return yield(b, nil) })
			if err != nil {
				yield(nil, damaged(err))
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func anyHas(files []*File, name string) bool {
	for _, f := range files {
		if f.byName[name] != nil {
			return true
		}
	}
	return false
}

func unknownColumn(files []*File, name string) error {
	var names []string
	for _, f := range files {
		for _, c := range f.columns {
			names = append(names, c.name)
		}
	}
	err := tallystick.Errorf(tallystick.NotFound, "the records have no column %q", clip(name))
	if near := tallystick.Nearest(name, names); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	return err
}

func (f *File) scan(number int, columns []string, yield func(*Batch) bool) (more bool, err error) {
	r := newRoom()
	defer r.close()
	cursors := make([]*cursor, len(columns))
	for i, name := range columns {
		if c := f.byName[name]; c != nil {
			cursors[i] = newCursor(f, c, r)
		}
	}
	batch := &Batch{File: number, Columns: make([]Vector, len(columns))}
	for row := int64(0); row < f.rows; row += int64(batch.Rows) {
		n := int(min(f.rows-row, maxPageRows))
		for _, c := range cursors {
			if c == nil {
				continue
			}
			k, err := c.ready()
			if err != nil {
				return false, faultf("column %q: %v", clip(c.pages.column.name), err)
			}
			n = min(n, k)
		}
		if n == 0 {
			return false, faultf("rows are missing")
		}
		batch.First, batch.Rows = row, n
		for i, c := range cursors {
			batch.Columns[i] = c.vector(n)
		}
		if !yield(batch) {
			return false, nil
		}
	}
	return true, nil
}

// vector takes the next n rows of the open page.
func (c *cursor) vector(n int) Vector {
	if c == nil {
		return Vector{Nulls: n}
	}
	v := Vector{Kind: c.pages.column.kind()}
	from, to := c.used, c.used+n
	c.used = to
	v.Null = c.null[from:to]
	switch {
	case c.nulls == 0:
	case n == len(c.null):
		v.Nulls = c.nulls
	default:
		for _, null := range v.Null {
			if null {
				v.Nulls++
			}
		}
	}
	switch v.Kind {
	case Number:
		v.Floats = c.floats[from:to]
	case Integer, Boolean:
		v.Ints = c.ints[from:to]
	default:
		v.Bytes = c.bytes[from:to]
	}
	return v
}
