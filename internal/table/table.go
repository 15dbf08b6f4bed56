package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Kind is what the values of a column are to a statistician.
type Kind string

// The four kinds. Integers and decimals are numbers, booleans are categories. A column of text
// with too many different values for a dictionary is Text.
const (
	Number   Kind = "number"
	Category Kind = "category"
	Time     Kind = "time"
	Text     Kind = "text"
)

// Column describes one column of a Table.
type Column struct {
	Name     string
	Kind     Kind
	Physical string // the type that the file states or, for CSV, shows: "int64", "double", "string", "timestamp[us]", ...
	Integer  bool   // a number column of integers only
	Was      Kind   // with Options.Exact: what the values of a column of text are, Number or Time; else empty
	Fault    string // why the column cannot be read; empty if it can. Its kind means nothing then
}

// File describes one file that was read.
type File struct {
	Path   string
	Format string // "csv", "csv.gz" or "parquet"
	Bytes  int64  // size of the file as it lies on disk
	Digest tallystick.Digest
	Rows   int64
}

// Options says how to read. The zero value is right for most files.
type Options struct {
	MemoryBudget int64  // bytes of CSV columns held in memory; the rest goes to a temporary file; 0 means 256 MiB
	TempDir      string // where that file lies; empty means the system's directory

	Text       []string // columns to read as text whatever they look like, such as identifiers beyond 2^53
	Categories []string // columns to read as categories although they look like numbers or times
	// Exact reads as text, with all its digits, what a number or a time does not hold exactly: integers of CSV columns
	// beyond 2^53; of Parquet files, integers of 64 bits, whole decimals, and times, which can lie before 1678 or after 2261.
	Exact     bool
	Delimiter rune // of CSV fields; 0 means to take the likeliest of , ; tab and | from the header

	MaxRows       int64 // of all files; 0 means 2^32
	MaxColumns    int   // 0 means 16,384
	MaxFieldBytes int   // of one CSV field or text value; 0 means 1 MiB
	MaxTempBytes  int64 // of the temporary file; 0 means 64 GiB

	// Progress is told how many of the bytes that are to be read have been read. It is never called
	// by two goroutines at once. It may be nil.
	Progress func(done, total int64)
}

func (o Options) withDefaults() Options {
	o.MemoryBudget = cmp.Or(o.MemoryBudget, 256<<20)
	o.MaxRows = cmp.Or(o.MaxRows, 1<<32)
	o.MaxColumns = cmp.Or(o.MaxColumns, 16384)
	o.MaxFieldBytes = cmp.Or(o.MaxFieldBytes, 1<<20)
	o.MaxTempBytes = cmp.Or(o.MaxTempBytes, 64<<30)
	return o
}

// forced returns the kind that the options demand for a column, or the empty kind.
func (o Options) forced(name string) Kind {
	switch {
	case slices.Contains(o.Text, name):
		return Text
	case slices.Contains(o.Categories, name):
		return Category
	}
	return ""
}

// checkNames returns a NotFound error if the options speak of a column that is not among names.
func (o Options) checkNames(path string, names []string) error {
	for _, name := range slices.Concat(o.Text, o.Categories) {
		if !slices.Contains(names, name) {
			return missingColumn(path, name, names)
		}
	}
	return nil
}

// dictionaryRoom returns the bytes that the dictionaries of one table may take together.
func (o Options) dictionaryRoom() int64 { return max(o.MemoryBudget, maxDictionaryBytes) }

// maxFiles bounds the files of one table, each of which stays open.
const maxFiles = 512

// Table is a set of named columns of equal length. Its methods may be called from several
// goroutines; none may run during or after Close.
type Table struct {
	source   source
	rows     int64
	columns  []Column
	byName   map[string]int
	files    []File
	warnings []string
}

// source is what is behind a Table: a store of encoded CSV columns, or Parquet files.
type source interface {
	// cursor returns a reader of column i from its first row. It is for one goroutine.
	cursor(i int) (cursor, error)
	// dictionary returns the values of category column i by code.
	dictionary(i int) []string
	// check returns an error if a column cannot be read or a file has changed since it was opened.
	check(i int) error
	io.Closer
}

// Open reads the files at paths as one table. CSV files are read whole, for the types of their
// columns; of Parquet files the metadata and the columns of text are read. Every file is hashed.
//
// Errors about the files are Invalid or, for a missing file or column, NotFound.
func Open(ctx context.Context, paths []string, opt Options) (_ *Table, err error) {
	opt = opt.withDefaults()
	if len(paths) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "no file to read").WithHint("name at least one CSV or Parquet file")
	}
	if len(paths) > maxFiles {
		return nil, tallystick.Errorf(tallystick.Invalid, "%d files are too many for one table", len(paths)).
			WithHint("join them into at most %d files", maxFiles)
	}
	inputs, err := openInputs(paths)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeInputs(inputs))
		}
	}()

	var t *Table
	if inputs[0].format == formatParquet {
		t, err = openParquet(ctx, inputs, opt)
	} else {
		t, err = loadCSV(ctx, inputs, opt)
	}
	if err != nil {
		return nil, err
	}
	t.byName = make(map[string]int, len(t.columns))
	for i, c := range t.columns {
		t.byName[c.Name] = i
	}
	return t, nil
}

// Rows returns the number of rows of all files.
func (t *Table) Rows() int64 { return t.rows }

// Columns returns the columns in the order of the first file.
func (t *Table) Columns() []Column { return slices.Clone(t.columns) }

// Column returns the column of that name, or a NotFound error that suggests the nearest name.
func (t *Table) Column(name string) (Column, error) {
	i, err := t.index(name)
	if err != nil {
		return Column{}, err
	}
	return t.columns[i], nil
}

// Files returns the files in the order in which their rows follow each other.
func (t *Table) Files() []File { return slices.Clone(t.files) }

// Warnings returns what a reader of the result should know: renamed and unsupported columns,
// guesses, numbers that lost digits. Each is one line.
func (t *Table) Warnings() []string { return slices.Clone(t.warnings) }

// Digest returns the digest of the data: that of the file if there is one, else the digest of the
// files' digests in order, one a line.
func (t *Table) Digest() tallystick.Digest {
	if len(t.files) == 1 {
		return t.files[0].Digest
	}
	var lines strings.Builder
	for _, f := range t.files {
		fmt.Fprintln(&lines, f.Digest)
	}
	return tallystick.DigestOf([]byte(lines.String()))
}

// Dictionary returns the values of a category column, the value of code i at index i, in the
// order of their first rows; nil for other columns. The codes hold for the whole table. The caller
// must not change the slice.
func (t *Table) Dictionary(name string) []string {
	i, ok := t.byName[name]
	if !ok || t.columns[i].Kind != Category {
		return nil
	}
	return t.source.dictionary(i)
}

// Close releases files, memory and temporary disk space.
func (t *Table) Close() error { return t.source.Close() }

// index finds a column by name.
func (t *Table) index(name string) (int, error) {
	if i, ok := t.byName[name]; ok {
		return i, nil
	}
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return 0, missingColumn(t.files[0].Path, name, names)
}

// missingColumn returns the error for a name that no column has.
func missingColumn(path, name string, names []string) error {
	err := tallystick.Errorf(tallystick.NotFound, "%s has no column %q", path, name)
	if near := tallystick.Nearest(name, names); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	shown := names[:min(len(names), 12)]
	return err.WithHint("its columns are %s", strings.Join(shown, ", "))
}
