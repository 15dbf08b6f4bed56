package segment

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/tallystick/tallystick"
)

const (
	groupRows  = 1 << 16  // of a row group
	pageRows   = 1 << 13  // of a page, in every column at once, at most
	pageCells  = 1 << 22  // in all columns of as many rows, so that a reader of them all needs no more memory
	pageBytes  = 32 << 20 // of encodings, likewise
	chunkRows  = 1 << 8   // gathered before they are handed to the columns, so that they stay in the cache
	chunkBytes = 4 << 20  // of encodings, likewise
	// dictionaryBytes is how much the dictionary of a column may have in a row group before its
	// values are written in full.
	dictionaryBytes = 256 << 10
)

// node returns the Parquet type of a column. What is as good as random is not compressed; texts get
// a dictionary, and numbers if they are coded.
func (s storage) node(packed compress.Codec, coded bool) parquet.Node {
	column := func(node parquet.Node, e encoding.Encoding, c compress.Codec) parquet.Node {
		return parquet.Optional(parquet.Compressed(parquet.Encoded(node, e), c))
	}
	switch s {
	case asText:
		return column(parquet.String(), &parquet.RLEDictionary, packed)
	case asJSON:
		return column(parquet.JSON(), &parquet.RLEDictionary, packed)
	case asDouble:
		if coded {
			return column(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary, packed)
		}
		return column(parquet.Leaf(parquet.DoubleType), &parquet.Plain, packed)
	case asInteger:
		return column(parquet.Leaf(parquet.Int64Type), &parquet.Plain, packed)
	case asBoolean:
		return column(parquet.Leaf(parquet.BooleanType), &parquet.Plain, packed)
	case asTime:
		return column(parquet.TimestampAdjusted(parquet.Microsecond, true), &parquet.Plain, packed)
	case asUUID:
		return column(parquet.UUID(), &parquet.Plain, packed)
	case asBytes:
		return column(parquet.Leaf(parquet.ByteArrayType), &parquet.RLEDictionary, packed)
	}
	return column(parquet.Leaf(parquet.FixedLenByteArrayType(s.width())), &parquet.Plain, &parquet.Uncompressed)
}

// fileWriter turns rows into a Parquet file.
type fileWriter struct {
	layout layout
	hash   hash.Hash
	bytes  int64
	out    io.Writer

	parquet  *parquet.GenericWriter[any]
	columns  []*parquet.ColumnWriter
	cells    [][]parquet.Value // of the chunk, by column
	arena    []byte            // of its texts
	rows     int               // in the chunk
	size     int               // of their encodings
	inPage   int               // rows in the open pages
	pageSize int               // of their encodings
	inGroup  int

	fieldAt, featureAt, attributionAt    []int // the columns, in the order of the layout
	leafAt, tileAt, absentAt, overflowAt int
}

// Write counts and hashes what goes out.
func (f *fileWriter) Write(p []byte) (int, error) {
	n, err := f.out.Write(p)
	f.hash.Write(p[:n])
	f.bytes += int64(n)
	return n, err
}

func newFileWriter(out io.Writer, l layout) *fileWriter {
	f := &fileWriter{layout: l, hash: sha256.New(), out: out}
	packed := &zstd.Codec{Level: zstd.SpeedFastest} // one for all columns, which share its buffers
	nodes := parquet.Group{columnLeaf: as32.node(packed, false), columnTile: as32.node(packed, false)}
	for _, field := range l.fields {
		nodes[field.name] = field.store.node(packed, field.coded)
	}
	for _, columns := range [][]valueColumn{l.features, l.attributions} {
		for _, c := range columns {
			nodes[c.column] = c.store.node(packed, c.coded)
		}
	}
	if l.absent {
		nodes[columnAbsent] = asBytes.node(packed, false)
	}
	if l.overflow {
		nodes[columnOverflow] = asJSON.node(packed, false)
	}
	schema := parquet.NewSchema("prediction", nodes)
	f.parquet = parquet.NewGenericWriter[any](f, schema,
		parquet.CreatedBy("tallystick", "1", ""),
		parquet.DataPageVersion(2),
		parquet.PageBufferSize(1<<20),
		parquet.MaxRowsPerRowGroup(math.MaxInt64),
		parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.BloomFilters(parquet.SplitBlockFilter(10, columnID)),
		// Nobody looks for a range of these.
		parquet.SkipPageBounds(columnLeaf), parquet.SkipPageBounds(columnTile), parquet.SkipPageBounds(columnAbsent),
		parquet.SkipPageBounds(columnOverflow), parquet.SkipPageBounds("salt"), parquet.SkipPageBounds("trace_id"), parquet.SkipPageBounds("span_id"),
		parquet.SkipPageBounds("input_digest"), parquet.SkipPageBounds("extra"), parquet.SkipPageBounds("rationale"),
	)
	f.columns = f.parquet.ColumnWriters()
	f.cells = make([][]parquet.Value, len(f.columns))
	at := map[string]int{}
	for i, path := range schema.Columns() {
		at[path[0]] = i
	}
	for _, field := range l.fields {
		f.fieldAt = append(f.fieldAt, at[field.name])
	}
	for _, c := range l.features {
		f.featureAt = append(f.featureAt, at[c.column])
	}
	for _, c := range l.attributions {
		f.attributionAt = append(f.attributionAt, at[c.column])
	}
	f.leafAt, f.tileAt, f.absentAt, f.overflowAt = at[columnLeaf], at[columnTile], at[columnAbsent], at[columnOverflow]
	return f
}

// keep copies b to where it stays until the chunk is written.
func (f *fileWriter) keep(b []byte) []byte {
	start := len(f.arena)
	f.arena = append(f.arena, b...)
	return f.arena[start:len(f.arena):len(f.arena)]
}

// setBytes gives the open row a text or bytes, which must stay.
func (f *fileWriter) setBytes(at int, b []byte) {
	f.cells[at] = append(f.cells[at], parquet.ByteArrayValue(b).Level(0, 1, at))
}

// setBits gives the open row an integer or a boolean.
func (f *fileWriter) setBits(at int, bits uint64) {
	f.cells[at] = append(f.cells[at], parquet.Int64Value(int64(bits)).Level(0, 1, at))
}

func (f *fileWriter) setFloat(at int, v float64) {
	f.cells[at] = append(f.cells[at], parquet.DoubleValue(v).Level(0, 1, at))
}

// endRow makes empty what the row has not been given. size is that of the record's encoding.
func (f *fileWriter) endRow(size int) error {
	f.rows++
	for i := range f.cells {
		if len(f.cells[i]) < f.rows {
			f.cells[i] = append(f.cells[i], parquet.Value{}.Level(0, 0, i))
		}
	}
	if f.size += size; f.rows == chunkRows || f.size >= chunkBytes {
		return f.flush()
	}
	return nil
}

// flush hands the chunk to the columns.
func (f *fileWriter) flush() error {
	for i, cells := range f.cells {
		if _, err := f.columns[i].WriteRowValues(cells); err != nil {
			return fmt.Errorf("write segment: %w", err)
		}
		f.cells[i] = cells[:0]
	}
	f.inPage += f.rows
	f.pageSize += f.size
	f.inGroup += f.rows
	f.rows, f.size, f.arena = 0, 0, f.arena[:0]
	if f.inPage >= pageRows || f.inPage*len(f.columns) >= pageCells || f.pageSize >= pageBytes {
		f.inPage, f.pageSize = 0, 0
		for _, c := range f.columns {
			if err := c.Flush(); err != nil {
				return fmt.Errorf("write segment: %w", err)
			}
		}
	}
	if f.inGroup >= groupRows {
		f.inGroup, f.inPage, f.pageSize = 0, 0, 0
		if err := f.parquet.Flush(); err != nil {
			return fmt.Errorf("write segment: %w", err)
		}
	}
	return nil
}

// close writes the footer and returns size and digest of the file.
func (f *fileWriter) close(meta string) (int64, tallystick.Digest, error) {
	if err := f.flush(); err != nil {
		return 0, "", err
	}
	f.parquet.SetKeyValueMetadata(metadataKey, meta)
	if err := f.parquet.Close(); err != nil {
		return 0, "", fmt.Errorf("write segment: %w", err)
	}
	return f.bytes, tallystick.Digest("sha256:" + hexOf(f.hash.Sum(nil))), nil
}
