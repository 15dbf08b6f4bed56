package segment

import (
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// joinedRows is how many rows the row groups of files must have on average to be taken over as they are. Smaller ones would be
// dear to read for ever.
const joinedRows = groupRows / 4

// takeable reports whether files can be joined by taking their row groups over as they are: all of them have the same columns,
// none that this package does not know, and row groups that are large enough.
func takeable(files []*File) bool {
	rows, groups, chunks := int64(0), 0, 0
	for _, f := range files {
		if len(f.columns) != f.width || len(f.columns) != len(files[0].columns) {
			return false
		}
		for i, c := range f.columns {
			if first := files[0].columns[i]; c.name != first.name || c.store != first.store {
				return false
			}
		}
		rows, groups, chunks = rows+f.rows, groups+len(f.groups), chunks+len(f.groups)*len(f.columns)
	}
	return rows >= joinedRows*int64(groups) && rows <= MaxRecords && chunks <= maxChunks
}

// take writes the row groups of the files into one, as they are. That saves unpacking the records, which takes more than ten
// times as long. Every page is held against its checksum, and the leaves against the roots; that a record is the one of its leaf
// was so when it was written, and whoever reads it sees.
func take(w io.Writer, want *metadata, files []*File) (*Summary, error) {
	l := &layout{}
	for _, c := range files[0].columns {
		l.columns = append(l.columns, outColumn{name: c.name, store: c.store})
	}
	out, err := newFileWriter(w, nil, l)
	if err != nil {
		return nil, err
	}
	defer out.release()
	s := &Summary{Model: want.Model, Parts: want.Parts}
	for _, f := range files {
		erased, err := f.trees()
		if err != nil {
			return nil, damaged(err)
		}
		s.Count, s.Erased = s.Count+f.rows, s.Erased+erased
		room := newRoom()
		for g := range f.groups {
			if err = out.takeGroup(f, g, room); err != nil {
				break
			}
		}
		room.close()
		if err != nil {
			return nil, damaged(err)
		}
	}
	if s.Bytes, s.Digest, err = out.close(want.encode()); err != nil {
		return nil, err
	}
	s.FirstID, s.LastID, s.FirstTime, s.LastTime = out.firstID, out.lastID, out.firstTime, out.lastTime
	return s, nil
}

// trees holds the leaves of a file against its roots, and returns how many records are erased.
func (f *File) trees() (erased int64, err error) {
	room := newRoom()
	defer room.close()
	leaf, tile := newCursor(f, f.byName[columnLeaf], room), newCursor(f, f.byName[columnTile], room)
	var id *cursor
	if c := f.byName[columnID]; c != nil {
		id = newCursor(f, c, room)
	}
	part, tree := 0, frontier{}
	for range f.rows {
		for _, c := range []*cursor{leaf, tile, id} {
			if c == nil {
				continue
			}
			if n, err := c.ready(); err != nil || n == 0 {
				return 0, faultf("column %q: %v", clip(c.pages.column.name), err)
			}
		}
		if leaf.isNull() {
			return 0, faultf("a row has no leaf")
		}
		root, complete := tree.append(Hash(leaf.bytes[leaf.used]))
		if complete == tile.isNull() || complete && Hash(tile.bytes[tile.used]) != root {
			return 0, faultf("the root of a tile is not that of its leaves")
		}
		if p := f.meta.Parts[part]; int64(tree.size) == p.Count {
			if rootDigest(tree.root()) != p.Root {
				return 0, faultf("the records of segment %q are not those of its root", p.Segment)
			}
			part, tree = part+1, frontier{}
		}
		if id.isNull() {
			erased++
		}
		leaf.used++
		tile.used++
		if id != nil {
			id.used++
		}
	}
	return erased, nil
}

// takeGroup appends a row group of another file, with its pages, filter and indexes.
func (f *fileWriter) takeGroup(from *File, g int, room *room) error {
	group := from.groups[g]
	start := f.bytes
	taken := format.RowGroup{NumRows: group.NumRows, FileOffset: start, Ordinal: int16(len(f.meta.RowGroups)), TotalByteSize: group.TotalByteSize}
	for _, c := range from.columns {
		chunk, err := f.takeChunk(from, g, c, room)
		if err != nil {
			return faultf("column %q of row group %d: %v", clip(c.name), g, err)
		}
		taken.Columns = append(taken.Columns, chunk)
	}
	taken.TotalCompressedSize = f.bytes - start
	for i, c := range from.columns {
		if at := &group.Columns[c.index].MetaData; at.BloomFilterOffset != 0 {
			if err := f.takeBloom(from, at, &taken.Columns[i].MetaData); err != nil {
				return err
			}
		}
	}
	f.meta.RowGroups = append(f.meta.RowGroups, taken)
	f.meta.NumRows += taken.NumRows
	return nil
}

// takeChunk appends the pages of a column chunk.
func (f *fileWriter) takeChunk(from *File, g int, c *column, room *room) (format.ColumnChunk, error) {
	was := &from.groups[g].Columns[c.index]
	p := pages{file: from, column: c, room: room}
	p.begin(g)
	shift := f.bytes - p.at
	rows := int64(0)
	for p.at < p.end {
		n, err := f.takePage(&p)
		if err != nil {
			return format.ColumnChunk{}, err
		}
		rows += n
	}
	if rows != from.groups[g].NumRows {
		return format.ColumnChunk{}, faultf("its pages have %d rows", rows)
	}
	index := chunkIndex{open: was.ColumnIndexLength == 0}
	locations, err := from.locations(g, c)
	if err != nil {
		return format.ColumnChunk{}, err
	}
	for _, at := range locations {
		at.Offset += shift
		index.pages.PageLocations = append(index.pages.PageLocations, at)
	}
	if !index.open {
		if err := from.readIndex(was.ColumnIndexOffset, was.ColumnIndexLength, &index.bound); err != nil {
			return format.ColumnChunk{}, err
		}
	}
	f.indexes = append(f.indexes, index)
	chunk := format.ColumnChunk{MetaData: was.MetaData}
	meta := &chunk.MetaData
	meta.DataPageOffset += shift
	if meta.DictionaryPageOffset > 0 {
		meta.DictionaryPageOffset += shift
	}
	meta.BloomFilterOffset, meta.BloomFilterLength = 0, 0
	if low, high := meta.Statistics.MinValue, meta.Statistics.MaxValue; c.name == columnID || c.name == "time" {
		if width := map[string]int{columnID: 16, "time": 8}[c.name]; low != nil && (len(low) != width || len(high) != width) {
			return format.ColumnChunk{}, faultf("its bounds have %d and %d bytes", len(low), len(high))
		}
		f.see(c.name, meta.Statistics)
	}
	return chunk, nil
}

// takePage appends a page, which has its checksum, and returns how many rows are in it: none in a dictionary.
func (f *fileWriter) takePage(p *pages) (rows int64, err error) {
	var h format.PageHeader
	begin := p.at
	if err := p.readHeader(&h); err != nil {
		return 0, err
	}
	header := p.header[:p.at-begin]
	size := int64(h.CompressedPageSize)
	if size < 0 || size > min(p.end-p.at, maxPageBytes) {
		return 0, faultf("a page cannot have %d bytes", size)
	}
	if p.packed, err = p.grow(p.packed, int(size)); err != nil {
		return 0, err
	}
	if _, err := p.file.reader.ReadAt(p.packed, p.at); err != nil {
		return 0, faultf("a page cannot be read: %v", err)
	}
	p.at += size
	if uint32(h.CRC) != crc32.ChecksumIEEE(p.packed) {
		return 0, faultf("the checksum of a page is wrong")
	}
	if h.DataPageHeaderV2.Valid {
		rows = int64(h.DataPageHeaderV2.V.NumRows)
	}
	if err := f.put(header); err != nil {
		return 0, err
	}
	return rows, f.put(p.packed)
}

// takeBloom appends the filter of a chunk.
func (f *fileWriter) takeBloom(from *File, was, is *format.ColumnMetaData) error {
	size := int64(was.BloomFilterLength)
	if was.BloomFilterOffset < int64(len(magic)) || size <= 0 || size > maxBloomBytes || was.BloomFilterOffset > from.end-size {
		return faultf("a bloom filter lies outside the file")
	}
	data := make([]byte, size)
	if _, err := from.reader.ReadAt(data, was.BloomFilterOffset); err != nil {
		return faultf("a bloom filter cannot be read: %v", err)
	}
	is.BloomFilterOffset, is.BloomFilterLength = f.bytes, was.BloomFilterLength
	return f.put(data)
}
