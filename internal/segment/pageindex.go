package segment

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

// chunkIndex is what the page indexes tell about a chunk.
type chunkIndex struct {
	pages format.OffsetIndex
	bound format.ColumnIndex
	open  bool // the bounds of a page are not known, so there are none
}

func (x *chunkIndex) add(note pageNote, at format.PageLocation) {
	x.pages.PageLocations = append(x.pages.PageLocations, at)
	empty := note.nulls == note.rows
	x.open = x.open || note.unbounded && !empty
	b := &x.bound
	b.NullPages = append(b.NullPages, empty)
	b.MinValues, b.MaxValues = append(b.MinValues, note.low), append(b.MaxValues, note.high)
	b.NullCounts = append(b.NullCounts, int64(note.nulls))
}

// bounds returns the smallest and the greatest value of the chunk, nil if they are not known.
func (x *chunkIndex) bounds(store storage) (low, high []byte) {
	if x.open {
		return nil, nil
	}
	for i, empty := range x.bound.NullPages {
		if empty {
			continue
		}
		if low == nil || store.less(x.bound.MinValues[i], low) {
			low = x.bound.MinValues[i]
		}
		if high == nil || store.less(high, x.bound.MaxValues[i]) {
			high = x.bound.MaxValues[i]
		}
	}
	return low, high
}

// less compares two bounds.
func (s storage) less(a, b []byte) bool {
	switch s {
	case asDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(a)) < math.Float64frombits(binary.LittleEndian.Uint64(b))
	case asInteger, asTime:
		return int64(binary.LittleEndian.Uint64(a)) < int64(binary.LittleEndian.Uint64(b))
	}
	return bytes.Compare(a, b) < 0
}

// writeIndexes writes the indexes of all pages behind the last row group.
func (f *fileWriter) writeIndexes() error {
	at := 0
	for g := range f.meta.RowGroups {
		columns := f.meta.RowGroups[g].Columns
		for i := range columns {
			index := &f.indexes[at+i]
			if index.open {
				continue
			}
			columns[i].ColumnIndexOffset = f.bytes
			n, err := f.putStruct(&index.bound)
			if err != nil {
				return err
			}
			columns[i].ColumnIndexLength = int32(n)
		}
		for i := range columns {
			columns[i].OffsetIndexOffset = f.bytes
			n, err := f.putStruct(&f.indexes[at+i].pages)
			if err != nil {
				return err
			}
			columns[i].OffsetIndexLength = int32(n)
		}
		at += len(columns)
	}
	return nil
}
