package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/tallystick/tallystick"
)

// readParquet reads all columns of a file in memory, which may be anything.
func readParquet(t testing.TB, data []byte) (map[string][]any, error) {
	opt := Options{MaxRows: 1 << 16, MaxColumns: 256}.withDefaults()
	f, err := readFooter("hostile.parquet", bytes.NewReader(data), int64(len(data)), opt)
	if err != nil {
		return nil, err
	}
	tab, err := newParquetTable(t.Context(), []*parquetFile{f}, opt)
	if err != nil {
		return nil, err
	}
	tab.byName = map[string]int{}
	columns := map[string][]any{}
	for i, c := range tab.Columns() {
		tab.byName[c.Name] = i
		if c.Fault != "" {
			continue
		}
		if columns[c.Name], err = readColumn(t.Context(), tab, c.Name); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// checkHostile fails unless reading data gives values or an error that a person can act on.
func checkHostile(t testing.TB, data []byte) {
	t.Helper()
	_, err := readParquet(t, data)
	if err != nil && (tallystick.CodeOf(err) != tallystick.Invalid || !strings.HasPrefix(err.Error(), "hostile.parquet") && !strings.HasPrefix(err.Error(), "there are more")) {
		t.Fatalf("not a clear error: %v", err)
	}
}

func testFiles(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files in testdata", err)
	}
	var files [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	return files
}

// TestDamagedParquet cuts and changes good files at random.
func TestDamagedParquet(t *testing.T) {
	t.Parallel()
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	for n, file := range testFiles(t) {
		random := rand.New(rand.NewPCG(uint64(n), 1))
		for range rounds {
			checkHostile(t, file[:random.IntN(len(file))])
			flipped := bytes.Clone(file)
			for range 1 + random.IntN(3) {
				flipped[random.IntN(len(file))] ^= 1 << random.IntN(8)
			}
			checkHostile(t, flipped)
		}
	}
}

// TestFlippedBitsAreFound changes pages that carry checksums.
func TestFlippedBitsAreFound(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/plain-none-v1.parquet")
	if err != nil {
		t.Fatal(err)
	}
	want, err := readParquet(t, file)
	if err != nil {
		t.Fatal(err)
	}
	pages := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 60 {
		flipped := bytes.Clone(file)
		flipped[4+random.IntN(pages-4)] ^= 1 << random.IntN(8)
		got, err := readParquet(t, flipped)
		switch {
		case err != nil:
			found++
		case fmt.Sprint(want) != fmt.Sprint(got):
			t.Fatal("a flipped bit changed values without an error")
		}
	}
	if found < 30 {
		t.Errorf("only %d of 60 flipped bits were found; the others are in columns that are not read or in statistics", found)
	}
}

// TestHugeCounts states counts and sizes that the bytes cannot have and looks at the memory that
// reading takes.
func TestHugeCounts(t *testing.T) {
	list := func(n uint64) []byte { return append([]byte{0x19, 0xfc}, binary.AppendUvarint(nil, n)...) }
	footers := map[string][]byte{
		"schema elements": append([]byte{0x15, 0x02}, list(math.MaxInt32)...),
		"row groups":      append([]byte{0x15, 0x02, 0x29}, append([]byte{0xfc}, binary.AppendUvarint(nil, 1<<30)...)...),
		"nested structs":  bytes.Repeat([]byte{0x1c}, 1<<20),
		"nested lists":    bytes.Repeat([]byte{0x19, 0x19}, 1<<19),
		"text":            append([]byte{0x18}, binary.AppendUvarint(nil, math.MaxInt32)...),
	}
	for name, footer := range footers {
		t.Run(name, func(t *testing.T) {
			file := append([]byte("PAR1"), footer...)
			file = binary.LittleEndian.AppendUint32(file, uint32(len(footer)))
			file = append(file, "PAR1"...)
			if used := allocated(func() { checkHostile(t, file) }); used > 64<<20 {
				t.Errorf("took %d MiB", used>>20)
			}
		})
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestPageBombs packs far more than the page header states.
func TestPageBombs(t *testing.T) {
	zeros := make([]byte, 8<<20)
	codecs := map[string]interface {
		Encode(dst, src []byte) ([]byte, error)
	}{"gzip": &parquet.Gzip, "zstd": &parquet.Zstd, "brotli": &parquet.Brotli, "snappy": &parquet.Snappy, "lz4": &parquet.Lz4Raw}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			packed, err := codec.Encode(nil, zeros)
			if err != nil {
				t.Fatal(err)
			}
			number := codec.(interface {
				CompressionCodec() format.CompressionCodec
			}).CompressionCodec()
			for _, size := range []int{0, 1, 100, 1 << 20, maxPageBytes} {
				var u unpacker
				got, err := u.unpack(nil, packed, number, size)
				if err == nil {
					t.Errorf("%d bytes unpacked to %d as if they were %d", len(packed), len(got), size)
				}
				u.close()
			}
			var u unpacker
			defer u.close()
			if got, err := u.unpack(nil, packed, number, len(zeros)); err != nil || !bytes.Equal(got, zeros) {
				t.Errorf("the right size gives %d bytes and %v", len(got), err)
			}
			if _, err := u.unpack(nil, packed[:len(packed)/2], number, len(zeros)); err == nil {
				t.Error("half of the bytes unpack without an error")
			}
		})
	}
}
