package table

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// Benchmarks read benchRows x 25 columns: an identifier, 20 numbers, 3 categories and a time.
const benchNumbers = 20

func benchRows() int {
	if testing.Short() {
		return 100_000
	}
	return 1_000_000
}

var benchLevels = []string{"low", "medium", "high", "very high"}

// writeBenchCSV makes the file and returns its path and size.
func writeBenchCSV(tb testing.TB, rows int) (string, int64) {
	path := filepath.Join(tb.TempDir(), "bench.csv")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	random := rand.New(rand.NewPCG(1, 1))
	w.WriteString("id")
	for i := range benchNumbers {
		fmt.Fprintf(w, ",number_%d", i)
	}
	w.WriteString(",a,b,c,at\n")
	var line []byte
	for row := range rows {
		line = strconv.AppendInt(line[:0], int64(row), 10)
		for i := range benchNumbers {
			line = append(line, ',')
			if i%4 == 3 {
				line = strconv.AppendInt(line, random.Int64N(100), 10)
			} else {
				line = strconv.AppendFloat(line, random.NormFloat64(), 'f', 6, 64)
			}
		}
		for range 3 {
			line = append(append(line, ','), benchLevels[random.IntN(len(benchLevels))]...)
		}
		line = fmt.Appendf(line, ",2024-%02d-%02d 12:%02d:00\n", 1+row%12, 1+row%28, row%60)
		w.Write(line)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	return path, info.Size()
}

// BenchmarkCSV opens a CSV file: it is hashed, split, typed and encoded.
func BenchmarkCSV(b *testing.B) {
	path, size := writeBenchCSV(b, benchRows())
	b.Run("open", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			tab, err := Open(b.Context(), []string{path}, Options{MemoryBudget: 1 << 30})
			if err != nil {
				b.Fatal(err)
			}
			tab.Close()
		}
	})
	b.Run("bytes", func(b *testing.B) { // the limit: looking at each byte once
		b.SetBytes(size)
		buffer := make([]byte, streamChunk)
		for b.Loop() {
			file, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			fields := 0
			for {
				n, err := file.Read(buffer)
				for _, c := range buffer[:n] {
					if c == ',' || c == '\n' {
						fields++
					}
				}
				if err == io.EOF {
					break
				}
			}
			file.Close()
			if fields == 0 {
				b.Fatal("no fields")
			}
		}
	})
	tab := mustOpen(b, Options{MemoryBudget: 1 << 30}, path)
	b.Run("scan", func(b *testing.B) { scanAll(b, tab) })
}

// scanAll reads all columns of kind Number.
func scanAll(b *testing.B, tab *Table) {
	var names []string
	for _, c := range tab.Columns() {
		if c.Kind == Number {
			names = append(names, c.Name)
		}
	}
	values := int64(0)
	b.SetBytes(int64(len(names)) * 8 * tab.Rows())
	for b.Loop() {
		err := tab.Scan(b.Context(), names, func(block *Block) error {
			values += int64(block.N * len(block.Cols))
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(values)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
}

// writeBenchParquet makes a file of 25 columns of float64, as pandas users have them: optional, with
// or without a dictionary.
func writeBenchParquet(b *testing.B, rows int, options ...parquet.WriterOption) []byte {
	group := parquet.Group{}
	for i := range 25 {
		group[fmt.Sprintf("number_%02d", i)] = parquet.Optional(parquet.Leaf(parquet.DoubleType))
	}
	var out bytes.Buffer
	options = append(options, parquet.NewSchema("bench", group), parquet.MaxRowsPerRowGroup(1<<18))
	w := parquet.NewWriter(&out, options...)
	random := rand.New(rand.NewPCG(1, 1))
	row := make(parquet.Row, 25)
	for range rows {
		for i := range row {
			row[i] = parquet.DoubleValue(float64(random.IntN(10_000))/100).Level(0, 1, i)
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkParquet scans 25 columns of numbers, beside a copy of as many bytes of memory.
func BenchmarkParquet(b *testing.B) {
	rows := benchRows()
	for name, codec := range map[string]parquet.WriterOption{"plain": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy)} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bench.parquet")
			if err := os.WriteFile(path, writeBenchParquet(b, rows, codec), 0o600); err != nil {
				b.Fatal(err)
			}
			tab := mustOpen(b, Options{}, path)
			scanAll(b, tab)
		})
	}
	b.Run("copy", func(b *testing.B) {
		from, to := make([]float64, MaxBlockRows), make([]float64, MaxBlockRows)
		b.SetBytes(int64(rows) * 25 * 8)
		for b.Loop() {
			for range 25 * rows / MaxBlockRows {
				copy(to, from)
			}
		}
	})
}
