package segment

import (
	"encoding/binary"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/wire"
)

const (
	magic          = "PAR1"
	maxFooterBytes = 32 << 20
	maxGroupRows   = 1 << 20
	maxFileColumns = 2*maxColumns + 64
)

// File is an open segment file. Its methods can be called from several goroutines.
type File struct {
	reader  io.ReaderAt
	end     int64 // of the pages
	meta    *metadata
	rows    int64
	groups  []format.RowGroup
	columns []*column // that are known
	width   int       // all columns
	byName  map[string]*column
}

// column is a column of a file.
type column struct {
	name  string
	index int // in a row group
	store storage
}

// Open reads the footer of the file of size bytes behind r.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f, err := open(r, size)
	if err != nil {
		return nil, damaged(err)
	}
	return f, nil
}

func open(r io.ReaderAt, size int64) (*File, error) {
	if size < int64(2*len(magic)+4) {
		return nil, faultf("it has only %d bytes", size)
	}
	tail := make([]byte, 8)
	if _, err := r.ReadAt(tail, size-8); err != nil {
		return nil, faultf("its end cannot be read: %v", err)
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	f := &File{reader: r, end: size - 8 - length, byName: map[string]*column{}}
	if string(tail[4:]) != magic || f.end < int64(len(magic)) || length > maxFooterBytes {
		return nil, faultf("its footer is missing or cannot have %d bytes", length)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, f.end); err != nil {
		return nil, faultf("its footer cannot be read: %v", err)
	}
	var meta format.FileMetaData
	if n, err := wire.Decode(footer, &meta, thriftBounds()); err != nil {
		return nil, err
	} else if n != len(footer) {
		return nil, faultf("its footer is followed by something else")
	}
	if meta.EncryptionAlgorithm.Value != nil {
		return nil, faultf("it is encrypted")
	}
	for _, kv := range meta.KeyValueMetadata {
		if kv.Key == metadataKey && f.meta == nil {
			var err error
			if f.meta, err = parseMetadata(kv.Value); err != nil {
				return nil, err
			}
		}
	}
	if f.meta == nil {
		return nil, faultf("it does not say which segment it is")
	}
	if err := f.readSchema(meta.Schema); err != nil {
		return nil, err
	}
	f.groups, f.width = meta.RowGroups, len(meta.Schema)-1
	return f, f.checkGroups(len(meta.Schema) - 1)
}

// readSchema finds the columns that this package knows; it passes over others.
func (f *File) readSchema(schema []format.SchemaElement) error {
	if len(schema) < 2 || len(schema) > maxFileColumns || int(schema[0].NumChildren.V) != len(schema)-1 {
		return faultf("its schema is not flat, or too wide")
	}
	known := map[string]storage{columnLeaf: as32, columnTile: as32, columnAbsent: asBytes, columnOverflow: asJSON, columnRequest: asBytes, columnResponse: asBytes}
	for _, field := range fields() {
		known[field.name] = field.store
	}
	for i := range schema[1:] {
		e := &schema[1+i]
		if !e.Type.Valid || !e.RepetitionType.Valid || e.RepetitionType.V != format.Optional {
			return faultf("column %q is nested, repeated or required", clip(e.Name))
		}
		store := storageOf(e)
		want, ok := known[e.Name]
		if strings.HasPrefix(e.Name, featurePrefix) || strings.HasPrefix(e.Name, attributionPrefix) {
			want, ok = 0, true
		}
		if !ok {
			continue
		}
		isValue := store == asDouble || store == asInteger || store == asBoolean || store == asText
		if f.byName[e.Name] != nil || want != 0 && want != store || want == 0 && !isValue {
			return faultf("column %q stands twice or has another type than it should", clip(e.Name))
		}
		c := &column{e.Name, i, store}
		f.columns = append(f.columns, c)
		f.byName[e.Name] = c
	}
	for _, name := range []string{columnLeaf, columnTile} {
		if f.byName[name] == nil {
			return faultf("it has no column %q", name)
		}
	}
	return nil
}

// storageOf returns how a column of this type holds its values, 0 if it is none of ours.
func storageOf(e *format.SchemaElement) storage {
	logical := e.LogicalType.Value
	switch e.Type.V {
	case format.Double:
		return asDouble
	case format.Boolean:
		return asBoolean
	case format.Int64:
		t, ok := logical.(*format.TimestampType)
		if !ok {
			return asInteger
		}
		if _, micro := t.Unit.Value.(*format.MicroSeconds); micro && t.IsAdjustedToUTC {
			return asTime
		}
	case format.ByteArray:
		switch logical.(type) {
		case *format.StringType:
			return asText
		case *format.JsonType:
			return asJSON
		case nil:
			return asBytes
		}
	case format.FixedLenByteArray:
		if _, uuid := logical.(*format.UUIDType); uuid && e.TypeLength.V == 16 {
			return asUUID
		}
		switch e.TypeLength.V {
		case 8:
			return as8
		case 16:
			return as16
		case 32:
			return as32
		}
	}
	return 0
}

// physical returns the type of the column's values in the file.
func (s storage) physical() format.Type {
	switch s {
	case asDouble:
		return format.Double
	case asBoolean:
		return format.Boolean
	case asInteger, asTime:
		return format.Int64
	case asText, asJSON, asBytes:
		return format.ByteArray
	}
	return format.FixedLenByteArray
}

// checkGroups holds the row groups against the schema, the file and the parts.
func (f *File) checkGroups(columns int) error {
	for g := range f.groups {
		group := &f.groups[g]
		if group.NumRows <= 0 || group.NumRows > maxGroupRows || len(group.Columns) != columns {
			return faultf("row group %d has %d rows and %d columns", g, group.NumRows, len(group.Columns))
		}
		f.rows += group.NumRows
		for _, c := range f.columns {
			chunk := &group.Columns[c.index]
			start, end := chunkRange(&chunk.MetaData)
			if start < int64(len(magic)) || end < start || end > f.end || chunk.FilePath != "" ||
				chunk.MetaData.Type != c.store.physical() || chunk.MetaData.NumValues != group.NumRows ||
				chunk.MetaData.Codec != format.Zstd && chunk.MetaData.Codec != format.Uncompressed {
				return faultf("column %q of row group %d is not where or what it should be", clip(c.name), g)
			}
		}
	}
	total := int64(0)
	for _, p := range f.meta.Parts {
		total += p.Count
	}
	if f.rows != total {
		return faultf("it has %d rows, its parts %d", f.rows, total)
	}
	return nil
}

// chunkRange returns the bytes of a column chunk, from its dictionary on if it has one.
func chunkRange(meta *format.ColumnMetaData) (start, end int64) {
	start = meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	return start, start + meta.TotalCompressedSize
}

// Model returns the model of the records.
func (f *File) Model() string { return f.meta.Model }

// Parts returns the segments in the file. Their roots are what the file says: hold them against
// those that were registered.
func (f *File) Parts() []Part { return append([]Part(nil), f.meta.Parts...) }

// Count returns the number of records, erased ones included.
func (f *File) Count() int64 { return f.rows }

// Place returns in which of the parts a row is, and at which index.
func (f *File) Place(row int64) (part int, index int64, err error) {
	index = row
	for part := range f.meta.Parts {
		if n := f.meta.Parts[part].Count; 0 <= index && index < n {
			return part, index, nil
		} else {
			index -= n
		}
	}
	return 0, 0, tallystick.Errorf(tallystick.NotFound, "the segment file has %d rows, no row %d", f.rows, row)
}

// clip shortens what is quoted in a message.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "?") }
