package segment_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestBounds has another reader hold the page indexes against the pages: rows, nulls, and bounds that hold every value.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, encodings := range map[string][][]byte{"shaped": shaped(t, 9000), "odd": odd(t, 21, 9000)} {
		data, _ := written(t, name, encodings)
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		bounded := 0
		for _, group := range f.RowGroups() {
			for i, chunk := range group.ColumnChunks() {
				index, err := chunk.ColumnIndex()
				if err != nil && !errors.Is(err, parquet.ErrMissingColumnIndex) {
					t.Fatal(err)
				}
				column := f.Schema().Columns()[i][0]
				pages := chunk.Pages()
				for p := 0; ; p++ {
					page, err := pages.ReadPage()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatalf("%s, column %s: %v", name, column, err)
					}
					values := make([]parquet.Value, page.NumValues())
					if _, err := page.Values().ReadValues(values); err != nil && !errors.Is(err, io.EOF) {
						t.Fatalf("%s, column %s: %v", name, column, err)
					}
					if index == nil {
						continue
					}
					bounded++
					nulls := int64(0)
					for _, v := range values {
						if v.IsNull() {
							nulls++
							continue
						}
						if v.Kind() == parquet.Double && math.IsNaN(v.Double()) {
							continue
						}
						if compare := chunk.Type().Compare; compare(index.MinValue(p), v) > 0 || compare(v, index.MaxValue(p)) > 0 {
							t.Fatalf("%s, column %s: %v is not from %v to %v", name, column, v, index.MinValue(p), index.MaxValue(p))
						}
					}
					if nulls != index.NullCount(p) || index.NullPage(p) != (nulls == int64(len(values))) {
						t.Errorf("%s, column %s: %d nulls, the index says %d", name, column, nulls, index.NullCount(p))
					}
				}
				_ = pages.Close()
			}
		}
		if bounded < 20 {
			t.Errorf("%s: only %d pages have bounds", name, bounded)
		}
	}
}
