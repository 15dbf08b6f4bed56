package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

const (
	pageRows  = 1 << 13  // of a page, in every column at once, at most
	pageCells = 1 << 22  // in all columns of as many rows, so that a reader of them all needs no more memory
	pageBytes = 16 << 20 // of encodings, likewise
	maxChunks = 1 << 17  // of columns in row groups; a reader takes twice as many
	bloomBits = 10       // for an ID

	zstdWindow = 1 << 20 // bytes that are looked back at; the encoder holds twice as many
	writeSize  = 256 << 10
)

// codec returns how the column's pages are packed. What is as good as random is not: of an ID, packing
// saves a quarter, for a twentieth of the time that it takes to write a record.
func (s storage) codec() format.CompressionCodec {
	switch s {
	case as8, as16, as32, asUUID:
		return format.Uncompressed
	}
	return format.Zstd
}

// element returns the column in the schema.
func (s storage) element(name string) format.SchemaElement {
	e := format.SchemaElement{Name: name, Type: thrift.New(s.physical()), RepetitionType: thrift.New(format.Optional)}
	if width := s.width(); width > 0 {
		e.TypeLength = thrift.New(int32(width))
	}
	switch s {
	case asText:
		e.LogicalType.Value, e.ConvertedType = &format.StringType{}, thrift.New(deprecated.UTF8)
	case asJSON:
		e.LogicalType.Value, e.ConvertedType = &format.JsonType{}, thrift.New(deprecated.Json)
	case asTime:
		unit := format.TimeUnit{Value: &format.MicroSeconds{}}
		e.LogicalType.Value, e.ConvertedType = &format.TimestampType{IsAdjustedToUTC: true, Unit: unit}, thrift.New(deprecated.TimestampMicros)
	case asUUID:
		e.LogicalType.Value = &format.UUIDType{}
	}
	return e
}

// fileWriter writes row groups as a Parquet file.
type fileWriter struct {
	group  *group
	layout *layout
	out    io.Writer
	hash   hash.Hash
	bytes  int64
	buffer []byte // what was not written yet
	zstd   *zstd.Encoder
	chunk  chunk

	thrift  bytes.Buffer
	meta    format.FileMetaData
	indexes []chunkIndex // of all chunks, in order

	firstID, lastID     prediction.ID
	firstTime, lastTime prediction.Time
}

func newFileWriter(out io.Writer, g *group, l *layout) (*fileWriter, error) {
	f := &fileWriter{group: g, layout: l, out: out, hash: sha256.New()}
	var err error
	f.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	f.meta = format.FileMetaData{Version: 2, CreatedBy: "tallystick version 1"}
	f.meta.Schema = append(f.meta.Schema, format.SchemaElement{Name: "prediction", NumChildren: thrift.New(int32(len(l.columns)))})
	for _, c := range l.columns {
		f.meta.Schema = append(f.meta.Schema, c.store.element(c.name))
		f.meta.ColumnOrders = append(f.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	return f, f.put([]byte(magic))
}

// release gives back what f holds besides memory.
func (f *fileWriter) release() { _ = f.zstd.Close() }

// put writes b, in large pieces.
func (f *fileWriter) put(b []byte) error {
	f.bytes += int64(len(b))
	if f.buffer = append(f.buffer, b...); len(f.buffer) < writeSize {
		return nil
	}
	return f.flush()
}

// flush writes what waits. The digest is of what went out.
func (f *fileWriter) flush() error {
	n, err := f.out.Write(f.buffer)
	f.hash.Write(f.buffer[:n])
	f.buffer = f.buffer[:0]
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}

// putStruct writes metadata and returns its size.
func (f *fileWriter) putStruct(v any) (int, error) {
	f.thrift.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&f.thrift)).Encode(v); err != nil {
		return 0, fmt.Errorf("write segment: metadata: %w", err)
	}
	return f.thrift.Len(), f.put(f.thrift.Bytes())
}

// pages returns the rows with which the pages of the row group end, in all columns alike.
func (f *fileWriter) pages() (ends []int) {
	g := f.group
	rows := max(1, min(pageRows, pageCells/len(f.layout.columns)))
	first, size := 0, 0
	for row := range g.rows {
		size += len(g.rows[row].encoding) + g.rows[row].bodies
		if row+1-first == rows || size >= pageBytes || row+1 == len(g.rows) {
			ends = append(ends, row+1)
			first, size = row+1, 0
		}
	}
	return ends
}

// writeGroup writes the row group.
func (f *fileWriter) writeGroup() error {
	group := format.RowGroup{NumRows: int64(len(f.group.rows)), FileOffset: f.bytes, Ordinal: int16(len(f.meta.RowGroups))}
	if len(f.indexes)+len(f.layout.columns) > maxChunks {
		return tallystick.Errorf(tallystick.Invalid, "%d columns and more than %d row groups are too much for one segment file", len(f.layout.columns), len(f.meta.RowGroups)).
			WithHint("join fewer segments")
	}
	start := f.bytes
	ends := f.pages()
	filled := map[string]bool{}
	for i := range f.layout.columns {
		column := &f.layout.columns[i]
		filled[column.name] = true
		chunk, err := f.writeChunk(column, ends)
		if err != nil {
			return err
		}
		group.Columns = append(group.Columns, chunk)
		group.TotalByteSize += chunk.MetaData.TotalUncompressedSize
	}
	if g := f.group; g.absent.n > 0 && !filled[columnAbsent] || g.overflow.n > 0 && !filled[columnOverflow] || g.fieldsBeyond(filled) ||
		g.request.n > 0 && !filled[columnRequest] || g.response.n > 0 && !filled[columnResponse] {
		return errChanged
	}
	group.TotalCompressedSize = f.bytes - start
	for i := range f.layout.columns {
		if f.layout.columns[i].name == columnID {
			if err := f.writeBloom(&group.Columns[i].MetaData, f.layout.columns[i].cells); err != nil {
				return err
			}
		}
	}
	f.meta.RowGroups = append(f.meta.RowGroups, group)
	f.meta.NumRows += group.NumRows
	return nil
}

// fieldsBeyond reports whether a field has values and no column.
func (g *group) fieldsBeyond(columns map[string]bool) bool {
	for i, f := range g.fields {
		if f.store != 0 && g.columns[i].n > 0 && !columns[f.name] {
			return true
		}
	}
	return false
}

// writeBloom writes the filter of the IDs.
func (f *fileWriter) writeBloom(meta *format.ColumnMetaData, ids *cells) error {
	filter := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(int64(ids.n), bloomBits))
	for i := 0; i < len(ids.fixed); i += 16 {
		filter.Insert(bloom.XXH64{}.Sum64(ids.fixed[i : i+16]))
	}
	if len(filter) == 0 {
		return nil
	}
	header := format.BloomFilterHeader{NumBytes: int32(len(filter.Bytes()))}
	header.Algorithm.Value, header.Hash.Value = &format.SplitBlockAlgorithm{}, &format.XxHash{}
	header.Compression.Value = &format.BloomFilterUncompressed{}
	meta.BloomFilterOffset = f.bytes
	n, err := f.putStruct(&header)
	if err != nil {
		return err
	}
	meta.BloomFilterLength = int32(n) + header.NumBytes
	return f.put(filter.Bytes())
}

// see takes the bounds of the IDs or times of a row group into account.
func (f *fileWriter) see(column string, s format.Statistics) {
	if s.MinValue == nil {
		return
	}
	if column == columnID {
		low, high := prediction.ID(s.MinValue), prediction.ID(s.MaxValue)
		if f.lastID.IsZero() || bytes.Compare(low[:], f.firstID[:]) < 0 {
			f.firstID = low
		}
		if bytes.Compare(high[:], f.lastID[:]) > 0 {
			f.lastID = high
		}
		return
	}
	low, high := prediction.Time(binary.LittleEndian.Uint64(s.MinValue)), prediction.Time(binary.LittleEndian.Uint64(s.MaxValue))
	if f.lastTime.IsZero() || low < f.firstTime {
		f.firstTime = low
	}
	if f.lastTime.IsZero() || high > f.lastTime {
		f.lastTime = high
	}
}

// close writes indexes and footer, and returns size and digest of the file.
func (f *fileWriter) close(meta string) (int64, tallystick.Digest, error) {
	if err := f.writeIndexes(); err != nil {
		return 0, "", err
	}
	f.meta.KeyValueMetadata = []format.KeyValue{{Key: metadataKey, Value: meta}}
	n, err := f.putStruct(&f.meta)
	if err != nil {
		return 0, "", err
	}
	if err := f.put(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), magic...)); err != nil {
		return 0, "", err
	}
	if err := f.flush(); err != nil {
		return 0, "", err
	}
	return f.bytes, tallystick.Digest("sha256:" + hexOf(f.hash.Sum(nil))), nil
}
