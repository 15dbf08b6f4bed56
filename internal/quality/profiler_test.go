package quality

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

var near = cmp.Options{cmpopts.EquateApprox(1e-9, 0), cmpopts.EquateNaNs(), cmp.Transformer("float", func(n stat.Number) float64 { return float64(n) })}

// The figures are those of pandas 3.1.1 and NumPy (percentile, linear).
func TestNumbersOfPublishedData(t *testing.T) {
	t.Parallel()
	type figures struct {
		N, Missing, Distinct                 int64
		Min, P05, Median, P95, Max, Mean, SD float64
	}
	for _, tt := range []struct {
		file, column string
		want         figures
	}{
		{"compas/compas-two-years.csv", "age", figures{7214, 0, 65, 18, 21, 31, 58, 96, 34.817992791793735, 11.888921784002939}},
		{"compas/compas-two-years.csv", "days_b_screening_arrest", figures{7214, 307, 423, -414, -42, -1, 5.699999999999818, 1057, 3.3047632836253076, 75.80950476450455}},
		{"compas/compas-two-years.csv", "priors_count", figures{7214, 0, 37, 0, 0, 2, 14, 38, 3.472414749098974, 4.882538348055975}},
		{"california-housing/california_housing_reference.csv", "AveOccup", figures{5832, 0, 5672, 0.6923076923076923, 1.8561748600842949, 2.8796719180827672, 4.555574631155394, 83.17142857142858, 3.0346631215066693, 1.6452400845547084}},
		{"california-housing/california_housing_reference.csv", "Longitude", figures{5832, 0, 529, -123.85, -122.31, -118.13, -117.32, -116.22, -118.61812928669409, 1.4670225464742535}},
	} {
		t.Run(tt.column, func(t *testing.T) {
			t.Parallel()
			c := profile(t, data(t, tt.file), tt.column, nil).Result()
			got := figures{c.N, c.Missing, c.Distinct, float64(c.Min), float64(c.P05), float64(c.Median), float64(c.P95), float64(c.Max), float64(c.Mean), float64(c.SD)}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-11, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !c.DistinctExact || c.PercentileError != 0 {
				t.Errorf("exact %v, percentile error %v", c.DistinctExact, c.PercentileError)
			}
		})
	}
}

func TestOtherKindsOfPublishedData(t *testing.T) {
	t.Parallel()
	tb := data(t, "compas/compas-two-years.csv")
	race := profile(t, tb, "race", nil).Result()
	if race.Kind != "category" || race.Distinct != 6 || race.TopValue != "African-American" || math.Abs(float64(race.TopShare)-0.5123371222622678) > 1e-15 {
		t.Errorf("race %+v", race)
	}
	charge := profile(t, tb, "c_charge_desc", nil).Result()
	if charge.Missing != 29 || charge.Distinct != 437 || charge.TopValue != "Battery" {
		t.Errorf("charge %+v", charge)
	}
	screened := profile(t, tb, "compas_screening_date", nil).Result()
	if screened.From != "2013-01-01T00:00:00Z" || screened.To != "2014-12-31T00:00:00Z" || screened.Distinct != 690 {
		t.Errorf("screening date %+v", screened)
	}
}

func random(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, n)
	for i := range values {
		values[i] = 50 * rng.NormFloat64()
	}
	return values
}

// Beyond MaxExactDistinct values the profile is an estimate that keeps its bounds.
func TestManyDistinctValues(t *testing.T) {
	t.Parallel()
	values := random(300_000, 1)
	got := numbers(values, nil, nil).Result()
	slices.Sort(values)
	if got.DistinctExact || math.Abs(float64(got.Distinct)-300_000) > 4*0.0081*300_000 {
		t.Errorf("distinct %d (exact %v), want about 300,000", got.Distinct, got.DistinctExact)
	}
	for _, tt := range []struct {
		q   float64
		got stat.Number
	}{{0.05, got.P05}, {0.5, got.Median}, {0.95, got.P95}} {
		want := stat.Quantile(values, tt.q)
		if math.Abs(float64(tt.got)-want) > got.PercentileError*math.Abs(want)+1e-9 {
			t.Errorf("percentile %v is %v, want %v within %v", tt.q, tt.got, want, got.PercentileError)
		}
	}

	exact := NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number}})
	exact.AddSorted(Sorted{Finite: values, Null: 3, NaN: 2, PosInf: 1})
	c := exact.Result()
	if c.N != 300_006 || c.Missing != 3 || c.NaN != 2 || c.Inf != 1 || !c.DistinctExact || c.Distinct != 300_001 ||
		float64(c.P05) != stat.Quantile(values, 0.05) || c.PercentileError != 0 {
		t.Errorf("sorted profile %+v", c)
	}
}

// However rows are cut, ordered and merged, the profile is the same.
// The estimate of as many values as rows lies above the rows about every second time.
func TestNoMoreValuesThanRows(t *testing.T) {
	t.Parallel()
	p := NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number}})
	v := table.Vector{Kind: table.Number, Float: make([]float64, 1000)}
	for n := 0; n < 300_000; n += 1000 {
		for i := range v.Float {
			v.Float[i] = float64(n + i)
		}
		p.Add(1000, &v)
		if n%10_000 != 0 {
			continue
		}
		if c := p.Result(); c.Distinct > c.N {
			t.Fatalf("%d values in %d rows", c.Distinct, c.N)
		}
	}
}

func TestMergeIsWhole(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 50_000, 140_000} {
		values := random(n, 2)
		null := make([]bool, n)
		for i := range values {
			switch i % 1000 {
			case 1:
				values[i] = math.NaN()
			case 2:
				values[i] = math.Inf(1)
			case 3:
				values[i] = math.Inf(-1)
			case 4:
				values[i], null[i] = math.NaN(), true
			}
		}
		reference := numbers(random(2000, 3), nil, nil)
		whole := numbers(values, null, reference).Result()
		a, b := numbers(values[:n/3], null[:n/3], reference), numbers(values[n/3:], null[n/3:], reference)
		b.Merge(a)
		if diff := cmp.Diff(whole, b.Result(), near); diff != "" {
			t.Errorf("%d rows (-whole +merged):\n%s", n, diff)
		}

		// The same rows sorted by the caller, in one piece and with more rows afterwards.
		var s Sorted
		for i, x := range values {
			switch {
			case null[i]:
				s.Null++
			case x != x:
				s.NaN++
			case x-x != 0 && x > 0:
				s.PosInf++
			case x-x != 0:
				s.NegInf++
			default:
				s.Finite = append(s.Finite, x)
			}
		}
		slices.Sort(s.Finite)
		sorted := NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number, Physical: "double"}, Role: "feature", Reference: reference})
		sorted.AddSorted(s)
		inexact := cmpopts.IgnoreFields(Column{}, "Distinct", "DistinctExact", "P05", "Median", "P95", "PercentileError")
		if diff := cmp.Diff(whole, sorted.Result(), near, inexact); diff != "" {
			t.Errorf("%d rows (-whole +sorted):\n%s", n, diff)
		}
		a = numbers(values[:n/3], null[:n/3], reference)
		sorted.Merge(a)
		twice := numbers(values, null, reference)
		twice.Merge(a)
		if diff := cmp.Diff(twice.Result(), sorted.Result(), near); diff != "" {
			t.Errorf("%d rows and some more (-added +sorted):\n%s", n, diff)
		}
	}
}

// issues lists check and verdict of a column's issues.
func issues(c Column) (all []string) {
	for _, i := range c.Issues {
		all = append(all, fmt.Sprintf("%s %s", i.Check, i.Verdict))
	}
	return all
}

func TestIssuesOfNumbers(t *testing.T) {
	t.Parallel()
	normal := random(5000, 4)
	reference := numbers(normal, nil, nil)
	change := func(n int, with float64) []float64 {
		values := random(2000, 5)
		for i := range n {
			values[i*7%len(values)] = with
		}
		return values
	}
	missing := func(n int) []bool {
		null := make([]bool, 2000)
		for i := range n {
			null[i] = true
		}
		return null
	}
	fewMissing := numbers(normal, append(missing(100), make([]bool, 3000)...), nil)
	inf := math.Inf(1)
	for _, tt := range []struct {
		name      string
		values    []float64
		null      []bool
		reference *Profiler
		want      []string
	}{
		{"clean", change(0, 0), nil, reference, nil},
		{"clean without reference", change(0, 0), nil, nil, nil},
		{"few missing without reference", change(0, 0), missing(100), nil, nil},
		{"many missing without reference", change(0, 0), missing(101), nil, []string{"missing-rate warn"}},
		{"first missing", change(0, 0), missing(1), reference, nil},
		{"some missing", change(0, 0), missing(20), reference, []string{"missing-rate warn"}},
		{"many missing", change(0, 0), missing(200), reference, []string{"missing-rate fail"}},
		{"as many missing", change(0, 0), missing(45), fewMissing, nil},
		{"more missing", change(0, 0), missing(120), fewMissing, []string{"missing-rate warn"}},
		{"NaN", change(1, math.NaN()), nil, nil, []string{"nan warn"}},
		{"infinite", change(1, inf), nil, nil, []string{"infinite warn"}},
		{"infinite is out of range", change(30, inf), nil, reference, []string{"infinite warn", "out-of-range warn"}},
		{"infinite as before", change(1, inf), nil, numbers(append([]float64{inf}, normal...), nil, nil), nil},
		{"constant", slices.Repeat([]float64{3}, 2000), nil, reference, []string{"constant warn"}},
		{"two rows beyond", change(2, 1e6), nil, reference, nil},
		{"ten rows beyond", change(10, 1e6), nil, reference, []string{"out-of-range warn"}},
		{"two in a hundred beyond", change(40, -1e6), nil, reference, []string{"out-of-range fail"}},
		{"not whole", []float64{1, 2, 2.5}, nil, numbers([]float64{0, 1, 2, 3}, nil, nil), []string{"type-change warn"}},
		{"no rows", nil, nil, reference, []string{"rows insufficient"}},
	} {
		got := numbers(tt.values, tt.null, tt.reference).Result()
		if diff := cmp.Diff(tt.want, issues(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", tt.name, diff, got.Issues)
		}
	}
}

func TestIssuesOfCategories(t *testing.T) {
	t.Parallel()
	repeat := func(n int, code uint32) []uint32 { return slices.Repeat([]uint32{code}, n) }
	dictionary := []string{"a", "b", "c", "d"}
	reference := categories(dictionary, append(repeat(3000, 0), repeat(2000, 1)...), nil)
	// Every value of rare occurs once, so by Good and Turing every row may hold a new one.
	rareWords, rareCodes := make([]string, 1000), make([]uint32, 1000)
	for i := range rareWords {
		rareWords[i], rareCodes[i] = fmt.Sprint("w", i), uint32(i)
	}
	rare := categories(rareWords, rareCodes, nil)
	for _, tt := range []struct {
		name      string
		codes     []uint32
		reference *Profiler
		want      []string
		share     float64
	}{
		{"clean", append(repeat(600, 0), repeat(400, 1)...), reference, nil, 0},
		{"one unseen", append(repeat(600, 0), append(repeat(399, 1), 2)...), reference, []string{"unseen-values warn"}, 0.001},
		{"many unseen", append(repeat(600, 0), append(repeat(370, 1), repeat(30, 3)...)...), reference, []string{"unseen-values fail"}, 0.03},
		{"unseen as expected", append(repeat(600, 0), repeat(400, 1)...), rare, nil, 1},
		{"constant", repeat(600, 0), reference, []string{"constant warn"}, 0},
		{"number before", repeat(600, 0), numbers([]float64{1, 2}, nil, nil), []string{"type-change fail"}, math.NaN()},
	} {
		got := categories([]string{"b", "a", "c", "d"}, tt.codes, tt.reference).Result()
		if diff := cmp.Diff(tt.want, issues(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", tt.name, diff, got.Issues)
		}
		if diff := cmp.Diff(tt.share, float64(got.UnseenShare), near); diff != "" {
			t.Errorf("%s: unseen share %v, want %v", tt.name, got.UnseenShare, tt.share)
		}
	}
}

// Identifiers and times are new by nature.
func TestRolesThatRunOn(t *testing.T) {
	t.Parallel()
	reference := numbers([]float64{1, 2, 3}, nil, nil)
	p := NewProfiler(Config{Column: table.Column{Name: "id", Kind: table.Number, Physical: "double"}, Role: "id", Reference: reference})
	p.AddSorted(Sorted{Finite: random(500, 6)})
	if got := p.Result(); got.Verdict != tallystick.Warn || got.OutOfRangeShare.Valid() {
		t.Errorf("%+v", got)
	}
}

// The exceedance test holds its level on data that does not change: rows of one distribution
// against reference rows of the same.
func TestExceedanceLevel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 0))
	const rounds, level = 4000, 0.05
	for _, size := range [][2]int{{500, 500}, {1000, 100}, {100, 1000}} {
		var alarms int
		for range rounds {
			low, high, k := math.Inf(1), math.Inf(-1), int64(0)
			for range size[0] {
				x := rng.Float64()
				low, high = min(low, x), max(high, x)
			}
			for range size[1] {
				if x := rng.Float64(); x < low || x > high {
					k++
				}
			}
			if exceedance(k, int64(size[1]), int64(size[0])) < level {
				alarms++
			}
		}
		// Four standard errors above the level.
		if rate := float64(alarms) / rounds; rate > level+4*math.Sqrt(level/rounds) || rate < level/10 {
			t.Errorf("%v reference rows and %v new: alarm rate %v", size[0], size[1], rate)
		}
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	tb := csv(t, "id,a,b,c", "1,1,x,", "2,1,x,", "3,1,,x", "4,nan,x,y", "4,nan,x,y", "5,2,x,z", ",,,", ",,,")
	rows, ids := NewRowHasher(tb.Rows()), NewIDHasher(tb.Rows())
	for i, c := range tb.Columns() {
		scan(t, tb, c.Name, func(b *table.Block) {
			if c.Name == "id" {
				ids.Add(i, b.Row, b.N, &b.Cols[0])
			} else {
				rows.Add(i, b.Row, b.N, &b.Cols[0])
			}
		})
	}
	q := New(tb.Rows(), nil, rows, ids)
	if q.DuplicateRows != 3 || *q.DuplicateIDs != 1 || q.DuplicateScope != "all rows" || q.Verdict != tallystick.Fail || len(q.Issues) != 2 {
		t.Errorf("%+v", q)
	}
	if again := rows.Duplicates(); again != 3 {
		t.Errorf("asked again: %d", again)
	}
}

// 27,008 and 1 are DataFrame.duplicated().sum() of pandas 3.1.1 without the id.
func TestDuplicatesOfPublishedData(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]int64{"acs-employment/employment_MA_reference.pq": 27008, "compas/compas-two-years.csv": 1} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			tb := data(t, file)
			h := NewRowHasher(tb.Rows())
			for i, c := range tb.Columns() {
				if c.Name != "id" {
					scan(t, tb, c.Name, func(b *table.Block) { h.Add(i, b.Row, b.N, &b.Cols[0]) })
				}
			}
			if got := h.Duplicates(); got != want {
				t.Errorf("%d duplicates, want %d", got, want)
			}
		})
	}
}

func BenchmarkProfiler(b *testing.B) {
	values := random(1<<16, 8)
	for name, make := range map[string]func() []float64{
		"continuous": func() []float64 { return values },
		"ages": func() []float64 {
			ages := slices.Clone(values)
			for i := range ages {
				ages[i] = math.Round(math.Abs(ages[i]))
			}
			return ages
		},
	} {
		b.Run(name, func(b *testing.B) {
			v := &table.Vector{Kind: table.Number, Float: make()}
			p := NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number}})
			p.Add(len(values), &table.Vector{Kind: table.Number, Float: values})
			if name == "continuous" {
				p.overflow()
			} else {
				p = NewProfiler(Config{Column: table.Column{Name: "x", Kind: table.Number}})
			}
			for b.Loop() {
				p.Add(len(v.Float), v)
			}
			b.ReportMetric(float64(b.N)*float64(len(v.Float))/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}

func BenchmarkRowHasher(b *testing.B) {
	values := random(1<<20, 9)
	for b.Loop() {
		h := NewRowHasher(int64(len(values)))
		for column := range 25 {
			h.Add(column, 0, len(values), &table.Vector{Kind: table.Number, Float: values})
		}
		h.Duplicates()
	}
	b.ReportMetric(float64(b.N)*25*float64(len(values))/b.Elapsed().Seconds()/1e6, "Mvalues/s")
}

// Merging estimates, in either direction, is estimating the whole.
func TestMergeOfEstimates(t *testing.T) {
	t.Parallel()
	a, b := random(90_000, 10), random(90_000, 11)
	whole := numbers(slices.Concat(a, b), nil, nil).Result()
	few := numbers(a[:100], nil, nil)
	few.Merge(numbers(a[100:], nil, nil))
	few.Merge(numbers(b, nil, nil))
	if diff := cmp.Diff(whole, few.Result(), near); diff != "" {
		t.Errorf("(-whole +merged):\n%s", diff)
	}
}

func TestMergeOfCategories(t *testing.T) {
	t.Parallel()
	dictionary := []string{"a", "b", "c"}
	got := categories(dictionary, []uint32{0, 1, table.NoCode}, nil)
	got.Merge(categories(dictionary, []uint32{2, 2}, nil))
	if c := got.Result(); c.N != 5 || got.N() != 5 || c.Distinct != 3 || c.TopValue != "c" || float64(c.TopShare) != 0.5 {
		t.Errorf("%+v", c)
	}
	if c := categories(dictionary, []uint32{table.NoCode}, nil).Result(); c.TopValue != "" || c.TopShare.Valid() {
		t.Errorf("without values: %+v", c)
	}
}

// A column of text is counted by hashes.
func TestText(t *testing.T) {
	t.Parallel()
	lines := []string{"id,when"}
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("user-%d,2026-01-01T00:00:%02dZ", i%400, i%60))
	}
	tb := csv(t, append(lines, ",")...)
	forced, err := table.Open(t.Context(), []string{tb.Files()[0].Path}, table.Options{Text: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forced.Close() })
	c := profile(t, forced, "id", nil).Result()
	if c.Kind != "text" || c.N != 501 || c.Missing != 1 || c.Distinct != 400 || !c.DistinctExact || c.Verdict != tallystick.Pass {
		t.Errorf("%+v", c)
	}
	rows := NewRowHasher(forced.Rows())
	scan(t, forced, "id", func(b *table.Block) { rows.Add(0, b.Row, b.N, &b.Cols[0]) })
	if got := rows.Duplicates(); got != 100 {
		t.Errorf("%d duplicates, want 100", got)
	}
	when := profile(t, forced, "when", nil).Result()
	if when.From != "2026-01-01T00:00:00Z" || when.To != "2026-01-01T00:00:59Z" || when.Missing != 1 {
		t.Errorf("%+v", when)
	}
}

func TestNumberWords(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 12.34567: "12.35", 123456: "123500", -0.00012345: "-0.0001234", 1e20: "1e+20", 1e-9: "1e-09"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "−1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}

// Quantiles that the caller has take the place of counted ones.
func TestQuantilesOfTheCaller(t *testing.T) {
	t.Parallel()
	p := NewProfiler(Config{
		Column:    table.Column{Name: "x", Kind: table.Number},
		Quantiles: func(qs ...float64) []float64 { return append([]float64(nil), qs...) },
	})
	values := make([]float64, 2*MaxExactDistinct)
	for i := range values {
		values[i] = float64(i)
	}
	p.Add(len(values), &table.Vector{Kind: table.Number, Float: values})
	c := p.Result()
	if c.P05 != 0.05 || c.Median != 0.5 || c.P95 != 0.95 || c.PercentileError != 0 {
		t.Errorf("percentiles %v %v %v within %v", c.P05, c.Median, c.P95, c.PercentileError)
	}
	if c.DistinctExact || math.Abs(float64(c.Distinct)/float64(len(values))-1) > 0.03 {
		t.Errorf("%d different values (exact: %v), want about %d", c.Distinct, c.DistinctExact, len(values))
	}
}
