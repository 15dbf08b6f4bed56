package window_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tallystick/tallystick/internal/window"
)

// mixture makes columns of many shapes: what bins have to bear.
func mixture(random *rand.Rand, rows int) [][]float64 {
	columns := make([][]float64, 6)
	for range rows {
		z := random.NormFloat64()
		spiked := 0.0
		if random.IntN(3) == 0 {
			spiked = random.ExpFloat64()
		}
		outlier := random.Float64()
		if random.IntN(200) == 0 {
			outlier *= 1e12
		}
		for i, v := range []float64{1000 + z, math.Exp(2 * z), float64(random.IntN(100)), spiked, 7, outlier} {
			columns[i] = append(columns[i], v)
		}
	}
	return columns
}

func words(random *rand.Rand, rows, distinct int) []string {
	values := make([]string, rows)
	for i := range values {
		values[i] = fmt.Sprintf("value %d", min(random.IntN(distinct), random.IntN(distinct)))
	}
	return values
}

func countWords(values []string) map[string]int64 {
	counts := map[string]int64{}
	for _, v := range values {
		counts[v]++
	}
	return counts
}

// mixed is a reference of the mixture and two categories.
func mixed(t testing.TB, rows int) *window.Reference {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	b := window.NewBuilder(window.Options{})
	for i, values := range mixture(random, rows) {
		if err := b.Number(fmt.Sprintf("n%d", i), window.RoleFeature, values, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i, distinct := range []int{5, 3000} {
		if err := b.Category(fmt.Sprintf("c%d", i), window.RoleFeature, countWords(words(random, rows, distinct)), 0); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// number is a reference of one number.
func number(t testing.TB, values []float64) *window.Reference {
	t.Helper()
	b := window.NewBuilder(window.Options{})
	if err := b.Number("x", window.RoleFeature, values, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func marshal(t testing.TB, p *window.Profile) []byte {
	t.Helper()
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func normals(seed uint64, n int, mean, sd float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 9))
	values := make([]float64, n)
	for i := range values {
		values[i] = mean + sd*random.NormFloat64()
	}
	return values
}

// readColumns reads a CSV file of ../shared/data, or skips the test.
func readColumns(t testing.TB, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("needs ../shared/data/%s: %v", name, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for _, row := range rows[1:] {
		for i, name := range rows[0] {
			columns[name] = append(columns[name], row[i])
		}
	}
	return columns
}

func floats(t testing.TB, column []string) []float64 {
	t.Helper()
	values := make([]float64, len(column))
	for i, text := range column {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v
	}
	return values
}

// Rows cut into 1,000 parts, merged in shuffled orders and random trees, give the bytes of one
// profile of all: in float64, 50 orders of one sum gave 39 answers.
func TestMergeIsExact(t *testing.T) {
	t.Parallel()
	const rows, parts = 20_000, 1000
	r := mixed(t, 5000)
	random := rand.New(rand.NewPCG(3, 4))
	numbers := mixture(random, rows)
	for i := range rows { // not only what the reference knows
		switch random.IntN(50) {
		case 0:
			numbers[i%6][i] = math.NaN()
		case 1:
			numbers[i%6][i] = math.Inf(1 - 2*random.IntN(2))
		case 2:
			numbers[i%6][i] *= -1e300
		}
	}
	categories := [][]string{words(random, rows, 9), words(random, rows, 6000)}
	fill := func(p *window.Profile, from, to int) *window.Profile {
		p.AddRows(int64(to - from))
		for i, values := range numbers {
			p.AddNumbers(i, values[from:to])
		}
		for i, values := range categories {
			p.AddCategories(len(numbers)+i, values[from:to])
		}
		p.AddMissing(0, int64(from%7))
		p.AddMissing(7, int64(from%3))
		return p
	}
	var all []*window.Profile
	for i := range parts {
		all = append(all, fill(r.Profile(), i*rows/parts, (i+1)*rows/parts))
	}
	var want []byte
	for range 5 {
		heap := make([]*window.Profile, len(all))
		for i, at := range random.Perm(len(all)) {
			heap[i] = all[at].Clone()
		}
		for len(heap) > 1 {
			i, last := random.IntN(len(heap)-1), len(heap)-1
			if err := heap[i].Merge(heap[last]); err != nil {
				t.Fatal(err)
			}
			heap = heap[:last]
		}
		got := marshal(t, heap[0])
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Fatal("another order of merging gives another profile")
		}
	}
	whole := fill(r.Profile(), 0, rows)
	for i := 1; i < parts; i++ { // fill counts what depends on its start
		whole.AddMissing(0, int64(i*rows/parts%7))
		whole.AddMissing(7, int64(i*rows/parts%3))
	}
	if !bytes.Equal(marshal(t, whole), want) {
		t.Error("parts merged differ from the whole")
	}
	parsed, err := r.ParseProfile(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(marshal(t, parsed), want) {
		t.Error("a profile that was written and read is another")
	}
	other, err := number(t, []float64{1, 2}).ParseProfile(want)
	if err == nil {
		t.Errorf("a profile is read by another reference: %v", other)
	}
	if err := whole.Merge(number(t, []float64{1, 2}).Profile()); err == nil {
		t.Error("profiles of two references were merged")
	}
}

// NaN and infinities are counted and change nothing else (A11).
func TestNoNumbersChangeNothing(t *testing.T) {
	t.Parallel()
	r := number(t, normals(1, 5000, 0, 1))
	plain, dirty := r.Profile(), r.Profile()
	values := normals(2, 1000, 0.3, 1)
	plain.AddNumbers(0, values)
	for i, v := range values {
		dirty.AddNumbers(0, []float64{v, math.NaN(), math.Inf(1), math.Inf(-1)}[:1+i%4])
	}
	a, b := plain.Compare(0), dirty.Compare(0)
	if b.Dropped == 0 || a.KS != b.KS || a.P != b.P || a.W1 != b.W1 || a.Deciles != b.Deciles {
		t.Errorf("with NaN and infinities %+v, without %+v", b, a)
	}
	n := dirty.Number(0)
	if n.NaN != 750 || n.Infinite != 750 || n.N != 1000 || n.Mean != plain.Number(0).Mean {
		t.Errorf("counted %+v", n)
	}
}

// Moments from whole numbers agree with those of floats.
func TestMoments(t *testing.T) {
	t.Parallel()
	r := number(t, normals(1, 5000, 1e6, 2))
	p := r.Profile()
	values := normals(2, 4000, 1e6+1, 3)
	p.AddNumbers(0, values)
	mean, square := 0.0, 0.0
	for _, v := range values {
		mean += (v - 1e6) / 4000
	}
	for _, v := range values {
		square += (v - 1e6 - mean) * (v - 1e6 - mean) / 4000
	}
	n := p.Number(0)
	if math.Abs(n.Mean-1e6-mean) > 2e-6 || math.Abs(n.SD-math.Sqrt(square)) > 2e-6 {
		t.Errorf("mean %v, sd %v; want %v, %v", n.Mean, n.SD, 1e6+mean, math.Sqrt(square))
	}
	p.AddNumbers(0, []float64{1e300})
	if got := p.Number(0); got.Clamped != 1 || got.Over == 0 {
		t.Errorf("a value far away: %+v", got)
	}
}

func TestUnseenValuesAreExact(t *testing.T) {
	t.Parallel()
	b := window.NewBuilder(window.Options{Vocabulary: 2})
	if err := b.Category("c", window.RoleOutput, map[string]int64{"a": 3, "b": 2, "z": 2, "none": 0}, 1); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	p := r.Profile()
	p.AddCounts(0, []string{"a", "new"}, []int64{4, 4})
	p.AddBytes(0, [][]byte{[]byte("a"), []byte("z"), []byte("z"), []byte("z")})
	if err := p.AddCodes(0, []string{"b", "new"}, []uint32{0, 1, 1}); err != nil {
		t.Fatal(err)
	}
	if err := p.AddCodes(0, []string{"b"}, []uint32{0, 1}); err == nil {
		t.Error("a code beyond the dictionary is counted")
	}
	c := p.Category(0)
	if c.Complete || fmt.Sprint(c.Values, c.Reference, c.Current, c.Unseen) != "[a b] [3 2 2 1] [5 1 9 0] [{new 6} {z 3}]" || math.Abs(c.Distinct-4) > 0.01 {
		t.Errorf("%+v", c)
	}
}

// The estimate of distinct values stays within 3 standard errors, the state is that of a set.
func TestDistinct(t *testing.T) {
	t.Parallel()
	b := window.NewBuilder(window.Options{})
	if err := b.Category("c", window.RoleFeature, map[string]int64{"a": 1000}, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	p, q := r.Profile(), r.Profile()
	done := 0
	for _, n := range []int{10, 1000, 5000, 30_000, 100_000} {
		for ; done < n; done++ {
			value := []string{strconv.Itoa(done)}
			p.AddCategories(0, value)
			p.AddCategories(0, value)
			q.AddCategories(0, value)
		}
		got := p.Category(0).Distinct
		if math.Abs(got/float64(n)-1) > 3*0.016 || got != q.Category(0).Distinct {
			t.Errorf("%d distinct values are estimated as %v", n, got)
		}
	}
}

func TestReferenceIsOneDocument(t *testing.T) {
	t.Parallel()
	r := mixed(t, 3000)
	document, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := window.ParseReference(document)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != r.Digest() {
		t.Errorf("digest %s after reading, %s before", again.Digest(), r.Digest())
	}
	if _, err := window.ParseReference(append(document, ' ')); err == nil {
		t.Error("a second form of the document is accepted")
	}
	p, q := r.Profile(), again.Profile()
	p.AddNumbers(0, []float64{999, 1000})
	q.AddNumbers(0, []float64{1000, 999})
	if err := p.Merge(q); err != nil {
		t.Fatal(err)
	}
}

// A reference is of a set of rows: their order does not change its digest.
func TestReferenceHasNoOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(61, 62))
	for _, values := range mixture(random, 3000) {
		values = append(values, 0, math.Copysign(0, -1), math.NaN(), math.Inf(1))
		want := number(t, values).Digest()
		random.Shuffle(len(values), func(i, k int) { values[i], values[k] = values[k], values[i] })
		if got := number(t, values).Digest(); got != want {
			t.Errorf("another order of rows gives reference %s, not %s", got.Short(), want.Short())
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	t.Parallel()
	build := func(fill func(b *window.Builder) error) error {
		b := window.NewBuilder(window.Options{})
		if err := fill(b); err != nil {
			return err
		}
		_, err := b.Build()
		return err
	}
	for name, fill := range map[string]func(b *window.Builder) error{
		"nothing":                 func(*window.Builder) error { return nil },
		"nothing finite":          func(b *window.Builder) error { return b.Number("x", window.RoleFeature, []float64{math.NaN()}, 1) },
		"an unknown role":         func(b *window.Builder) error { return b.Number("x", "target", []float64{1}, 1) },
		"a column without a name": func(b *window.Builder) error { return b.Number("", window.RoleFeature, []float64{1}, 1) },
		"negative rows":           func(b *window.Builder) error { return b.Number("x", window.RoleFeature, []float64{1}, -1) },
		"an endless spread": func(b *window.Builder) error {
			return b.Number("x", window.RoleFeature, []float64{-math.MaxFloat64, math.MaxFloat64}, 0)
		},
		"columns of two lengths": func(b *window.Builder) error {
			if err := b.Number("x", window.RoleFeature, []float64{1}, 0); err != nil {
				t.Error(err)
			}
			return b.Category("y", window.RoleFeature, map[string]int64{"a": 2}, 0)
		},
		"a name twice": func(b *window.Builder) error {
			for range 2 {
				if err := b.Number("x", window.RoleFeature, []float64{1}, 0); err != nil {
					t.Error(err)
				}
			}
			return nil
		},
	} {
		if err := build(fill); err == nil {
			t.Errorf("a reference of %s is made", name)
		}
	}
}
