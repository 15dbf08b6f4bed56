package segment

import (
	"bytes"
	"io"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/wire"
)

const (
	maxIndexBytes = 16 << 20
	maxBloomBytes = 8 << 20 // the writer needs 80 KiB for a row group
)

// readIndex decodes an index that lies at the given place of the file.
func (f *File) readIndex(offset int64, length int32, into any) error {
	if offset < int64(len(magic)) || length <= 0 || length > maxIndexBytes || offset > f.end-int64(length) {
		return faultf("a page index lies outside the file")
	}
	data := make([]byte, length)
	if _, err := f.reader.ReadAt(data, offset); err != nil {
		return faultf("a page index cannot be read: %v", err)
	}
	_, err := wire.Decode(data, into, thriftBounds())
	return err
}

// locations returns where the pages of a chunk are. Whatever it returns is in the order of the
// rows and lies in the chunk.
func (f *File) locations(group int, c *column) ([]format.PageLocation, error) {
	chunk := &f.groups[group].Columns[c.index]
	var index format.OffsetIndex
	if err := f.readIndex(chunk.OffsetIndexOffset, chunk.OffsetIndexLength, &index); err != nil {
		return nil, err
	}
	start, end := chunkRange(&chunk.MetaData)
	row := int64(-1)
	for i, p := range index.PageLocations {
		if p.FirstRowIndex <= row || i == 0 && p.FirstRowIndex != 0 || p.FirstRowIndex >= f.groups[group].NumRows ||
			p.Offset < start || p.Offset >= end {
			return nil, faultf("the page index of column %q is wrong", clip(c.name))
		}
		row = p.FirstRowIndex
	}
	if len(index.PageLocations) == 0 {
		return nil, faultf("the page index of column %q is empty", clip(c.name))
	}
	return index.PageLocations, nil
}

// seek makes row the next that the cursor gives.
func (c *cursor) seek(row int64) error {
	f := c.pages.file
	group := 0
	for row >= f.groups[group].NumRows {
		row -= f.groups[group].NumRows
		if group++; group == len(f.groups) {
			return faultf("it ends early")
		}
	}
	c.begin(group)
	pages, err := f.locations(group, c.pages.column)
	if err != nil {
		return err
	}
	at := 0
	for at+1 < len(pages) && pages[at+1].FirstRowIndex <= row {
		at++
	}
	if at > 0 {
		if meta := &f.groups[group].Columns[c.pages.column.index].MetaData; meta.DictionaryPageOffset > 0 {
			if err := c.open(); err != nil { // the dictionary
				return err
			}
		}
		c.null, c.used = c.null[:0], 0
		c.pages.at = pages[at].Offset
		c.left = f.groups[group].NumRows - pages[at].FirstRowIndex
	}
	if _, err := c.ready(); err != nil {
		return err
	}
	c.used = int(row - pages[at].FirstRowIndex)
	return c.fits(pages, at)
}

// fits holds the open page against the index, which has no checksum: a wrong place there must not
// become a wrong row.
func (c *cursor) fits(pages []format.PageLocation, at int) error {
	end := c.pages.file.groups[c.group].NumRows
	if at+1 < len(pages) {
		end = pages[at+1].FirstRowIndex
	}
	if pages[at].FirstRowIndex+int64(len(c.null)) != end {
		return faultf("the page index of column %q is wrong", clip(c.pages.column.name))
	}
	return nil
}

// At returns what stands in a row but for the bodies, with the record held against its leaf. The encoding is the
// caller's.
func (f *File) At(row int64) (Entry, error) { return f.at(row, false) }

// AtWithBodies is At with the bodies, which are held against their digests.
func (f *File) AtWithBodies(row int64) (Entry, error) { return f.at(row, true) }

func (f *File) at(row int64, bodies bool) (Entry, error) {
	if row < 0 || row >= f.rows {
		_, _, err := f.Place(row)
		return Entry{}, err
	}
	r := newRows(f, bodies)
	defer r.room.close()
	for _, c := range r.cursors {
		if err := c.seek(row); err != nil {
			return Entry{}, damaged(err)
		}
	}
	e, err := r.entry()
	if err != nil {
		return Entry{}, damaged(faultf("row %d: %v", row, err))
	}
	return e, nil
}

// Find returns the row of the record with this ID, or a NotFound error. It reads the bloom filters,
// the page index and those pages of IDs that can hold it.
func (f *File) Find(id prediction.ID) (int64, error) {
	none := tallystick.Errorf(tallystick.NotFound, "the segment file has no record %s", id)
	c := f.byName[columnID]
	if c == nil {
		return 0, none // all are erased
	}
	r := newRoom()
	defer r.close()
	first := int64(0)
	for g := range f.groups {
		row, err := f.findIn(g, newCursor(f, c, r), id)
		if err != nil {
			return 0, damaged(err)
		}
		if row >= 0 {
			return first + row, nil
		}
		first += f.groups[g].NumRows
	}
	return 0, none
}

// findIn returns the row in a row group, or -1.
func (f *File) findIn(group int, c *cursor, id prediction.ID) (int64, error) {
	if maybe, err := f.mayHold(group, c.pages.column, id); err != nil || !maybe {
		return -1, err
	}
	pages, err := f.locations(group, c.pages.column)
	if err != nil {
		return -1, err
	}
	chunk := &f.groups[group].Columns[c.pages.column.index]
	var index format.ColumnIndex
	if err := f.readIndex(chunk.ColumnIndexOffset, chunk.ColumnIndexLength, &index); err != nil {
		return -1, err
	}
	if len(index.NullPages) != len(pages) || len(index.MinValues) != len(pages) || len(index.MaxValues) != len(pages) {
		return -1, faultf("the page index of column %q is wrong", columnID)
	}
	for i, p := range pages {
		if index.NullPages[i] || bytes.Compare(id[:], index.MinValues[i]) < 0 || bytes.Compare(id[:], index.MaxValues[i]) > 0 {
			continue
		}
		c.begin(group)
		c.pages.at, c.left = p.Offset, f.groups[group].NumRows-p.FirstRowIndex
		if err := c.open(); err != nil {
			return -1, err
		}
		if err := c.fits(pages, i); err != nil {
			return -1, err
		}
		for k, b := range c.bytes {
			if !c.null[k] && prediction.ID(b) == id {
				return p.FirstRowIndex + int64(k), nil
			}
		}
	}
	return -1, nil
}

// mayHold asks the bloom filter.
func (f *File) mayHold(group int, c *column, id prediction.ID) (bool, error) {
	meta := &f.groups[group].Columns[c.index].MetaData
	if meta.BloomFilterOffset == 0 {
		return true, nil
	}
	window := min(64, f.end-meta.BloomFilterOffset)
	if meta.BloomFilterOffset < 0 || window <= 0 {
		return false, faultf("a bloom filter lies outside the file")
	}
	data := make([]byte, window)
	if _, err := f.reader.ReadAt(data, meta.BloomFilterOffset); err != nil {
		return false, faultf("a bloom filter cannot be read: %v", err)
	}
	var header format.BloomFilterHeader
	n, err := wire.Decode(data, &header, thriftBounds())
	if err != nil {
		return false, err
	}
	_, block := header.Algorithm.Value.(*format.SplitBlockAlgorithm)
	_, hash := header.Hash.Value.(*format.XxHash)
	_, plain := header.Compression.Value.(*format.BloomFilterUncompressed)
	start, size := meta.BloomFilterOffset+int64(n), int64(header.NumBytes)
	if !block || !hash || !plain || size <= 0 || size > maxBloomBytes || size%bloom.BlockSize != 0 || start+size > f.end {
		return false, faultf("a bloom filter is not where or what it should be")
	}
	return bloom.CheckSplitBlock(io.NewSectionReader(f.reader, start, size), size, bloom.XXH64{}.Sum64(id[:]))
}
