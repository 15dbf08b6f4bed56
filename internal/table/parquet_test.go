package table

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestLongText scans columns of long text of different lengths beside a number: blocks end early,
// and stay aligned.
func TestLongText(t *testing.T) {
	t.Parallel()
	type row struct {
		A string  `parquet:"a,zstd"`
		N float64 `parquet:"n"`
		B string  `parquet:"b,zstd"`
	}
	const rows = 12_000
	a := func(i int) string { return strings.Repeat("a", i%6000) + fmt.Sprint(i) }
	b := func(i int) string { return strings.Repeat("b", 1000-i%1000) + fmt.Sprint(i) }
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out, parquet.MaxRowsPerRowGroup(5000))
	for i := range rows {
		if _, err := w.Write([]row{{a(i), float64(i), b(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tab := mustOpen(t, Options{Text: []string{"a", "b"}}, writeFile(t, "text.parquet", out.String()))
	blocks, next := 0, 0
	err := tab.Scan(t.Context(), []string{"a", "n", "b"}, func(block *Block) error {
		blocks++
		for i := range block.N {
			if string(block.Cols[0].Bytes(i)) != a(next) || block.Cols[1].Float[i] != float64(next) || block.Cols[2].Text(i) != b(next) {
				return fmt.Errorf("row %d differs", next)
			}
			next++
		}
		return nil
	})
	if err != nil || next != rows || blocks < 2 {
		t.Errorf("%d rows in %d blocks, %v", next, blocks, err)
	}
}

// TestManyValues reads a column with more values than a dictionary may have.
func TestManyValues(t *testing.T) {
	t.Parallel()
	type row struct {
		Key string `parquet:"key,snappy"`
	}
	rows := make([]row, maxDictionaryValues+1)
	for i := range rows {
		rows[i].Key = fmt.Sprint("key ", i)
	}
	var out bytes.Buffer
	if err := parquet.Write(&out, rows); err != nil {
		t.Fatal(err)
	}
	tab := mustOpen(t, Options{}, writeFile(t, "keys.parquet", out.String()))
	if c := tab.Columns()[0]; c.Kind != Text || len(tab.Warnings()) != 1 {
		t.Errorf("%+v, warnings %q", c, tab.Warnings())
	}
	if got := mustRead(t, tab, "key"); len(got) != len(rows) || got[len(rows)-1] != "key 131072" {
		t.Errorf("%d rows", len(got))
	}
	csv := openText(t, Options{Text: []string{"key"}}, "key", "key 131072")
	hashes := func(tab *Table) (last uint64) {
		err := tab.Scan(t.Context(), []string{"key"}, func(b *Block) error {
			last = b.Cols[0].Hash(b.N - 1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	if a, b := hashes(tab), hashes(csv); a != b || a == 0 {
		t.Errorf("hashes of one text in two tables are %x and %x", a, b)
	}
}

// TestConcurrentScans reads the columns of one table from many goroutines.
func TestConcurrentScans(t *testing.T) {
	t.Parallel()
	path := filepath.Join(dataDir, "acs-employment/employment_MA_reference.pq")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs %s: %v", path, err)
	}
	tab := mustOpen(t, Options{}, path)
	want := map[string][]any{}
	for _, c := range tab.Columns() {
		want[c.Name] = mustRead(t, tab, c.Name)
	}
	var group sync.WaitGroup
	for name, values := range want {
		for range 2 {
			group.Go(func() {
				got, err := readColumn(t.Context(), tab, name)
				if err != nil || !slices.Equal(got, values) {
					t.Errorf("%s differs: %v", name, err)
				}
			})
		}
	}
	group.Wait()
}

// TestMixedParquetTypes joins a file whose numbers became floating-point, and refuses one whose
// numbers became text.
func TestMixedParquetTypes(t *testing.T) {
	t.Parallel()
	write := func(name string, rows any) string {
		var out bytes.Buffer
		var err error
		switch rows := rows.(type) {
		case []struct{ X int64 }:
			err = parquet.Write(&out, rows)
		case []struct{ X *float64 }:
			err = parquet.Write(&out, rows)
		case []struct{ X string }:
			err = parquet.Write(&out, rows)
		}
		if err != nil {
			t.Fatal(err)
		}
		return writeFile(t, name, out.String())
	}
	half := 0.5
	a := write("a.parquet", []struct{ X int64 }{{1}, {2}})
	b := write("b.parquet", []struct{ X *float64 }{{&half}, {nil}})
	c := write("c.parquet", []struct{ X string }{{"x"}})
	tab := mustOpen(t, Options{}, a, b)
	if column := tab.Columns()[0]; column.Kind != Number || column.Integer || column.Physical != "int64" {
		t.Errorf("%+v", column)
	}
	if diff := cmp.Diff([]any{1.0, 2.0, 0.5, nil}, mustRead(t, tab, "X")); diff != "" {
		t.Error(diff)
	}
	if _, err := Open(t.Context(), []string{a, c}, Options{}); err == nil || !strings.Contains(err.Error(), `column "X" is of type string, unlike in`) {
		t.Errorf("got %v", err)
	}
}
