package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
)

// written is a row as parquet-go writes it.
type written struct {
	Flag   bool     `parquet:"flag"`
	Small  *int32   `parquet:"small,optional"`
	Large  int64    `parquet:"large,delta"`
	Score  *float64 `parquet:"score,optional"`
	Single float32  `parquet:"single,split"`
	Level  *string  `parquet:"level,optional,dict"`
	Text   string   `parquet:"text,delta"`
	At     int64    `parquet:"at,timestamp(microsecond)"`
}

// rowsFrom makes a row of each nine bytes of data.
func rowsFrom(data []byte) []written {
	var rows []written
	for ; len(data) >= 9; data = data[9:] {
		bits := binary.LittleEndian.Uint64(data)
		row := written{
			Flag: data[8]&1 == 1, Large: int64(bits), Single: math.Float32frombits(uint32(bits)),
			Text: fmt.Sprintf("%x", data[:data[8]%8]), At: int64(bits) >> 12,
		}
		if data[8]&2 == 0 {
			small, score, level := int32(bits>>7), math.Float64frombits(bits), fmt.Sprint("level ", data[0]%5)
			row.Small, row.Score, row.Level = &small, &score, &level
		}
		rows = append(rows, row)
	}
	return rows
}

func writeParquet(t testing.TB, rows []written, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[written](&out, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// want returns the columns that reading rows must give.
func want(rows []written) map[string][]any {
	columns := map[string][]any{}
	add := func(name string, value any) { columns[name] = append(columns[name], value) }
	for _, r := range rows {
		add("flag", fmt.Sprint(r.Flag))
		add("large", float64(r.Large))
		add("single", float64(r.Single))
		add("text", r.Text)
		ns, _ := scaleTime(r.At, 1000)
		add("at", ns)
		if r.Small == nil {
			add("small", nil)
			add("score", nil)
			add("level", nil)
			continue
		}
		add("small", float64(*r.Small))
		add("score", *r.Score)
		add("level", *r.Level)
	}
	return columns
}

// writerOptions are the layouts that a written file may have.
var writerOptions = [][]parquet.WriterOption{
	{parquet.DataPageVersion(1), parquet.Compression(&parquet.Uncompressed)},
	{parquet.DataPageVersion(2), parquet.Compression(&parquet.Snappy), parquet.PageBufferSize(64)},
	{parquet.DataPageVersion(1), parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(7)},
	{parquet.DataPageVersion(2), parquet.Compression(&parquet.Lz4Raw), parquet.MaxRowsPerRowGroup(2)},
}

// FuzzParquetRoundTrip reads what parquet-go writes.
func FuzzParquetRoundTrip(f *testing.F) {
	f.Add([]byte("123456789"), uint8(0))
	f.Add(bytes.Repeat([]byte("abcdefgh\x00ABCDEFGH\x02\x00\x00\x00\x00\x00\x00\xf0\x7f\x05"), 10), uint8(1))
	f.Add(bytes.Repeat([]byte{0xff, 0, 3, 9, 200, 1, 0xf8}, 100), uint8(2))
	f.Add(bytes.Repeat([]byte{2}, 300), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, layout uint8) {
		rows := rowsFrom(data)
		if len(rows) == 0 {
			return
		}
		file := writeParquet(t, rows, writerOptions[int(layout)%len(writerOptions)]...)
		got, err := readParquet(t, file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want(rows), got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// FuzzParquet reads anything. Its seeds are small, for speed; TestDamagedParquet has larger ones.
func FuzzParquet(f *testing.F) {
	for i, options := range writerOptions {
		rows := rowsFrom(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, byte(i)}, 9*(i+1)))
		f.Add(writeParquet(f, rows, options...))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkHostile(t, data) })
}
