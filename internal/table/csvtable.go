package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// csvLoader reads CSV files into a store. It reads them a second time if the kind of a column could
// not be told from its beginning.
type csvLoader struct {
	opt       Options
	store     *store
	names     []string
	firstPath string     // of the file that named them
	builders  []*builder // nil for a column that is not being read
	second    bool       // reading

	rows      int64
	block     int // being gathered
	pending   int // rows in it
	bulk      int // bytes of text in it
	blockRows int // caps of both
	blockBulk int

	files    []File
	warnings []string
	room     int64 // left for dictionaries
	progress *progress
}

func loadCSV(ctx context.Context, inputs []*input, opt Options) (_ *Table, err error) {
	if opt.Delimiter != 0 && (opt.Delimiter >= utf8.RuneSelf || strings.ContainsRune("\"\r\n\x00", opt.Delimiter)) {
		return nil, tallystick.Errorf(tallystick.Invalid, "delimiter %q cannot separate fields", opt.Delimiter).
			WithHint("use one ASCII character such as , ; | or tab")
	}
	l := &csvLoader{
		opt:      opt,
		store:    &store{budget: opt.MemoryBudget, limit: opt.MaxTempBytes, dir: opt.TempDir},
		progress: &progress{report: opt.Progress},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, storeSource{l.store}.Close())
		}
	}()
	for _, in := range inputs {
		l.progress.total += in.size
	}
	for i, in := range inputs {
		if err := l.read(ctx, i, in); err != nil {
			return nil, err
		}
	}
	if l.rows == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has a header and no rows", inputs[0].path).
			WithHint("give a file with at least one row below the header")
	}
	if err := l.flush(); err != nil {
		return nil, err
	}
	columns, err := l.settle(ctx, inputs)
	if err != nil {
		return nil, err
	}
	for _, in := range inputs {
		if err := in.check(); err != nil {
			return nil, err
		}
	}
	l.store.buffer = nil
	t := &Table{source: storeSource{l.store}, rows: l.rows, columns: columns, files: l.files, warnings: l.warnings}
	return t, closeInputs(inputs)
}

// settle fixes the kinds of all columns and reads again those that need it.
func (l *csvLoader) settle(ctx context.Context, inputs []*input) ([]Column, error) {
	again := make([]*builder, len(l.builders))
	for i, b := range l.builders {
		if err := b.settle(); err != nil {
			return nil, err
		}
		if b.again {
			l.store.drop(i)
			again[i] = newBuilder(b.name, b.kind, newDictionary(&l.room), &l.bulk)
		}
	}
	first := l.builders
	if slices.ContainsFunc(again, func(b *builder) bool { return b != nil }) {
		rows := l.rows
		l.builders, l.second, l.rows, l.block = again, true, 0, 0
		for _, in := range inputs {
			l.progress.total += in.size
		}
		for i, in := range inputs {
			if err := l.read(ctx, i, in); err != nil {
				return nil, err
			}
		}
		if l.rows != rows {
			return nil, tallystick.Errorf(tallystick.Conflict, "%s changed while it was being read", inputs[0].path).
				WithHint("try again when nothing writes to it")
		}
	}
	columns := make([]Column, len(first))
	for i, b := range first {
		digits := b.digits()
		if again[i] != nil {
			b = again[i]
			if b.kind == Text && !digits {
				b.forced = "" // so that it warns
			}
		}
		columns[i] = b.column()
		if digits {
			columns[i].Was, columns[i].Integer = Number, true
		}
		l.store.kinds = append(l.store.kinds, b.kind)
		l.store.dicts = append(l.store.dicts, b.dict)
		if w := b.warning(); w != "" {
			l.warnings = append(l.warnings, w)
		}
	}
	return columns, nil
}

// read reads file number i to its end.
func (l *csvLoader) read(ctx context.Context, i int, in *input) error {
	stream := newStream(ctx, in, l.progress)
	defer stream.close()
	records := newCSVReader(stream, l.opt.MaxFieldBytes)
	if err := records.begin(byte(l.opt.Delimiter)); err != nil {
		return err
	}
	order, err := l.header(in, records)
	if err != nil {
		return err
	}
	at := place{path: in.path}
	for {
		fields, err := records.next()
		if errors.Is(err, io.EOF) {
			break
		}
		at.row++
		at.line, at.seq = records.line, l.rows
		if err != nil {
			return l.explain(at, order, err)
		}
		if len(fields) != len(order) {
			return tallystick.Errorf(tallystick.Invalid, "%s: row %d (line %d) has %s, the header has %d",
				in.path, at.row, at.line, fieldCount(len(fields)), len(order)).
				WithHint("look for a missing or extra %q, or a field that needs quotes", records.delimiter)
		}
		for j, field := range fields {
			b := l.builders[order[j]]
			if b == nil {
				continue
			}
			if err := b.add(field, &at); err != nil {
				return l.explain(at, order, &syntaxError{at.line, j, "the value is not UTF-8 text", "save the file as UTF-8"})
			}
		}
		if err := l.endRow(ctx); err != nil {
			return err
		}
	}
	if !l.second {
		l.files = append(l.files, File{Path: in.path, Format: string(in.format), Bytes: in.size, Digest: stream.digest, Rows: at.row})
	} else if l.files[i].Digest != stream.digest {
		return tallystick.Errorf(tallystick.Conflict, "%s changed while it was being read", in.path).
			WithHint("try again when nothing writes to it")
	}
	return nil
}

// endRow ends the block if it is full. A second reading cuts where the first did.
func (l *csvLoader) endRow(ctx context.Context) error {
	l.rows++
	l.pending++
	switch {
	case l.second && l.pending < l.store.blocks[min(l.block, len(l.store.blocks)-1)]:
		return nil
	case !l.second && l.rows > l.opt.MaxRows:
		return tallystick.Errorf(tallystick.Invalid, "there are more than %d rows", l.opt.MaxRows).
			WithHint("read fewer rows at a time, or raise the limit")
	case !l.second && l.pending < l.blockRows && l.bulk < l.blockBulk:
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.flush()
}

// flush moves the pending rows of all columns to the store.
func (l *csvLoader) flush() error {
	if l.pending == 0 {
		return nil
	}
	for i, b := range l.builders {
		if b == nil {
			continue
		}
		if !b.again {
			if err := l.store.append(i, b); err != nil {
				return err
			}
		}
		b.n = 0
		b.pending.reset()
	}
	if !l.second {
		l.store.blocks = append(l.store.blocks, l.pending)
	}
	l.block++
	l.pending, l.bulk = 0, 0
	return nil
}

// explain turns an error in a record into one that names file, row and column.
func (l *csvLoader) explain(at place, order []int, err error) error {
	var syntax *syntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	where := fmt.Sprintf("%s: row %d (line %d)", at.path, at.row, syntax.line)
	if at.row == 0 {
		where = fmt.Sprintf("%s: header (line %d)", at.path, syntax.line)
	}
	if syntax.field < len(order) {
		where += fmt.Sprintf(", column %q", l.names[order[syntax.field]])
	} else {
		where += fmt.Sprintf(", field %d", syntax.field+1)
	}
	return tallystick.Errorf(tallystick.Invalid, "%s: %s", where, syntax.what).WithHint("%s", syntax.hint)
}

func fieldCount(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}
