package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// readRecords reads all records with a small buffer, so that they cross its end.
func readRecords(src io.Reader) ([][]string, error) {
	r := newCSVReader(src, 1<<20)
	r.buf = make([]byte, 16)
	var records [][]string
	for {
		fields, err := r.next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		record := make([]string, len(fields))
		for i, f := range fields {
			record[i] = string(f)
		}
		records = append(records, record)
	}
}

// FuzzCSVReader compares with encoding/csv: the same records up to the same end or an error in the
// same record.
func FuzzCSVReader(f *testing.F) {
	for _, text := range []string{
		"a,b\n1,2\n", "a,b\r\n1,2\r\n", "\n\na\n\n", "\"a\"\"b\",\"c\nd\"\r\n", "\"a\r\nb\"", "a\r", "\"a\"\r", "a\r\r\n",
		"\"a\"x\n", "a\"b\n", "\"a", ",\n,,", "\"\"\n", "\"\",\n", "\r\n", "\r", "a,\r\n", "\"a\"\rb",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = -1
		var want [][]string
		var wantErr error
		for {
			record, err := std.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				wantErr = err
				break
			}
			want = append(want, record)
		}
		for _, src := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			got, err := readRecords(src)
			if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
				t.Fatalf("%q: errors %v, want %v\n-want +got\n%s", text, err, wantErr, diff)
			}
			var syntax *syntaxError
			if err != nil && !errors.As(err, &syntax) {
				t.Fatalf("%q: error %v says nothing about the place", text, err)
			}
		}
	})
}

// FuzzCSV reads any text as a table, and any values that encoding/csv writes come back equal, the
// same from memory and from disk.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n", "x", "\"y\"\n")
	f.Add("a;b\n1;2\n", "1.5", "NaN")
	f.Add("t\n2020-01-02\n2020-01-02T03:04:05Z\n", "", "é")
	f.Add("a\nNaN\n2020-01-01\n", "NA", "x")
	f.Add("a\n1\nx\n", "true", "False")
	f.Fuzz(func(t *testing.T, text, first, second string) {
		if tab, err := Open(t.Context(), []string{writeFile(t, "any.csv", text)}, Options{}); err == nil {
			for _, c := range tab.Columns() {
				mustRead(t, tab, c.Name)
			}
			tab.Close()
		}

		values := [][]string{{first, second}, {second, first}, {first + second, "1"}, {"2", second + first}}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.Write([]string{"left", "right"})
		if err := w.WriteAll(values); err != nil {
			t.Fatal(err)
		}
		path := writeFile(t, "written.csv", out.String())
		tab, err := Open(t.Context(), []string{path}, Options{Text: []string{"left", "right"}})
		if err != nil {
			if utf8.ValidString(first) && utf8.ValidString(second) && !strings.Contains(first+second, "\x00") {
				t.Fatalf("%q: %v", out.String(), err)
			}
			return
		}
		defer tab.Close()
		for i, name := range []string{"left", "right"} {
			for row, got := range mustRead(t, tab, name) {
				// A writer of CSV writes LF, and an empty field is a missing value.
				want := strings.ReplaceAll(values[row][i], "\r\n", "\n")
				if want == "" && got != nil || want != "" && got != want {
					t.Fatalf("row %d of %s is %q, want %q", row, name, got, want)
				}
			}
		}

		held, err1 := Open(t.Context(), []string{path}, Options{})
		spilled, err2 := Open(t.Context(), []string{path}, Options{MemoryBudget: 1})
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("in memory %v, on disk %v", err1, err2)
		}
		if err1 != nil {
			return
		}
		defer held.Close()
		defer spilled.Close()
		sameTable(t, held, spilled)
	})
}

// sameTable fails unless two tables have the same columns and values.
func sameTable(t *testing.T, a, b *Table) {
	t.Helper()
	if diff := cmp.Diff(a.Columns(), b.Columns()); diff != "" {
		t.Fatal(diff)
	}
	for _, c := range a.Columns() {
		if diff := cmp.Diff(mustRead(t, a, c.Name), mustRead(t, b, c.Name), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("%s: %s", c.Name, diff)
		}
		if diff := cmp.Diff(a.Dictionary(c.Name), b.Dictionary(c.Name)); diff != "" {
			t.Fatalf("%s: %s", c.Name, diff)
		}
	}
}
