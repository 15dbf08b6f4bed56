package contract

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/table"
)

// BenchmarkCheckTable checks 2^18 rows of 25 columns that are held in memory.
func BenchmarkCheckTable(b *testing.B) {
	const n, columns = 1 << 18, 25
	path := filepath.Join(b.TempDir(), "wide.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	rng := rand.New(rand.NewPCG(1, 0))
	contract := head + "columns:\n"
	for i := range columns {
		fmt.Fprintf(out, "%sc%d", strings.Repeat(",", min(1, i)), i)
		switch i % 5 {
		case 0:
			contract += fmt.Sprintf("  c%d: {type: category, values: [a, b, c, d], shares: {a: [0.2, 0.3]}, nulls: 0}\n", i)
		case 1:
			contract += fmt.Sprintf("  c%d: {type: integer, min: 0, max: 1000, nulls: 0}\n", i)
		default:
			contract += fmt.Sprintf("  c%d: {type: number, min: -9, max: 9, mean: [-0.1, 0.1], nulls: 0, nan: 0}\n", i)
		}
	}
	contract += "  id: {unique: true}\n"
	fmt.Fprintln(out, ",id")
	for row := range n {
		for i := range columns {
			switch i % 5 {
			case 0:
				out.WriteByte("abcd"[rng.IntN(4)])
			case 1:
				fmt.Fprint(out, rng.IntN(1000))
			default:
				fmt.Fprintf(out, "%.6f", rng.NormFloat64())
			}
			out.WriteByte(',')
		}
		fmt.Fprintln(out, row)
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	c, err := Parse(strings.NewReader(contract), "wide.yaml")
	if err != nil {
		b.Fatal(err)
	}
	tb, err := Open(b.Context(), []string{path}, c, table.Options{MemoryBudget: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer tb.Close()
	for b.Loop() {
		got, err := CheckTable(b.Context(), tb, c, noon)
		if err != nil || got.Verdict != "pass" {
			b.Fatal(err, got)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
