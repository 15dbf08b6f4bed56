package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// noon is what "now" means in these tests.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func parse(t *testing.T, yaml string) *Contract {
	t.Helper()
	c, err := Parse(strings.NewReader(yaml), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open opens data as c wants it read.
func open(t *testing.T, c *Contract, paths ...string) *table.Table {
	t.Helper()
	tb, err := Open(t.Context(), paths, c, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tb.Close() })
	return tb
}

// csv writes lines to a file.
func csv(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// data returns the path of published data, or skips the test.
func data(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs ../shared/data/%s: published data that is not part of the repository", name)
	}
	return path
}

// row is the part of a Check that tables compare.
type row struct {
	id      string
	verdict tallystick.Verdict
	count   int64
	found   string
	example string
}

func rows(r Result) []row {
	var all []row
	for _, c := range r.Checks {
		all = append(all, row{c.ID, c.Verdict, c.Count, c.Found, c.Example})
	}
	return all
}

// checkBoth checks path by CheckTable and by a Checker and fails the test if they differ.
func checkBoth(t *testing.T, c *Contract, paths ...string) Result {
	t.Helper()
	tb := open(t, c, paths...)
	got, err := CheckTable(t.Context(), tb, c, noon)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, column := range tb.Columns() {
		names = append(names, column.Name)
	}
	ch := NewChecker(c, tb.Columns(), tb.Dictionary, noon)
	if err := tb.Scan(t.Context(), names, func(b *table.Block) error { ch.Add(b); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, ch.Result(), cmp.Comparer(equalNumbers)); diff != "" {
		t.Errorf("CheckTable and Checker differ (-table +checker):\n%s", diff)
	}
	return got
}

func TestCheck(t *testing.T) {
	t.Parallel()
	path := csv(t,
		"id,age,income,sex,applied_at,score",
		"a1,20,1000.5,Female,2026-05-31,0.5",
		"a2,17,,Male,2026-06-02,NaN",
		"a3,130,3000,Other,2019-12-31,inf",
		"a1,40,2000,,2026-05-01,0.5",
		"b4,50,4000,Male,,0.9",
	)
	const pass, warn, fail = tallystick.Pass, tallystick.Warn, tallystick.Fail
	for _, tt := range []struct {
		contract string
		want     []row
	}{
		{"rows: {min: 6}\n", []row{{"rows", fail, 0, "5", ""}}},
		{"columns: {age: {min: 18, max: 120}}", []row{
			{"rows", pass, 0, "5", ""}, {"age.present", pass, 0, "present", ""},
			{"age.range", fail, 2, "2 of 5 (40 %)", "row 2: 17"}}},
		{"columns: {age: {min: 18, max: 120, tolerance: 0.4, type: integer, mean: [51.4, 51.4]}}", []row{
			{"rows", pass, 0, "5", ""}, {"age.present", pass, 0, "present", ""},
			{"age.type", pass, 0, "number (int64)", ""},
			{"age.range", pass, 2, "2 of 5 (40 %)", "row 2: 17"},
			{"age.mean", pass, 0, "51.4", ""}}},
		{"columns: {income: {type: integer, nulls: 0.1, quantiles: {0.5: [2000, 2000], 0.75: {max: 2999}, 0.25: {min: 1001}}}}", []row{
			{"rows", pass, 0, "5", ""}, {"income.present", pass, 0, "present", ""},
			{"income.type", fail, 1, "number (double)", "row 1: 1000.5"},
			{"income.nulls", fail, 1, "1 of 5 (20 %)", "row 2"},
			{"income.quantile.0.25", fail, 0, "below 1001", ""},
			{"income.quantile.0.5", pass, 0, "as expected", ""},
			{"income.quantile.0.75", fail, 0, "above 2999", ""}}},
		{"columns: {score: {nan: 0, infinite: 0.25, max: 1, severity: warn}}", []row{
			{"rows", pass, 0, "5", ""}, {"score.present", pass, 0, "present", ""},
			{"score.nan", warn, 1, "1 of 5 (20 %)", "row 2: NaN"},
			{"score.infinite", pass, 1, "1 of 4 (25 %)", "row 3: +Inf"},
			{"score.range", warn, 1, "1 of 4 (25 %)", "row 3: +Inf"}}},
		{"columns: {sex: {values: [Female, Male], shares: {Male: [0.5, 0.5], Female: {max: 20%}}, distinct: {max: 2}, pattern: 'e$'}}", []row{
			{"rows", pass, 0, "5", ""}, {"sex.present", pass, 0, "present", ""},
			{"sex.values", fail, 1, "1 of 4 (25 %)", `row 3: "Other"`},
			{"sex.pattern", fail, 1, "1 of 4 (25 %)", `row 3: "Other"`},
			{"sex.shares.Male", pass, 0, "50 %", ""},
			{"sex.shares.Female", fail, 0, "25 %", ""},
			{"sex.distinct", fail, 0, "3", ""}}},
		{"columns: {applied_at: {type: time, fresh: 2d, max_age: 52w, not_before: 2020-01-01, not_after: now}}", []row{
			{"rows", pass, 0, "5", ""}, {"applied_at.present", pass, 0, "present", ""},
			{"applied_at.type", pass, 0, "time (date)", ""},
			{"applied_at.not_before", fail, 1, "1 of 4 (25 %)", "row 3: 2019-12-31T00:00:00Z"},
			{"applied_at.not_after", fail, 1, "1 of 4 (25 %)", "row 2: 2026-06-02T00:00:00Z"},
			{"applied_at.max_age", fail, 1, "1 of 4 (25 %)", "row 3: 2019-12-31T00:00:00Z"},
			{"applied_at.fresh", pass, 0, "newest is 2026-06-02T00:00:00Z", ""}}},
		{"columns: {id: {unique: true, pattern: '^a'}}", []row{
			{"rows", pass, 0, "5", ""}, {"id.present", pass, 0, "present", ""},
			{"id.pattern", fail, 1, "1 of 5 (20 %)", `row 5: "b4"`},
			{"id.unique", fail, 1, "1 of 5 (20 %)", `row 4: "a1"`}}},
		{"columns: {agee: {min: 1}, extra: {required: false, nulls: 0}, sex: {min: 1}, age: {values: [20, 17, 130, 40, 50.0], distinct: {min: 5}}, income: {fresh: 1d}}", []row{
			{"rows", pass, 0, "5", ""},
			{"agee.present", fail, 0, "absent", ""}, {"agee.range", "insufficient", 0, "absent", ""},
			{"extra.present", pass, 0, "absent", ""}, {"extra.nulls", pass, 0, "absent", ""},
			{"sex.present", pass, 0, "present", ""}, {"sex.range", "insufficient", 0, "category", ""},
			{"age.present", pass, 0, "present", ""}, {"age.values", pass, 0, "0 of 5", ""},
			{"age.distinct", pass, 0, "5", ""},
			{"income.present", pass, 0, "present", ""}, {"income.fresh", "insufficient", 0, "number", ""}}},
		{"columns: {age: {shares: {20: [0.2, 0.2], 20.0: {min: 0.2}, 17.0: {min: 0.3}}, values: [20, 17]}, id: {type: text, values: [a1, a2, a3], shares: {a1: [40%, 40%]}, distinct: [4, 4]}}", []row{
			{"rows", pass, 0, "5", ""},
			{"age.present", pass, 0, "present", ""}, {"age.values", fail, 3, "3 of 5 (60 %)", "row 3: 130"},
			{"age.shares.20", pass, 0, "20 %", ""}, {"age.shares.20.0", pass, 0, "20 %", ""}, {"age.shares.17.0", fail, 0, "20 %", ""},
			{"id.present", pass, 0, "present", ""}, {"id.type", pass, 0, "text (string)", ""},
			{"id.values", fail, 1, "1 of 5 (20 %)", `row 5: "b4"`},
			{"id.shares.a1", pass, 0, "40 %", ""}, {"id.distinct", pass, 0, "4", ""}}},
		{"extra_columns: forbid\ncolumns: {id: {type: text}, age: , income: , sex: {type: category}}", []row{
			{"rows", pass, 0, "5", ""}, {"columns.extra", fail, 2, `"applied_at", "score"`, ""},
			{"id.present", pass, 0, "present", ""}, {"id.type", pass, 0, "text (string)", ""},
			{"age.present", pass, 0, "present", ""}, {"income.present", pass, 0, "present", ""},
			{"sex.present", pass, 0, "present", ""}, {"sex.type", pass, 0, "category (string)", ""}}},
	} {
		got := checkBoth(t, parse(t, head+tt.contract), path)
		if diff := cmp.Diff(tt.want, rows(got), cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.contract, diff)
		}
		worst := tallystick.Verdict("")
		for _, c := range got.Checks {
			worst = worst.Worse(c.Verdict)
			if c.Words == "" || c.Title == "" || c.Expected == "" || c.Found == "" {
				t.Errorf("%s: check %+v has an empty field", tt.contract, c)
			}
		}
		if got.Verdict != worst {
			t.Errorf("%s: verdict %s, worst check %s", tt.contract, got.Verdict, worst)
		}
	}
}

func TestMissingColumnNamesTheNearest(t *testing.T) {
	t.Parallel()
	c := parse(t, head+"columns: {incme: {min: 1}}")
	got := checkBoth(t, c, csv(t, "income", "1"))
	if want := `missing column "incme"; the table has "income"`; got.Checks[1].Words != want {
		t.Errorf("words %q, want %q", got.Checks[1].Words, want)
	}
}

// A column that the contract wants read as text and that is absent is an offence, not an error.
func TestOpenWithoutForcedColumn(t *testing.T) {
	t.Parallel()
	c := parse(t, head+"columns: {gone: {type: text}, code: {type: text, unique: true}}")
	got := checkBoth(t, c, csv(t, "code,x", "9007199254740993,1", "9007199254740992,2"))
	want := []row{
		{"rows", "pass", 0, "2", ""}, {"gone.present", "fail", 0, "absent", ""}, {"gone.type", "insufficient", 0, "absent", ""},
		{"code.present", "pass", 0, "present", ""}, {"code.type", "pass", 0, "text (string)", ""}, {"code.unique", "pass", 0, "0 of 2", ""},
	}
	if diff := cmp.Diff(want, rows(got), cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Uniqueness in several passes finds what one pass finds, and a stream that is too long for one
// says so.
func TestUniqueInParts(t *testing.T) {
	t.Parallel()
	lines := []string{"id"}
	for i := range 10_000 {
		lines = append(lines, fmt.Sprint(i%9000))
	}
	c := parse(t, head+"columns: {id: {type: integer, unique: true}}")
	tb := open(t, c, csv(t, lines...))
	for _, limit := range []int{maxUnique, 1000, 64} {
		check := newColumnCheck(c.Columns[0], noon)
		check.bind(tb.Columns()[0], nil)
		check.unique.limit = limit
		if err := check.scan(t.Context(), tb); err != nil {
			t.Fatal(err)
		}
		if got, want := check.checkUnique(), "row 9,001: 0"; got.Count != 1000 || got.Example != want || got.Found != "1,000 of 10,000 (10 %)" {
			t.Errorf("at most %d keys a pass: %+v", limit, got)
		}
	}
	check := newColumnCheck(c.Columns[0], noon)
	check.bind(tb.Columns()[0], nil)
	check.unique.limit = 1000
	check.add(0, 9000, &table.Vector{Kind: table.Number, Float: upTo(9000)})
	if got := check.checkUnique(); got.Verdict != tallystick.Insufficient || !strings.Contains(got.Words, "among the first 1,000") {
		t.Errorf("too long a stream: %+v", got)
	}
}

func upTo(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return values
}

func TestCompas(t *testing.T) {
	t.Parallel()
	path := data(t, "compas/compas-two-years.csv")
	c := parse(t, head+`
columns:
  id: {unique: true}
  age: {type: integer, min: 18, max: 96, nulls: 0, mean: [34.8, 34.9], quantiles: {0.5: [31, 31]}}
  sex: {values: [Female, Male], shares: {Female: [0.19, 0.2]}}
  days_b_screening_arrest: {nulls: 0.01}
  two_year_recid: {type: category, shares: {"1": [0.45, 0.46]}}
  compas_screening_date: {type: time, not_before: 2013-01-01, not_after: 2014-12-31}
  race: {values: [African-American, Caucasian, Hispanic, Asian, Native American]}
`)
	got := checkBoth(t, c, path)
	// Counts by pandas 3.1.1: median age 31, 377 rows of race Other, 307 without days_b_screening_arrest.
	want := map[string]row{
		"days_b_screening_arrest.nulls": {"days_b_screening_arrest.nulls", "fail", 307, "307 of 7,214 (4.26 %)", "row 4"},
		"race.values":                   {"race.values", "fail", 377, "377 of 7,214 (5.23 %)", `row 1: "Other"`},
	}
	for _, r := range rows(got) {
		if w, ok := want[r.id]; ok && r != w {
			t.Errorf("got %+v, want %+v", r, w)
		} else if !ok && r.verdict != tallystick.Pass {
			t.Errorf("%+v should pass", r)
		}
	}
}

func equalNumbers(a, b stat.Number) bool { return a == b || a != a && b != b }
