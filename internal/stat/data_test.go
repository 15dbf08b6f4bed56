package stat

import (
	"encoding/csv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// readColumns reads a CSV file of ../shared/data by column, or skips the test.
func readColumns(t testing.TB, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("needs ../shared/data/%s: %v", name, err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	columns := make(map[string][]string, len(header))
	for {
		row, err := r.Read()
		if err == io.EOF {
			return columns
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range header {
			columns[name] = append(columns[name], row[i])
		}
	}
}

// numbers parses the values of the rows that keep says; nil keeps all.
func numbers(t testing.TB, column []string, keep func(row int) bool) []float64 {
	t.Helper()
	var values []float64
	for i, text := range column {
		if keep != nil && !keep(i) {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

// compas is the two-year file, or a part of it; high means a score text of Medium or High.
type compas struct {
	age, decile, score []float64
	high, recid        []bool
	confusion          Confusion
}

// readCompas reads the rows of one race, all if it is empty.
func readCompas(t testing.TB, race string) compas {
	t.Helper()
	return readCompasWhere(t, func(cell func(column string) string) bool { return race == "" || cell("race") == race })
}

func readCompasWhere(t testing.TB, where func(cell func(column string) string) bool) compas {
	t.Helper()
	columns := readColumns(t, "compas/compas-two-years.csv")
	keep := func(i int) bool { return where(func(column string) string { return columns[column][i] }) }
	c := compas{age: numbers(t, columns["age"], keep), decile: numbers(t, columns["decile_score"], keep)}
	for i, text := range columns["score_text"] {
		if !keep(i) {
			continue
		}
		high, recid := text == "Medium" || text == "High", columns["two_year_recid"][i] == "1"
		c.high = append(c.high, high)
		c.recid = append(c.recid, recid)
		c.confusion.Count(high, recid)
	}
	for _, d := range c.decile {
		c.score = append(c.score, d/10)
	}
	return c
}

// manyStreams skips a test that counts over many seeded streams where tests are to be short, as
// under the race detector, to which pure functions have nothing to tell.
func manyStreams(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("counts over many streams: left out with -short")
	}
}

func normals(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return values
}

// near fails unless got is want within an absolute tolerance. NaN is near NaN alone.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.17g, want %.17g within %g", what, got, want, tolerance)
	}
}

// nearRelative is near with a relative tolerance, for p-values.
func nearRelative(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	near(t, what, got, want, tolerance*math.Abs(want))
}
