package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tallystick/tallystick"
)

// parquetSource reads columns from Parquet files when they are asked for.
type parquetSource struct {
	inputs   []*input // empty in tests that read from memory
	files    []*parquetFile
	columns  []parquetColumn
	maxField int
	room     int64 // left for dictionaries, while they are read
}

// parquetColumn is one column across the files.
type parquetColumn struct {
	kind   Kind
	leaves []*leaf // by file
	dict   *dictionary
	fault  string // why it cannot be read; empty if it can
}

// openParquet hashes the files and meanwhile reads their footers and the values of their categories.
func openParquet(ctx context.Context, inputs []*input, opt Options) (*Table, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type hashed struct {
		digests []tallystick.Digest
		err     error
	}
	done := make(chan hashed, 1)
	go func() {
		digests, err := hashInputs(ctx, inputs, opt)
		done <- hashed{digests, err}
	}()

	t, err := func() (*Table, error) {
		var files []*parquetFile
		for _, in := range inputs {
			f, err := readFooter(in.path, in.file, in.size, opt)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
		return newParquetTable(ctx, files, opt)
	}()
	if err != nil {
		cancel()
		<-done
		return nil, err
	}
	hashes := <-done
	if hashes.err != nil {
		return nil, hashes.err
	}
	source := t.source.(*parquetSource)
	source.inputs = inputs
	for i, in := range inputs {
		t.files = append(t.files, File{Path: in.path, Format: string(in.format), Bytes: in.size, Digest: hashes.digests[i], Rows: source.files[i].rows})
		if err := in.check(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func hashInputs(ctx context.Context, inputs []*input, opt Options) ([]tallystick.Digest, error) {
	progress := &progress{report: opt.Progress}
	for _, in := range inputs {
		progress.total += in.size
	}
	var digests []tallystick.Digest
	buffer := make([]byte, streamChunk)
	for _, in := range inputs {
		h := newHashing(in, progress)
		for {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			_, err := h.Read(buffer)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, tallystick.Errorf(tallystick.Unavailable, "%s: cannot be read: %w", in.path, err)
			}
		}
		digests = append(digests, h.digest())
	}
	return digests, nil
}

// newParquetTable joins the files' columns by name and reads the values of the categories.
func newParquetTable(ctx context.Context, files []*parquetFile, opt Options) (*Table, error) {
	s := &parquetSource{files: files, maxField: opt.MaxFieldBytes, room: opt.dictionaryRoom()}
	t := &Table{source: s}
	for _, f := range files {
		if t.rows += f.rows; t.rows > opt.MaxRows || t.rows < 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "there are more than %d rows", opt.MaxRows).
				WithHint("read fewer rows at a time, or raise the limit")
		}
	}
	if t.rows == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has no rows", files[0].path).WithHint("give a file with at least one row")
	}
	if err := s.join(t); err != nil {
		return nil, err
	}
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	if err := opt.checkNames(files[0].path, names); err != nil {
		return nil, err
	}
	for i := range s.columns {
		c, column := &s.columns[i], &t.columns[i]
		if c.fault == "" {
			if forced := opt.forced(column.Name); forced != "" {
				c.kind = forced
			} else if opt.Exact && slices.ContainsFunc(c.leaves, (*leaf).rounded) {
				column.Was, c.kind = c.kind, Text
			}
			if c.kind == Category {
				if err := s.readDictionary(ctx, i); err != nil {
					return nil, err
				}
			}
			if c.kind == Text && opt.forced(column.Name) != Text && column.Was == "" {
				t.warnings = append(t.warnings, "column "+quote(column.Name)+" "+tooManyValues)
			}
		}
		if c.fault != "" {
			t.warnings = append(t.warnings, fmt.Sprintf("column %s cannot be read: %s", quote(column.Name), c.fault))
		}
		column.Kind, column.Fault = c.kind, c.fault
		column.Integer = column.Integer && (c.kind == Number || column.Was == Number)
	}
	return t, nil
}

// join makes the columns from the leaves of all files, which must have the same names and kinds.
func (s *parquetSource) join(t *Table) error {
	var names []string
	for fileIndex, f := range s.files {
		raw := make([][]byte, len(f.leaves))
		for i := range f.leaves {
			raw[i] = []byte(f.leaves[i].name)
		}
		own, warnings := columnNames(f.path, raw)
		t.warnings = append(t.warnings, warnings...)
		if fileIndex == 0 {
			names = own
			s.columns = make([]parquetColumn, len(own))
			t.columns = make([]Column, len(own))
		}
		order, err := matchNames(f.path, own, s.files[0].path, names)
		if err != nil {
			return err
		}
		for i := range f.leaves {
			leaf, c, column := &f.leaves[i], &s.columns[order[i]], &t.columns[order[i]]
			kind := leaf.kind()
			switch {
			case fileIndex == 0:
				*column = Column{Name: own[i], Physical: leaf.label, Integer: leaf.integer()}
				c.kind = kind
			case c.kind == "":
				c.kind, column.Physical, column.Integer = kind, leaf.label, leaf.integer()
			case kind != "" && kind != c.kind:
				return tallystick.Errorf(tallystick.Invalid, "%s: column %q is of type %s, unlike in %s (%s)",
					f.path, own[i], leaf.label, s.files[0].path, column.Physical).
					WithHint("write both files with one type")
			case kind != "":
				column.Integer = column.Integer && leaf.integer()
			}
			c.leaves = append(c.leaves, leaf)
			if leaf.unsupported != "" && c.fault == "" {
				c.fault = leaf.unsupported
			}
		}
	}
	for i := range s.columns {
		if s.columns[i].kind == "" {
			s.columns[i].kind = Number
		}
	}
	return nil
}

// readDictionary reads category column i for its values in the order of their first rows. (The
// dictionaries in the file are in another order, list values that do not occur and may be missing.)
func (s *parquetSource) readDictionary(ctx context.Context, i int) error {
	c := &s.columns[i]
	c.dict = newDictionary(&s.room)
	cursor := &parquetCursor{source: s, column: c, collect: true}
	defer cursor.close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := cursor.fill(MaxBlockRows)
		switch {
		case errors.Is(err, errDictionaryFull):
			s.room += c.dict.taken
			c.kind, c.dict = Text, nil
			return nil
		case errors.Is(err, errNotUTF8):
			c.fault = "it holds bytes that are not UTF-8 text"
			return nil
		case err != nil:
			return err
		case n == 0:
			return nil
		}
		cursor.take(n)
	}
}

func (s *parquetSource) cursor(i int) (cursor, error) {
	return &parquetCursor{source: s, column: &s.columns[i]}, nil
}

func (s *parquetSource) dictionary(i int) []string {
	if d := s.columns[i].dict; d != nil {
		return d.values
	}
	return nil
}

func (s *parquetSource) check(i int) error {
	for _, in := range s.inputs {
		if err := in.check(); err != nil {
			return err
		}
	}
	if c := &s.columns[i]; c.fault != "" {
		return tallystick.Errorf(tallystick.Invalid, "%s: column %q cannot be read: %s", s.files[0].path, c.leaves[0].name, c.fault).
			WithHint("leave it out, or write it as a number, text, boolean, date or timestamp")
	}
	return nil
}

func (s *parquetSource) Close() error { return closeInputs(s.inputs) }
