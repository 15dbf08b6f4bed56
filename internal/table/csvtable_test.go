package table

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tallystick/tallystick"
)

func nanos(year int, month time.Month, day, hour, minute, second, ns int) int64 {
	return time.Date(year, month, day, hour, minute, second, ns, time.UTC).UnixNano()
}

// TestKinds reads one column, whose cells are given without the header, and compares its kind and values.
func TestKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		cells []string
		opt   Options
		want  Column
		vals  []any
	}{
		{"integers", []string{"1", "-2", "+3", " 4 ", "007"}, Options{}, Column{Kind: Number, Physical: "int64", Integer: true}, []any{1.0, -2.0, 3.0, 4.0, 7.0}},
		{"decimals", []string{"1", "2.5", ".5", "5.", "1e3", "-1E-2"}, Options{}, Column{Kind: Number, Physical: "double"}, []any{1.0, 2.5, 0.5, 5.0, 1000.0, -0.01}},
		{"missing numbers", []string{"NA", "N/A", "null", "NULL", "None", "\"\"", "1"}, Options{}, Column{Kind: Number, Physical: "int64", Integer: true}, []any{nil, nil, nil, nil, nil, nil, 1.0}},
		{"NaN is no missing number", []string{"1", "NaN", "nan", "", "2"}, Options{}, Column{Kind: Number, Physical: "double"}, []any{1.0, math.NaN(), math.NaN(), 2.0}},
		{"infinities", []string{"inf", "-Inf", "+infinity", "Infinity", "1e999"}, Options{}, Column{Kind: Number, Physical: "double"}, []any{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(1), math.Inf(1)}},
		{"NaN among words is missing", []string{"nan", "x", "NaN"}, Options{}, Column{Kind: Category, Physical: "string"}, []any{nil, "x", nil}},
		{"NaN among times is missing", []string{"NaN", "2020-01-02"}, Options{}, Column{Kind: Time, Physical: "date"}, []any{nil, nanos(2020, 1, 2, 0, 0, 0, 0)}},
		{"only missing", []string{"NA", "null"}, Options{}, Column{Kind: Number, Physical: "null"}, []any{nil, nil}},
		{"booleans", []string{"True", "False", "True"}, Options{}, Column{Kind: Category, Physical: "string"}, []any{"True", "False", "True"}},
		{"words keep their blanks", []string{" a", "a"}, Options{}, Column{Kind: Category, Physical: "string"}, []any{" a", "a"}},
		{"few numbers among words", []string{"1", "2", "x", "3", "04"}, Options{}, Column{Kind: Category, Physical: "string"}, []any{"1", "2", "x", "3", "04"}},
		{"numbers in other notations are words", []string{"0x10", "1_000", "12%", "\"1,5\""}, Options{}, Column{Kind: Category, Physical: "string"}, []any{"0x10", "1_000", "12%", "1,5"}},
		{"dates", []string{"2024-02-29", "NA", "1969-12-31"}, Options{}, Column{Kind: Time, Physical: "date"}, []any{nanos(2024, 2, 29, 0, 0, 0, 0), nil, -int64(24 * time.Hour)}},
		{"times", []string{"2024-02-29 10:11:12", "2024-02-29T10:11:12.5Z", "2024-02-29T10:11:12+02:00"}, Options{}, Column{Kind: Time, Physical: "timestamp"},
			[]any{nanos(2024, 2, 29, 10, 11, 12, 0), nanos(2024, 2, 29, 10, 11, 12, 5e8), nanos(2024, 2, 29, 8, 11, 12, 0)}},
		{"no dates", []string{"2023-02-29", "2024-13-01"}, Options{}, Column{Kind: Category, Physical: "string"}, []any{"2023-02-29", "2024-13-01"}},
		{"years out of range", []string{"9999-12-31", "0001-01-01"}, Options{}, Column{Kind: Time, Physical: "date"}, []any{int64(math.MaxInt64), int64(-math.MaxInt64)}},
		{"declared categories", []string{"1", "", "01", "nan"}, Options{Categories: []string{"x"}}, Column{Kind: Category, Physical: "string"}, []any{"1", "01", nil}},
		{"declared text", []string{"9007199254740993", "NA", "9007199254740992"}, Options{Text: []string{"x"}}, Column{Kind: Text, Physical: "string"}, []any{"9007199254740993", "NA", "9007199254740992"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tab := openText(t, test.opt, append([]string{"x"}, test.cells...)...)
			test.want.Name = "x"
			if diff := cmp.Diff([]Column{test.want}, tab.Columns()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(test.vals, mustRead(t, tab, "x"), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestInputErrors checks code and text: every error names the file and says what to do.
func TestInputErrors(t *testing.T) {
	t.Parallel()
	numbers := func(n int, then ...string) string {
		var s strings.Builder
		s.WriteString("id,x\n")
		for i := range n {
			fmt.Fprintf(&s, "%d,%d.5\n", i, i)
		}
		return s.String() + strings.Join(then, "")
	}
	dates := strings.Repeat("2024-01-02\n", 30)
	tests := []struct {
		name, content string
		opt           Options
		want          []string
	}{
		{"empty", "", Options{}, []string{"is empty"}},
		{"only lines", "\n\n\n", Options{}, []string{"nothing but empty lines"}},
		{"only a header", "a,b\n", Options{}, []string{"has a header and no rows"}},
		{"no header", "1.5,2\n3,4\n", Options{}, []string{"only numbers", "names of the columns"}},
		{"too few fields", "a,b\n1,2\n3\n", Options{}, []string{"row 2 (line 3) has 1 field, the header has 2"}},
		{"too many fields", "a,b\n\n1,\"2\n\"\n3,4,5\n", Options{}, []string{"row 2 (line 5) has 3 fields"}},
		{"stray quote", "a,b\n1,x\"y\n", Options{}, []string{`row 1 (line 2), column "b"`, "quote"}},
		{"text after a quote", "a,b\n1,2\n\"x\"y,2\n", Options{}, []string{`row 2 (line 3), column "a"`, "follows the closing quote"}},
		{"open quote", "a,b\n1,2\n1,\"x\n", Options{}, []string{`row 2 (line 3), column "b"`, "not closed"}},
		{"long field", "a,b\n1,xxxxxxxxxxxxxxxxxxxx\n", Options{MaxFieldBytes: 10}, []string{`row 1 (line 2), column "b"`, "longer than 10 bytes"}},
		{"not UTF-8", "a,b\n1,ok\n2,caf\xe9\n", Options{}, []string{`row 2 (line 3), column "b"`, "UTF-8"}},
		{"name not UTF-8", "a,\xe9\n1,2\n", Options{}, []string{"header (line 1), field 2", "UTF-8"}},
		{"mixed numbers", numbers(30, "30,oops\n31,1\n"), Options{}, []string{`row 31 (line 32), column "x": "oops" stands among numbers (31 of 32 values)`, `declare "x" a category`}},
		{"mixed numbers, odd one first", "id,x\n0,oops\n" + strings.TrimPrefix(numbers(30), "id,x\n"), Options{}, []string{`row 1 (line 2), column "x": "oops"`}},
		{"mixed times", "t\n" + dates + "2024-13-01\n", Options{}, []string{`row 31 (line 32), column "t": "2024-13-01" stands among times`}},
		{"too many columns", "a,b,c\n1,2,3\n", Options{MaxColumns: 2}, []string{"3 columns, more than 2"}},
		{"too many rows", "a\n1\n2\n3\n", Options{MaxRows: 2}, []string{"more than 2 rows"}},
		{"unknown column", "score,label\n1,2\n", Options{Text: []string{"lable"}}, []string{`no column "lable"`, `did you mean "label"?`}},
		{"bad delimiter", "a\n1\n", Options{Delimiter: '"'}, []string{"cannot separate fields"}},
		{"UTF-16", "\xff\xfea\x00", Options{}, []string{"UTF-16", "save it as UTF-8"}},
		{"zip", "PK\x03\x04....", Options{}, []string{"spreadsheet", "CSV"}},
		{"json", `{"a": 1}`, Options{}, []string{"is JSON"}},
		{"binary", "ab\x00\x01", Options{}, []string{"neither CSV nor Parquet"}},
		{"gzip cut short", gzipped(t, strings.Repeat("a,b\n1,2\n", 1000))[:40], Options{}, []string{"gzip", "truncated"}},
		{"gzip of Parquet", gzipped(t, "PAR1xxxx"), Options{}, []string{"Parquet compressed with gzip"}},
		{"Parquet cut short", "PAR1 and then nothing more", Options{}, []string{"truncated or damaged Parquet file", "footer is missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, "data.bin", test.content)
			tab, err := Open(t.Context(), []string{path}, test.opt)
			if err == nil {
				tab.Close()
				t.Fatal("no error")
			}
			if code := tallystick.CodeOf(err); code != tallystick.Invalid && code != tallystick.NotFound {
				t.Errorf("code %s", code)
			}
			var e *tallystick.Error
			if !errors.As(err, &e) || e.Hint == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line with a hint", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPathErrors(t *testing.T) {
	t.Parallel()
	a, b := writeFile(t, "a.csv", "x,y\n1,2\n"), writeFile(t, "b.csv", "x,z\n1,2\n")
	tests := []struct {
		paths []string
		code  tallystick.Code
		want  string
	}{
		{nil, tallystick.Invalid, "no file"},
		{[]string{"nowhere.csv"}, tallystick.NotFound, "nowhere.csv: no such file"},
		{[]string{t.TempDir()}, tallystick.Invalid, "is a directory"},
		{[]string{a, a}, tallystick.Invalid, "named twice"},
		{[]string{a, b}, tallystick.Invalid, `has a column "z", unlike`},
		{[]string{a, "testdata/plain-none-v1.parquet"}, tallystick.Invalid, "files of one format"},
		{make([]string, maxFiles+1), tallystick.Invalid, "too many"},
	}
	for _, test := range tests {
		if _, err := Open(t.Context(), test.paths, Options{}); tallystick.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %s %v, want %s %q", test.paths, tallystick.CodeOf(err), err, test.code, test.want)
		}
	}
}

// TestForms reads the same table in the forms in which CSV comes.
func TestForms(t *testing.T) {
	t.Parallel()
	plain := "name,score\nÄnne,1.5\n\"B, C\",\n"
	forms := map[string]struct {
		text     string
		warnings int
	}{
		"plain":          {plain, 0},
		"byte-order":     {"\ufeff" + plain, 0},
		"CRLF":           {strings.ReplaceAll(plain, "\n", "\r\n"), 0},
		"no last line":   {strings.TrimSuffix(plain, "\n"), 0},
		"empty lines":    {"\n" + strings.ReplaceAll(plain, "\n", "\n\n"), 0},
		"quoted":         {"\"name\",\"score\"\n\"Änne\",\"1.5\"\n\"B, C\",\"\"\n", 0},
		"blanks in head": {strings.Replace(plain, "name,score", " name , score", 1), 0},
		"gzip":           {gzipped(t, plain), 0},
		"gzip members":   {gzipped(t, plain[:15]) + gzipped(t, plain[15:]), 0},
		"semicolons":     {"name;score\nÄnne;1.5\n\"B, C\";\n", 1},
		"tabs":           {"name\tscore\nÄnne\t1.5\nB, C\t\n", 1},
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := mustOpen(t, Options{}, writeFile(t, "form", form.text))
			if diff := cmp.Diff([]any{"Änne", "B, C"}, mustRead(t, tab, "name")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]any{1.5, nil}, mustRead(t, tab, "score")); diff != "" {
				t.Error(diff)
			}
			if w := tab.Warnings(); len(w) != form.warnings {
				t.Errorf("warnings %q", w)
			}
			if got, want := tab.Digest(), tallystick.DigestOf([]byte(form.text)); got != want {
				t.Errorf("digest %s, want %s", got, want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tab := openText(t, Options{}, "a,a,,a.1,a,unnamed.3", "1,2,3,4,5,6")
	var names []string
	for _, c := range tab.Columns() {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"a", "a.2", "unnamed.3.1", "a.1", "a.3", "unnamed.3"}, names); diff != "" {
		t.Error(diff)
	}
	if len(tab.Warnings()) != 3 {
		t.Errorf("warnings %q", tab.Warnings())
	}
	if got := mustRead(t, tab, "a"); got[0] != 1.0 {
		t.Errorf("the first column of a name keeps it, got %v", got)
	}
}

// TestSeveralCSVFiles joins files whose columns are in different orders; the second decides a kind.
func TestSeveralCSVFiles(t *testing.T) {
	t.Parallel()
	a := writeFile(t, "a.csv", "x,y\n1,u\n2,v\n")
	b := writeFile(t, "b.csv", "y,x\nw,late\n")
	var done, total int64
	tab := mustOpen(t, Options{Progress: func(d, n int64) {
		if d < done {
			t.Errorf("progress went back from %d to %d", done, d)
		}
		done, total = d, n
	}}, a, b)
	if diff := cmp.Diff([]any{"1", "2", "late"}, mustRead(t, tab, "x")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"u", "v", "w"}, tab.Dictionary("y")); diff != "" {
		t.Error(diff)
	}
	if done != total || total != 2*int64(len("x,y\n1,u\n2,v\n")+len("y,x\nw,late\n")) {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	files := tab.Files()
	if files[0].Rows != 2 || files[1].Rows != 1 || files[1].Path != b || files[1].Format != "csv" {
		t.Errorf("%+v", files)
	}
	if want := tallystick.DigestOf([]byte(files[0].Digest + "\n" + files[1].Digest + "\n")); tab.Digest() != want {
		t.Errorf("digest %s, want %s", tab.Digest(), want)
	}
}

// writeTall makes a file whose columns turn from one kind to another late.
func writeTall(t testing.TB, rows int) string {
	var s strings.Builder
	s.WriteString("number,late,level,key,at,gap\n")
	for i := range rows {
		late := fmt.Sprint(i % 100)
		if i >= rows*9/10 {
			late = "x" + late
		}
		gap := ""
		if i > 100_000 {
			gap = fmt.Sprint(i)
		}
		fmt.Fprintf(&s, "%d.25,%s,level %d,key %d,2024-01-%02d,%s\n", i, late, i%300, i, 1+i%28, gap)
	}
	return writeFile(t, "tall.csv", s.String())
}

// TestSpill compares a table in memory with the same one on disk, read by several goroutines.
func TestSpill(t *testing.T) {
	t.Parallel()
	const rows = 140_000 // more than a dictionary may have
	path := writeTall(t, rows)
	dir := t.TempDir()
	held := mustOpen(t, Options{}, path)
	spilled := mustOpen(t, Options{MemoryBudget: 1 << 20, TempDir: dir}, path)
	kinds := map[string]Kind{"number": Number, "late": Category, "level": Category, "key": Text, "at": Time, "gap": Number}
	for name, kind := range kinds {
		if c, err := held.Column(name); err != nil || c.Kind != kind {
			t.Errorf("%s is %+v, want %s", name, c, kind)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("temporary files are visible: %v %v", entries, err)
	}
	if spilled.source.(storeSource).tempTo == 0 || held.source.(storeSource).tempTo != 0 {
		t.Error("the one table does not lie on disk or the other does")
	}
	var group sync.WaitGroup
	for name := range kinds {
		group.Go(func() {
			a, err1 := readColumn(t.Context(), held, name)
			b, err2 := readColumn(t.Context(), spilled, name)
			if err := errors.Join(err1, err2); err != nil || len(a) != rows {
				t.Errorf("%s: %d rows, %v", name, len(a), err)
				return
			}
			if !slices.Equal(a, b) {
				t.Errorf("%s differs", name)
			}
			for i, want := range map[int]any{0: nil, 123_456: "key 123456", 139_999: "key 139999"} {
				if name == "key" && want != nil && a[i] != want {
					t.Errorf("row %d is %v, want %v", i, a[i], want)
				}
			}
		})
	}
	group.Wait()

	if _, err := Open(t.Context(), []string{path}, Options{MemoryBudget: 1 << 20, MaxTempBytes: 1 << 20}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("beyond the limit of the temporary file: %v", err)
	}
}

// TestCancel ends Open and Scan with the context.
func TestCancel(t *testing.T) {
	t.Parallel()
	path := writeTall(t, 20_000)
	ctx, cancel := context.WithCancel(t.Context())
	tab := mustOpen(t, Options{MemoryBudget: 1 << 20}, path) // for short blocks
	err := tab.Scan(ctx, []string{"number"}, func(*Block) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Scan: %v", err)
	}
	if _, err := Open(ctx, []string{path}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	if _, err := Open(ctx, []string{"testdata/plain-none-v1.parquet"}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open Parquet: %v", err)
	}
}

// TestChangedFile notices that a Parquet file is no longer the one whose digest was taken.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/plain-none-v1.parquet")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "changing.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	tab := mustOpen(t, Options{}, path)
	if err := os.Truncate(path, int64(len(data)-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := readColumn(t.Context(), tab, "f64"); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("got %v", err)
	}
}

// TestMemory reads some 300 MB of CSV with a budget of 32 MiB.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 300 MB of disk")
	}
	path, size := writeBenchCSV(t, 1_450_000)
	runtime.GC()
	var peak uint64
	sample := func() {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapInuse)
	}
	reads := 0
	tab := mustOpen(t, Options{MemoryBudget: 32 << 20, Progress: func(int64, int64) {
		if reads++; reads%64 == 0 {
			sample()
		}
	}}, path)
	var names []string
	for _, c := range tab.Columns() {
		names = append(names, c.Name)
	}
	err := tab.Scan(t.Context(), names, func(b *Block) error {
		if b.Row%8 == 0 {
			sample()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB of CSV, %d rows: at most %d MiB of heap in use", size/1e6, tab.Rows(), peak>>20)
	if peak > 120<<20 {
		t.Errorf("at most %d MiB of heap in use", peak>>20)
	}
}
