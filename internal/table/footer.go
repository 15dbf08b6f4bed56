package table

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/wire"
)

const (
	parquetMagic   = "PAR1"
	maxFooterBytes = 64 << 20
	maxRowGroups   = 1 << 15 // the format numbers them with 16 bits
)

// parquetFile is an open Parquet file whose footer has been read and checked.
type parquetFile struct {
	path   string
	reader io.ReaderAt
	end    int64 // of the pages: where the footer begins
	groups []format.RowGroup
	rows   int64
	leaves []leaf // the top-level columns
}

// damaged returns the error for a file whose bytes are not what the format says.
func damaged(path, format string, args ...any) error {
	return tallystick.Errorf(tallystick.Invalid, "%s is a truncated or damaged Parquet file: %w", path, fmt.Errorf(format, args...)).
		WithHint("fetch or write it again")
}

// readFooter reads the metadata of the file of size bytes behind r. Whatever it returns is
// consistent: rows add up, every row group has a chunk for every leaf, every chunk lies in the file.
func readFooter(path string, r io.ReaderAt, size int64, opt Options) (*parquetFile, error) {
	tail := make([]byte, 8)
	if size < int64(len(parquetMagic)+len(tail)) {
		return nil, damaged(path, "it has only %d bytes", size)
	}
	if _, err := r.ReadAt(tail, size-8); err != nil {
		return nil, damaged(path, "read its end: %w", err)
	}
	if string(tail[4:]) != parquetMagic {
		return nil, damaged(path, "its footer is missing")
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	end := size - 8 - length
	if end < int64(len(parquetMagic)) || length > maxFooterBytes {
		return nil, damaged(path, "its footer cannot have %d bytes", length)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, end); err != nil {
		return nil, damaged(path, "read its footer: %w", err)
	}
	var meta format.FileMetaData
	if _, err := wire.Decode(footer, &meta, thriftBounds()); err != nil {
		return nil, damaged(path, "footer: %w", err)
	}
	if meta.EncryptionAlgorithm.Value != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is an encrypted Parquet file", path).WithHint("decrypt it first")
	}
	leaves, chunks, err := readSchema(meta.Schema)
	if err != nil {
		return nil, damaged(path, "schema: %w", err)
	}
	if chunks > opt.MaxColumns {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d columns, more than %d", path, chunks, opt.MaxColumns).
			WithHint("leave some out")
	}
	f := &parquetFile{path: path, reader: r, end: end, groups: meta.RowGroups, rows: meta.NumRows, leaves: leaves}
	return f, f.validate(chunks)
}

func (f *parquetFile) validate(chunks int) error {
	if len(f.groups) > maxRowGroups {
		return damaged(f.path, "it states %d row groups", len(f.groups))
	}
	rows := int64(0)
	for g, group := range f.groups {
		if group.NumRows < 0 || rows+group.NumRows < rows {
			return damaged(f.path, "row group %d states %d rows", g, group.NumRows)
		}
		rows += group.NumRows
		if len(group.Columns) != chunks {
			return damaged(f.path, "row group %d has %d columns, the schema has %d", g, len(group.Columns), chunks)
		}
		for c := range group.Columns {
			if group.NumRows == 0 {
				continue // PyArrow writes such a group of an empty table, with chunks that lie nowhere
			}
			if start, end := chunkRange(&group.Columns[c].MetaData); start < int64(len(parquetMagic)) || end < start || end > f.end {
				return damaged(f.path, "column %d of row group %d lies outside the file", c, g)
			}
		}
	}
	if rows != f.rows {
		return damaged(f.path, "its row groups have %d rows, its footer states %d", rows, f.rows)
	}
	return nil
}

// chunkRange returns the bytes of a column chunk: from its dictionary page, if it states where that
// is, or else its first data page.
func chunkRange(meta *format.ColumnMetaData) (start, end int64) {
	start = meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	return start, start + meta.TotalCompressedSize
}

// readSchema returns the top-level columns and the number of leaves, nested ones included.
func readSchema(schema []format.SchemaElement) (leaves []leaf, chunks int, err error) {
	if len(schema) == 0 || !schema[0].NumChildren.Valid {
		return nil, 0, fmt.Errorf("it has no root")
	}
	at := 1
	for range schema[0].NumChildren.V {
		if at >= len(schema) {
			return nil, 0, fmt.Errorf("it ends early")
		}
		element := &schema[at]
		first := chunks
		nested := !element.Type.Valid
		if at, chunks, err = skipElement(schema, at, chunks, 0); err != nil {
			return nil, 0, err
		}
		l := describe(element)
		l.chunk = first
		if nested {
			l = leaf{name: element.Name, chunk: first, label: "group", meaning: meansNothing, unsupported: "it is nested"}
		}
		leaves = append(leaves, l)
	}
	if at != len(schema) {
		return nil, 0, fmt.Errorf("%d of its elements belong to no column", len(schema)-at)
	}
	if len(leaves) == 0 {
		return nil, 0, fmt.Errorf("it has no columns")
	}
	return leaves, chunks, nil
}

// skipElement steps over the element at and all below it, and counts the leaves.
func skipElement(schema []format.SchemaElement, at, chunks, depth int) (int, int, error) {
	if at >= len(schema) || depth > maxThriftDepth {
		return 0, 0, fmt.Errorf("it ends early or is nested too deep")
	}
	element := &schema[at]
	at++
	if element.Type.Valid {
		return at, chunks + 1, nil
	}
	var err error
	for range element.NumChildren.V {
		if at, chunks, err = skipElement(schema, at, chunks, depth+1); err != nil {
			return 0, 0, err
		}
	}
	return at, chunks, nil
}
