package quality

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/table"
)

// open opens a file as a table.
func open(t *testing.T, path string) *table.Table {
	t.Helper()
	tb, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tb.Close() })
	return tb
}

// csv opens lines as a table.
func csv(t *testing.T, lines ...string) *table.Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// data opens published data, or skips the test.
func data(t *testing.T, name string) *table.Table {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs ../shared/data/%s: published data that is not part of the repository", name)
	}
	return open(t, path)
}

// scan calls fn with the blocks of one column.
func scan(t *testing.T, tb *table.Table, name string, fn func(b *table.Block)) {
	t.Helper()
	if err := tb.Scan(t.Context(), []string{name}, func(b *table.Block) error { fn(b); return nil }); err != nil {
		t.Fatal(err)
	}
}

// profile profiles one column.
func profile(t *testing.T, tb *table.Table, name string, reference *Profiler) *Profiler {
	t.Helper()
	column, err := tb.Column(name)
	if err != nil {
		t.Fatal(err)
	}
	p := NewProfiler(Config{Column: column, Role: "feature", Dictionary: func() []string { return tb.Dictionary(name) }, Reference: reference})
	scan(t, tb, name, func(b *table.Block) { p.Add(b.N, &b.Cols[0]) })
	return p
}

// numbers returns a profile of numbers, against a reference if there is one.
func numbers(values []float64, null []bool, reference *Profiler) *Profiler {
	p := NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number, Physical: "double"}, Role: "feature", Reference: reference})
	p.Add(len(values), &table.Vector{Kind: table.Number, Float: values, Null: null})
	return p
}

// categories returns a profile of codes over a dictionary.
func categories(dictionary []string, codes []uint32, reference *Profiler) *Profiler {
	p := NewProfiler(Config{Column: table.Column{Name: "c", Kind: table.Category, Physical: "string"}, Role: "feature",
		Dictionary: func() []string { return dictionary }, Reference: reference})
	v := &table.Vector{Kind: table.Category, Code: codes}
	if slices.Contains(codes, table.NoCode) {
		for _, code := range codes {
			v.Null = append(v.Null, code == table.NoCode)
		}
	}
	p.Add(len(codes), v)
	return p
}
