package segment

import (
	"bytes"

	"github.com/parquet-go/parquet-go/format"
)

// PackedPagesForTest returns the values of all pages that are packed, unpacked.
func PackedPagesForTest(f *File) (all [][]byte) {
	r := newRoom()
	defer r.close()
	for _, c := range f.columns {
		for g := range f.groups {
			p := pages{file: f, column: c, room: r}
			for p.begin(g); p.at < p.end; {
				page, err := p.next()
				if err != nil {
					panic(err)
				}
				if len(page.values) > 0 && len(p.data) > 0 && &page.values[0] == &p.data[0] {
					all = append(all, bytes.Clone(page.values))
				}
			}
		}
	}
	return all
}

// UnpackForTest unpacks a page.
func UnpackForTest(packed []byte, size int) error {
	r := newRoom()
	defer r.close()
	_, err := r.unpack(make([]byte, size), packed, size)
	return err
}

// ReadPageForTest decodes a page of a column, as text after a dictionary of the given bytes, and
// returns the rows.
func ReadPageForTest(store, encoding uint8, rows int, dictionary, levels, values []byte) (int, error) {
	c := newCursor(&File{}, &column{name: "x", store: asText + storage(store%uint8(as32))}, newRoom())
	if len(dictionary) > 0 {
		if err := c.readDictionary(page{dictionary: true, rows: rows % 8, values: dictionary}); err != nil {
			return 0, err
		}
	}
	err := c.read(page{rows: rows, encoding: format.Encoding(encoding % 10), levels: levels, values: values})
	for i := range c.null {
		if err == nil && !c.null[i] && c.pages.column.kind() == Text {
			_ = c.bytes[i][:len(c.bytes[i]):cap(c.bytes[i])]
		}
	}
	return len(c.null), err
}
