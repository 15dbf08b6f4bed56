package quality

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// detect feeds a vector in blocks of 1,000 rows to a detector of classes.
func detect(cfg LeakConfig, v *table.Vector, labels []int) Leak {
	d := NewLeakDetector(cfg)
	for start := 0; start < len(labels); start += 1000 {
		end := min(start+1000, len(labels))
		d.AddClasses(end-start, cut(v, start, end), func(i int) int { return labels[start+i] })
	}
	return d.Result()
}

// detectNumber is detect for a label that is a number.
func detectNumber(cfg LeakConfig, v *table.Vector, labels []float64) Leak {
	d := NewLeakDetector(cfg)
	for start := 0; start < len(labels); start += 1000 {
		end := min(start+1000, len(labels))
		d.AddNumbers(end-start, cut(v, start, end), func(i int) float64 { return labels[start+i] })
	}
	return d.Result()
}

func cut(v *table.Vector, start, end int) *table.Vector {
	if v == nil {
		return nil
	}
	part := &table.Vector{Kind: v.Kind}
	if v.Null != nil {
		part.Null = v.Null[start:end]
	}
	switch v.Kind {
	case table.Number:
		part.Float = v.Float[start:end]
	case table.Category:
		part.Code = v.Code[start:end]
	case table.Time:
		part.Time = v.Time[start:end]
	}
	return part
}

// vector makes a vector of n values.
func vector(kind table.Kind, n int, value func(i int) float64) *table.Vector {
	v := &table.Vector{Kind: kind}
	for i := range n {
		x := value(i)
		switch kind {
		case table.Number:
			v.Float = append(v.Float, x)
			v.Null = append(v.Null, x != x)
		case table.Category:
			v.Code = append(v.Code, uint32(x))
		case table.Time:
			v.Time = append(v.Time, int64(x))
		}
	}
	return v
}

func TestLeakOfClasses(t *testing.T) {
	t.Parallel()
	const n = 20_000
	rng := rand.New(rand.NewPCG(1, 0))
	labels := make([]int, n)
	for i := range labels {
		labels[i] = rng.IntN(5) / 4 // one in five is 1
	}
	three := make([]int, n)
	for i := range three {
		three[i] = rng.IntN(3)
	}
	sorted := make([]int, n)
	for i := range sorted {
		sorted[i] = i * 2 / n
	}
	noise := func(int) float64 { return rng.NormFloat64() }
	const pass, warn, fail = tallystick.Pass, tallystick.Warn, tallystick.Fail
	for _, tt := range []struct {
		name    string
		classes int
		labels  []int
		kind    table.Kind
		value   func(i int) float64
		ordinal bool
		want    tallystick.Verdict
		words   string
	}{
		{"noise", 2, labels, table.Number, noise, false, pass, "does not give the label away"},
		{"copy", 2, labels, table.Number, func(i int) float64 { return 3 - float64(labels[i]) }, false, fail, "under another name"},
		{"shifted", 2, labels, table.Number, func(i int) float64 { return 5*float64(labels[i]) + rng.NormFloat64() }, false, fail, "known only after the outcome"},
		{"strong", 2, labels, table.Number, func(i int) float64 { return 2.6*float64(labels[i]) + rng.NormFloat64() }, false, warn, "ROC AUC 0.96"},
		{"honest", 2, labels, table.Number, func(i int) float64 { return 1.5*float64(labels[i]) + rng.NormFloat64() }, false, pass, ""},
		{"two-sided", 2, labels, table.Number, func(i int) float64 {
			return float64(labels[i]) * math.Copysign(9, rng.NormFloat64()) * (1 + rng.Float64())
		}, false, fail, "categories ordered"},
		{"missing", 2, labels, table.Number, func(i int) float64 {
			if labels[i] == 0 {
				return math.NaN()
			}
			return rng.NormFloat64()
		}, false, fail, ""},
		{"infinite", 2, labels, table.Number, func(i int) float64 { return math.Inf(2*labels[i] - 1) }, false, fail, "under another name"},
		{"category copy", 2, labels, table.Category, func(i int) float64 { return 7 - float64(labels[i]) }, false, fail, "under another name"},
		{"categories that tell", 2, labels, table.Category, func(i int) float64 { return float64(2*rng.IntN(50) + labels[i]) }, false, fail, ""},
		{"rare categories", 2, labels, table.Category, func(i int) float64 { return float64(i / 2) }, false, pass, ""},
		{"sorted file", 2, sorted, "", nil, true, warn, "order of their labels"},
		{"shuffled file", 2, labels, "", nil, true, pass, ""},
		{"time", 2, sorted, table.Time, func(i int) float64 { return 1.7e18 + 3.6e12*float64(i) }, true, warn, "order of their labels"},
		{"three noise", 3, three, table.Number, noise, false, pass, ""},
		{"three copy", 3, three, table.Number, func(i int) float64 { return float64(three[i] * three[i]) }, false, fail, "under another name"},
		{"three bands", 3, three, table.Number, func(i int) float64 { return float64((three[i]+1)%3) + rng.Float64() }, false, fail, "mistakes avoided"},
		{"three categories", 3, three, table.Category, func(i int) float64 { return float64(3*rng.IntN(9) + three[i]) }, false, fail, ""},
		{"three rare", 3, three, table.Category, func(i int) float64 { return float64(i / 3) }, false, pass, ""},
		{"one class", 2, make([]int, n), table.Number, noise, false, tallystick.Insufficient, "too few labelled rows"},
		{"few rows", 2, labels[:30], table.Number, func(i int) float64 { return float64(labels[i]) }, false, tallystick.Insufficient, ""},
		{"no labels", 3, append(make([]int, 0), -1, -1, -1), table.Category, noise, false, tallystick.Insufficient, ""},
	} {
		var v *table.Vector
		if tt.value != nil {
			v = vector(tt.kind, len(tt.labels), tt.value)
		}
		got := detect(LeakConfig{Column: table.Column{Name: tt.name, Kind: tt.kind}, Classes: tt.classes, Ordinal: tt.ordinal}, v, tt.labels)
		if got.Verdict != tt.want || !strings.Contains(got.Words+got.Value.Method, tt.words) {
			t.Errorf("%s: %s, %q, %+v; want %s, %q", tt.name, got.Verdict, got.Words, got.Value, tt.want, tt.words)
		}
	}
}

func TestLeakOfNumbers(t *testing.T) {
	t.Parallel()
	const n = 100_000
	rng := rand.New(rand.NewPCG(2, 0))
	labels := make([]float64, n)
	for i := range labels {
		labels[i] = rng.NormFloat64()
		if i%10 == 0 {
			labels[i] = math.NaN()
		}
	}
	const pass, warn, fail = tallystick.Pass, tallystick.Warn, tallystick.Fail
	for _, tt := range []struct {
		name  string
		kind  table.Kind
		value func(i int) float64
		want  tallystick.Verdict
		words string
	}{
		{"noise", table.Number, func(int) float64 { return rng.NormFloat64() }, pass, ""},
		{"scaled", table.Number, func(i int) float64 { return 32 - 1.8*labels[i] }, fail, "under another name"},
		{"exponential", table.Number, func(i int) float64 { return math.Exp(9 * labels[i]) }, fail, "Spearman of 45,000 of 90,000 rows"},
		{"near", table.Number, func(i int) float64 { return labels[i] + 0.2*rng.NormFloat64() }, warn, "Pearson"},
		{"strong", table.Number, func(i int) float64 { return labels[i] + 0.5*rng.NormFloat64() }, pass, ""},
		{"rounded", table.Category, func(i int) float64 { return math.Round(50 * (5 + max(-5, labels[i]))) }, fail, "category means"},
		{"rare", table.Category, func(i int) float64 { return float64(i / 2) }, pass, ""},
		{"row", "", nil, pass, ""},
	} {
		var v *table.Vector
		if tt.value != nil {
			v = vector(tt.kind, n, func(i int) float64 {
				if x := tt.value(i); x == x || tt.kind == table.Number {
					return x
				}
				return 0
			})
		}
		got := detectNumber(LeakConfig{Column: table.Column{Name: tt.name, Kind: tt.kind}}, v, labels)
		if got.Verdict != tt.want || !strings.Contains(got.Words+got.Value.Method, tt.words) {
			t.Errorf("%s: %s, %q, %+v; want %s, %q", tt.name, got.Verdict, got.Words, got.Value, tt.want, tt.words)
		}
	}
}

// The areas are those of scikit-learn 1.9.1 (roc_auc_score). is_recid is known only after the two
// years of two_year_recid, and contains it: the leak of this published data.
func TestLeakOfCompas(t *testing.T) {
	t.Parallel()
	tb := data(t, "compas/compas-two-years.csv")
	label := make([]int, 0, tb.Rows())
	scan(t, tb, "two_year_recid", func(b *table.Block) {
		for _, x := range b.Cols[0].Float {
			label = append(label, int(x))
		}
	})
	for _, tt := range []struct {
		column string
		area   float64
		want   tallystick.Verdict
	}{
		{"is_recid", 0.9722432500630835, tallystick.Warn},
		{"priors_count", 0.67039261119834, tallystick.Pass},
		{"c_charge_desc", math.NaN(), tallystick.Pass},
		{"sex", math.NaN(), tallystick.Pass},
		{"compas_screening_date", math.NaN(), tallystick.Pass},
	} {
		column, err := tb.Column(tt.column)
		if err != nil {
			t.Fatal(err)
		}
		d := NewLeakDetector(LeakConfig{Column: column, Classes: 2})
		scan(t, tb, tt.column, func(b *table.Block) {
			d.AddClasses(b.N, &b.Cols[0], func(i int) int { return label[int(b.Row)+i] })
		})
		got := d.Result()
		if got.Verdict != tt.want {
			t.Errorf("%s: %s, %s", tt.column, got.Verdict, got.Words)
		}
		if tt.area == tt.area && math.Abs(got.Value.Value-tt.area) > 1e-12 {
			t.Errorf("%s: area %.16f, want %.16f", tt.column, got.Value.Value, tt.area)
		}
	}
}

// What is kept of more values than fit is every k-th of them.
func TestSample(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, 8, 9, 16, 17, 1000} {
		s := sample{limit: 8}
		for i := range n {
			s.add(float64(i))
		}
		if len(s.kept) > 8 || n > 8 && len(s.kept) < 4 || n <= 8 && len(s.kept) != n {
			t.Errorf("%d values: %d kept", n, len(s.kept))
		}
		for i, x := range s.kept {
			if x != float64(int64(i)*max(1, s.stride)) {
				t.Errorf("%d values: kept %v by %d", n, s.kept, s.stride)
			}
		}
	}
}

func TestRanks(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(ranks([]float64{3, 1, 3, 2, 3})); got != "[3 0 3 1 3]" {
		t.Errorf("ranks %s", got)
	}
}

func BenchmarkLeak(b *testing.B) {
	const n = 1 << 16
	rng := rand.New(rand.NewPCG(3, 0))
	for _, kind := range []table.Kind{table.Number, table.Category} {
		b.Run(string(kind), func(b *testing.B) {
			v := vector(kind, n, func(i int) float64 { return float64(rng.IntN(50)) })
			d := NewLeakDetector(LeakConfig{Column: table.Column{Name: "x", Kind: kind}, Classes: 2})
			for b.Loop() {
				d.AddClasses(n, v, func(i int) int { return i % 3 / 2 })
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}
