package profile_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

func open(t testing.TB, csv string) *table.Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	return data
}

func of(t testing.TB, csv string, opt profile.Options) profile.Profile {
	t.Helper()
	p, err := profile.Of(t.Context(), open(t, csv), opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOf(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("age,city,ssn,score,seen\n")
	for i := range 100 {
		city := []string{"Bonn", "Köln"}[i%2]
		if i == 7 {
			city = "Ada's village" // one row's own value
		}
		score := fmt.Sprint(float64(i) / 4)
		if i >= 90 {
			score = ""
		}
		fmt.Fprintf(&b, "%d,%s,secret-%d,%s,2026-01-%02d\n", i%3, city, i, score, 1+i%28)
	}
	p := of(t, b.String(), profile.Options{Withheld: []string{"ssn", "age"}})
	if p.Rows != 100 || len(p.Columns) != 5 {
		t.Fatalf("%d rows, %d columns", p.Rows, len(p.Columns))
	}
	age, _ := p.Column("age")
	if !age.Withheld || age.Numbers != nil || age.Top != nil || age.Distinct != 3 {
		t.Errorf("withheld: %+v", age)
	}
	city, _ := p.Column("city")
	if diff := cmp.Diff([]profile.Value{{Value: "Bonn", Count: 50}, {Value: "Köln", Count: 49}}, city.Top); diff != "" || city.Distinct != 3 {
		t.Errorf("category, %d distinct (-want +got):\n%s", city.Distinct, diff)
	}
	score, _ := p.Column("score")
	if n := score.Numbers; score.Missing != 10 || score.Distinct != 90 || n.Min() != 0 || n.Max() != 22.25 || n.Median() != 11.125 || n.Mean != 11.125 || score.Top != nil {
		t.Errorf("number: %+v, %+v", score, n)
	}
	seen, _ := p.Column("seen")
	if seen.Kind != profile.Time || seen.Numbers.Min() != 1767225600000 || seen.Distinct != 28 { // 2026-01-01T00:00:00Z
		t.Errorf("time: %+v", seen)
	}
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"secret-", "Ada"} {
		if bytes.Contains(raw, []byte(private)) {
			t.Errorf("the profile shows %q", private)
		}
	}
	if again, err := of(t, b.String(), profile.Options{Withheld: []string{"ssn", "age"}}).Marshal(); err != nil || !bytes.Equal(raw, again) {
		t.Errorf("another profile of the same data: %v", err)
	}
	if _, err := profile.Of(t.Context(), open(t, b.String()), profile.Options{Withheld: []string{"snn"}}); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a misspelt column to withhold: %v", err)
	}
}

// TestSample looks at a column that is too long to be kept whole: 2,500,000 rows of a permutation, so
// that the percentiles and the count of values are known.
func TestSample(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 2,500,000 rows")
	}
	t.Parallel()
	const n = 2_500_000
	var b strings.Builder
	b.WriteString("x\n")
	for i := range n {
		fmt.Fprintln(&b, i*1_000_003%n)
	}
	p := of(t, b.String(), profile.Options{})
	x := p.Columns[0]
	if x.Numbers.Min() != 0 || x.Numbers.Max() != n-1 || x.Numbers.Sampled == 0 || math.Abs(float64(x.Distinct)/n-1) > 0.05 {
		t.Errorf("%d distinct, %+v", x.Distinct, x.Numbers)
	}
	for i, v := range x.Numbers.Percentiles {
		if math.Abs(v/n-float64(i)/100) > 0.003 { // 4 standard errors of a median of 500,000
			t.Errorf("percentile %d is %v", i, v)
		}
	}
}

// people returns the CSV of n rows, of which income lacks the given share and is raised by shift.
func people(seed uint64, n int, lack, shift float64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("income,age,zero,region,note\n")
	for range n {
		income := ""
		if r.Float64() >= lack {
			income = fmt.Sprintf("%.2f", math.Exp(r.NormFloat64()+shift))
		}
		zero := 0.0
		if r.IntN(10) == 0 {
			zero = r.Float64()
		}
		fmt.Fprintf(&b, "%s,%d,%g,%c,%x\n", income, 18+r.IntN(70), zero, 'a'+rune(r.IntN(4)), r.Uint64())
	}
	return b.String()
}

func TestCompareNamesTheSilentFailure(t *testing.T) {
	t.Parallel()
	before := of(t, people(1, 5000, 0.01, 0), profile.Options{})
	after := of(t, people(2, 5000, 0.4, 0.2), profile.Options{})
	moves := profile.Compare(before, after).Moves
	if len(moves) != 1 || moves[0].Column != "income" || moves[0].What != profile.MoreGone || !moves[0].Strong {
		t.Fatalf("moves: %+v", moves)
	}
	if !strings.Contains(moves[0].Text, "column income is 4") || !strings.Contains(moves[0].Text, " % missing, was ") {
		t.Errorf("in words: %s", moves[0].Text)
	}
}

func TestCompareColumns(t *testing.T) {
	t.Parallel()
	before := of(t, people(1, 1000, 0, 0), profile.Options{})
	shifted := of(t, people(2, 1000, 0, 1), profile.Options{})
	if moves := profile.Compare(before, shifted).Moves; len(moves) != 1 || moves[0].What != profile.OtherShape || !moves[0].Strong {
		t.Errorf("a shift: %+v", moves)
	}
	other := of(t, strings.NewReplacer("income", "salary").Replace(people(1, 1000, 0, 0)), profile.Options{})
	moves := profile.Compare(before, other).Moves
	if len(moves) != 2 || moves[0].What != profile.Removed || moves[1].What != profile.Added {
		t.Errorf("a renamed column: %+v", moves)
	}
	open := profile.Compare(of(t, people(1, 100, 0, 0), profile.Options{Withheld: []string{"age"}}), before).Open
	if len(open) != 3 || !strings.Contains(open[0], "too few") || !strings.Contains(open[1], "withheld") || !strings.Contains(open[2], "no value that enough rows share") {
		t.Errorf("what is not compared: %q", open)
	}
}

// TestPSI compares the PSI that percentiles give with the exact one of the values.
func TestPSI(t *testing.T) {
	t.Parallel()
	for _, shift := range []float64{0.3, 0.4, 0.6, 0.9} {
		before, after := open(t, people(3, 5000, 0.05, 0)), open(t, people(4, 5000, 0.05, shift))
		reference, err := stat.NewReference(numbers(t, before, "income"))
		if err != nil {
			t.Fatal(err)
		}
		exact := reference.Compare(numbers(t, after, "income")).Deciles.PSI
		a, err := profile.Of(t.Context(), before, profile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := profile.Of(t.Context(), after, profile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		moves := profile.Compare(a, b).Moves
		if len(moves) != (map[bool]int{true: 1})[exact >= profile.MovedPSI] {
			t.Fatalf("shift %v, exact PSI %.4f: %+v", shift, exact, moves)
		}
		if len(moves) == 1 && math.Abs(float64(moves[0].PSI)-exact) > 0.005+0.03*exact {
			t.Errorf("shift %v: PSI %.4f, exactly %.4f", shift, moves[0].PSI, exact)
		}
	}
}

// TestCompareIsQuiet compares samples of one distribution: at a false discovery rate of 5 % not many
// more than 5 in 100 comparisons may name a column; the second key, a PSI of 0.1, keeps nearly all.
func TestCompareIsQuiet(t *testing.T) {
	t.Parallel()
	loud := 0
	for i := range uint64(50) {
		a, b := of(t, people(1000+i, 400, 0.1, 0), profile.Options{}), of(t, people(2000+i, 400, 0.1, 0), profile.Options{})
		if moves := profile.Compare(a, b).Moves; len(moves) > 0 {
			loud++
		}
	}
	if loud > 5 {
		t.Errorf("%d of 50 comparisons of the same distribution name a column", loud)
	}
}

func FuzzParse(f *testing.F) {
	p := of(f, people(1, 300, 0.1, 0), profile.Options{})
	raw, err := p.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"schema":"tallystick.profile/v1","digest":"sha256:` + strings.Repeat("0", 64) + `","rows":1,"columns":[{"name":"x","kind":"text","missing":1,"distinct":0}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := profile.Parse(data)
		if err != nil {
			return
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatalf("a parsed profile cannot be written: %v", err)
		}
		again, err := profile.Parse(raw)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(raw, twice) {
			t.Fatalf("the encoding is not stable: %v", err)
		}
		profile.Compare(p, again)
	})
}
