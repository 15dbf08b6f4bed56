package table

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tallystick/tallystick"
)

// pyarrowColumns repeats the formulas of testdata/write.py: each column's value at row i, and that
// value as text. Rows with i%7 == 3 are missing.
var pyarrowColumns = []struct {
	name  string
	value func(i int) any
	text  func(i int) string
}{
	{"flag", func(i int) any { return strconv.FormatBool(i%3 == 0) }, nil},
	{"i8", func(i int) any {
		if i < 128 {
			return float64(i - 100)
		}
		return 0.0
	}, nil},
	{"u16", func(i int) any { return float64(65535 - i) }, nil},
	{"i32", func(i int) any { return float64(i*7919-500) * (1 - float64(i%2)*2) }, nil},
	{"u32", func(i int) any { return float64(1<<32 - 1 - i) }, nil},
	{"i64", func(i int) any { return float64(i*i*1_000_003 - 1_000_000_000_000) },
		func(i int) string { return strconv.Itoa(i*i*1_000_003 - 1_000_000_000_000) }},
	{"u64", func(i int) any { return float64(1<<63 + uint64(i)*4096) },
		func(i int) string { return strconv.FormatUint(1<<63+uint64(i)*4096, 10) }},
	{"f16", func(i int) any { return float64(i)/4 - 5 }, nil},
	{"f32", func(i int) any { return float64(i)/16 - 1 }, nil},
	{"f64", func(i int) any {
		switch i {
		case 10: // is missing: 10%7 == 3
			return math.NaN()
		case 20:
			return math.Inf(1)
		case 30:
			return math.Inf(-1)
		}
		return float64(i)/8 - 3
	}, nil},
	{"text", func(i int) any { return fmt.Sprintf("välue %d", i*i%11) }, nil},
	{"level", func(i int) any { return []string{"high", "mid", "low"}[i%3] }, nil},
	{"money", func(i int) any { return float64(i*125-700) / 100 },
		func(i int) string { return fmt.Sprintf("%.2f", float64(i*125-700)/100) }},
	{"big", func(i int) any {
		v, _ := strconv.ParseFloat(fmt.Sprintf("%d00000000000000000000e-4", i-10), 64)
		return v // the 1 at the end is beyond a float64
	}, nil},
	{"date", func(i int) any { return time.Date(2020, 2, 28+i, 0, 0, 0, 0, time.UTC).UnixNano() },
		func(i int) string { return time.Date(2020, 2, 28+i, 0, 0, 0, 0, time.UTC).Format(time.RFC3339) }},
	{"ms", func(i int) any { return int64(i) * 1234567 * 1e6 }, nil},
	{"us", func(i int) any { return -int64(i) * 1234567 * 1e3 }, nil},
	{"ns", func(i int) any { return int64(i) * 1234567891 },
		func(i int) string { return time.Unix(0, int64(i)*1234567891).UTC().Format(time.RFC3339Nano) }},
	{"uuid", func(i int) any { return fmt.Sprintf("00000000-0000-%04x-0000-000000000007", i) }, nil},
}

func TestPyarrowFiles(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(paths) != 7 {
		t.Fatalf("found %q, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			tab := mustOpen(t, Options{}, path)
			if tab.Rows() != 150 || len(tab.Columns()) != 25 {
				t.Fatalf("%d rows, %d columns", tab.Rows(), len(tab.Columns()))
			}
			names := make([]string, len(pyarrowColumns))
			for i, c := range pyarrowColumns {
				names[i] = c.name
				var want []any
				for i := range 150 {
					if i%7 == 3 {
						want = append(want, nil)
					} else {
						want = append(want, c.value(i))
					}
				}
				if diff := cmp.Diff(want, mustRead(t, tab, c.name), cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("%s: -want +got\n%s", c.name, diff)
				}
			}
			if got := mustRead(t, tab, "constant"); slices.ContainsFunc(got, func(v any) bool { return v != "same" }) {
				t.Errorf("constant: %v", got)
			}
			if got := mustRead(t, tab, "nothing"); slices.ContainsFunc(got, func(v any) bool { return v != nil }) {
				t.Errorf("nothing: %v", got)
			}
			if got := mustRead(t, tab, "last"); got[149] != 149.0 {
				t.Errorf("last: %v", got)
			}
			// In the order of rows, not of the dictionary, and without the value that does not occur.
			if diff := cmp.Diff([]string{"high", "mid", "low"}, tab.Dictionary("level")); diff != "" {
				t.Errorf("level: -want +got\n%s", diff)
			}
			if w := tab.Warnings(); len(w) != 3 {
				t.Errorf("warnings %q", w)
			}
			for _, name := range []string{"raw", "list", "struct"} {
				_, err := readColumn(t.Context(), tab, name)
				if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "cannot be read") {
					t.Errorf("%s: %v", name, err)
				}
			}

			asText := mustOpen(t, Options{Text: names}, path)
			for _, c := range pyarrowColumns {
				if c.text == nil {
					continue
				}
				for i, got := range mustRead(t, asText, c.name) {
					if want := any(c.text(i)); i%7 == 3 && got != nil || i%7 != 3 && got != want {
						t.Fatalf("%s as text: row %d is %v, want %v", c.name, i, got, want)
					}
				}
			}
		})
	}
}

// TestSeveralParquetFiles reads files of different encodings as one table.
func TestSeveralParquetFiles(t *testing.T) {
	t.Parallel()
	one := mustOpen(t, Options{Categories: []string{"i32"}}, "testdata/plain-none-v1.parquet")
	tab := mustOpen(t, Options{Categories: []string{"i32"}}, "testdata/plain-none-v1.parquet", "testdata/delta-gzip-v2.parquet", "testdata/dictionary-zstd-v2.parquet")
	if tab.Rows() != 450 || len(tab.Files()) != 3 || tab.Digest() == one.Digest() {
		t.Fatalf("%d rows, %v", tab.Rows(), tab.Files())
	}
	for _, name := range []string{"f64", "text", "ns", "i32", "nothing"} {
		single := mustRead(t, one, name)
		if diff := cmp.Diff(slices.Concat(single, single, single), mustRead(t, tab, name), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if c, err := tab.Column("i32"); err != nil || c.Kind != Category || c.Integer || len(tab.Dictionary("i32")) != 129 {
		t.Errorf("%+v, %d values, %v", c, len(tab.Dictionary("i32")), err)
	}
}

func TestScanStops(t *testing.T) {
	t.Parallel()
	tab := mustOpen(t, Options{}, "testdata/plain-none-v1.parquet")
	stop := errors.New("stop")
	if err := tab.Scan(t.Context(), []string{"f64"}, func(*Block) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if err := tab.Scan(t.Context(), []string{"F65"}, nil); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), `"f64"`) {
		t.Errorf("got %v", err)
	}
}
