package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever lies inside the cells, the exact value must lie within the bound.
func TestScoreHistogram(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, cells := range []int{1, 3, 50, 5000} {
		for range 20 {
			n := 2 + rng.IntN(3000)
			scores, positive := make([]float64, n), make([]bool, n)
			whole, err := NewScoreHistogram(0, 1, cells)
			if err != nil {
				t.Fatal(err)
			}
			parts := [2]*ScoreHistogram{}
			for i := range parts {
				parts[i], _ = NewScoreHistogram(0, 1, cells)
			}
			tie := float64(1 + rng.IntN(400))
			for i := range scores {
				scores[i] = math.Round(rng.Float64()*tie) / tie
				positive[i] = rng.Float64() < scores[i] || i == 0
				if i == 1 {
					positive[i] = false
				}
				for _, h := range []*ScoreHistogram{whole, parts[i%2]} {
					if err := h.Add(scores[i], positive[i]); err != nil {
						t.Fatal(err)
					}
				}
			}
			s := scored(t, scores, positive)
			auc, ap := whole.ROCAUC(), whole.AveragePrecision()
			near(t, "auc", s.ROCAUC().Value, auc.Value, auc.Bound+1e-12)
			near(t, "average precision", s.AveragePrecision().Value, ap.Value, ap.Bound+1e-12)
			if err := parts[0].Merge(parts[1]); err != nil {
				t.Fatal(err)
			}
			if parts[0].ROCAUC() != auc || parts[0].AveragePrecision() != ap {
				t.Error("the merged parts differ from the whole")
			}
		}
	}
}

// Where every distinct score has its own cell, the AUC is exact: COMPAS deciles.
func TestScoreHistogramCompas(t *testing.T) {
	t.Parallel()
	c := readCompas(t, "")
	h, err := NewScoreHistogram(0.05, 1.05, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, score := range c.score {
		if err := h.Add(score, c.recid[i]); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "auc", h.ROCAUC().Value, .7021662544, 5e-11)
	ap := h.AveragePrecision()
	near(t, "average precision", ap.Value, .6283740292, ap.Bound)
}

func TestScoreHistogramRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		low, high float64
		cells     int
	}{{1, 0, 5}, {0, 0, 5}, {0, math.NaN(), 5}, {0, math.Inf(1), 5}, {0, 1, 0}, {0, 1, 1 << 25}} {
		if _, err := NewScoreHistogram(bad.low, bad.high, bad.cells); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	h, err := NewScoreHistogram(0, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if h.Add(math.NaN(), true) == nil {
		t.Error("NaN was taken")
	}
	if !math.IsNaN(h.ROCAUC().Value) || !math.IsNaN(h.AveragePrecision().Value) {
		t.Error("an empty histogram has a value")
	}
	other, _ := NewScoreHistogram(0, 1, 5)
	if h.Merge(other) == nil {
		t.Error("different cells were merged")
	}
}

// NDCG values of scikit-learn 1.9.1; the others worked by hand.
func TestRecommend(t *testing.T) {
	t.Parallel()
	near(t, "ndcg", Recommend([]Query{{Gains: []float64{3, 2, 0, 1}}}, 4).NDCG.Value, 0.9854419388428785, 1e-15)
	near(t, "ndcg@3", Recommend([]Query{{Gains: []float64{3, 2, 3, 0, 1, 2}}}, 3).NDCG.Value, 0.9777813616305048, 1e-15)

	got := Recommend([]Query{
		{Gains: []float64{1, 0, 0, 1, 1}},                            // hits 1 and 4 of 3
		{Gains: []float64{0, 1, 0}, Relevant: []float64{1, 1, 1, 1}}, // hit 2 of 4
		{Gains: []float64{0, 0, 0, 0, 1}},                            // beyond k
		{Gains: []float64{0, 0}},                                     // nothing to find
		{},
	}, 4)
	if got.Queries != 3 || got.Skipped != 2 {
		t.Errorf("%d queries, %d skipped", got.Queries, got.Skipped)
	}
	near(t, "precision", got.Precision.Value, (2./4+1./4+0)/3, 1e-15)
	near(t, "recall", got.Recall.Value, (2./3+1./4+0)/3, 1e-15)
	near(t, "map", got.MAP.Value, ((1+2./4)/3+(1./2)/4+0)/3, 1e-15)
	near(t, "mrr", got.MRR.Value, (1+1./2+0)/3, 1e-15)
	near(t, "hit rate", got.HitRate.Value, 2./3, 1e-15)
	if none := Recommend(nil, 5); none.NDCG.Valid() || none.HitRate.Valid() {
		t.Errorf("no queries: %+v", none)
	}
	if zero := Recommend([]Query{{Gains: []float64{1}}}, 0); zero.Skipped != 1 {
		t.Errorf("k 0: %+v", zero)
	}
}

func TestPopularity(t *testing.T) {
	t.Parallel()
	even := NewPopularity([]int64{2, 2, 2, 2}, 4)
	near(t, "even gini", even.Gini, 0, 1e-15)
	near(t, "even average", even.Average, .5, 1e-15)
	one := NewPopularity([]int64{0, 0, 0, 7}, 7)
	near(t, "gini of one item", one.Gini, .75, 1e-15) // (n-1)/n
	near(t, "coverage of one item", one.Coverage.Value, .25, 0)
	near(t, "average of one item", one.Average, 1, 0)
	if none := NewPopularity(nil, 0); none.Coverage.Valid() || !math.IsNaN(none.Gini) {
		t.Errorf("no items: %+v", none)
	}
}

// Values of scikit-learn 1.9.1 and NumPy 2.4.6: AveRooms as the prediction of AveOccup.
func TestRegressionCalifornia(t *testing.T) {
	t.Parallel()
	columns := readColumns(t, "california-housing/california_housing_reference.csv")
	predicted, actual := numbers(t, columns["AveRooms"], nil), numbers(t, columns["AveOccup"], nil)
	r, err := NewRegression(predicted, actual)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mae", r.MAE.Value, 2.6944079668924523, 1e-12)
	near(t, "rmse", r.RMSE.Value, 3.850892002243921, 1e-12)
	near(t, "r2", r.R2.Value, -4.479470432757804, 1e-11)
	near(t, "mape", r.MAPE.Value, 1.018243210206417, 1e-12)
	near(t, "bias", r.Bias.Value, 2.4713859900692134, 1e-12)
	quantiles := QuantileErrors(predicted, actual, .5, .9)
	near(t, "median error", quantiles[0].Value, 2.4771757, 5e-8)
	near(t, "90 % error", quantiles[1].Value, 4.27110642, 5e-9)
}

// The intervals against a resampling of the rows.
func TestRegressionIntervals(t *testing.T) {
	t.Parallel()
	actual, noise := normals(400, 8), normals(400, 9)
	predicted := make([]float64, len(actual))
	for i := range actual {
		predicted[i] = .8*actual[i] + .5*noise[i] + .1
	}
	r, err := NewRegression(predicted, actual)
	if err != nil {
		t.Fatal(err)
	}
	median := QuantileErrors(predicted, actual, .5)[0]
	for _, test := range []struct {
		name string
		got  Estimate
		of   func(Regression) float64
	}{
		{"mae", r.MAE, func(r Regression) float64 { return r.MAE.Value }},
		{"rmse", r.RMSE, func(r Regression) float64 { return r.RMSE.Value }},
		{"bias", r.Bias, func(r Regression) float64 { return r.Bias.Value }},
		{"r2", r.R2, func(r Regression) float64 { return r.R2.Value }},
	} {
		want := Bootstrap{Draws: 1000}.Interval(len(actual), func(rows []int) float64 {
			p, a := make([]float64, len(rows)), make([]float64, len(rows))
			for i, row := range rows {
				p[i], a[i] = predicted[row], actual[row]
			}
			drawn, err := NewRegression(p, a)
			if err != nil {
				t.Fatal(err)
			}
			return test.of(drawn)
		})
		width := want.High - want.Low
		near(t, test.name+" low", test.got.Interval.Low, want.Low, width/8)
		near(t, test.name+" high", test.got.Interval.High, want.High, width/8)
	}
	if !median.Interval.Contains(median.Value) || median.Interval.Low == median.Interval.High {
		t.Errorf("median error %+v", median)
	}
}

func TestRegressionRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range [][2][]float64{{{1}, {1, 2}}, {{math.NaN()}, {1}}, {{1}, {math.Inf(1)}}} {
		if _, err := NewRegression(bad[0], bad[1]); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	r, err := NewRegression([]float64{1, 2}, []float64{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	if r.R2.Valid() || r.MAPE.Valid() || r.MAE.Value != 1.5 {
		t.Errorf("constant label 0: %+v", r)
	}
	if none, err := NewRegression(nil, nil); err != nil || none.RMSE.Valid() {
		t.Errorf("no rows: %+v, %v", none, err)
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	values := normals(1000, 3)
	for i := range values {
		values[i] += 1e6
	}
	whole := MomentsOf(values)
	var merged Moments
	for part := range slices.Chunk(values, 17) {
		merged.Merge(MomentsOf(part))
	}
	nearRelative(t, "mean", merged.Mean, whole.Mean, 1e-14)
	nearRelative(t, "variance", merged.Variance(), whole.Variance(), 1e-10)
	if merged.N != 1000 || merged.Min != slices.Min(values) || merged.Max != slices.Max(values) {
		t.Errorf("merged %+v", merged)
	}
	small := MomentsOf([]float64{2, math.NaN(), 4, 4, math.Inf(1), 4, 5, 5, 7, 9}) // the textbook's eight values of sd 2
	if small.N != 8 || small.Mean != 5 || small.SD() != 2 {
		t.Errorf("%+v, sd %v", small, small.SD())
	}
	near(t, "sample variance", small.SampleVariance(), 32./7, 1e-15)
	near(t, "variance of nothing", Moments{}.Variance(), math.NaN(), 0)
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	values := normals(500, 10)
	mean := func(rows []int) float64 {
		sum := 0.0
		for _, row := range rows {
			sum += values[row]
		}
		return sum / float64(len(rows))
	}
	got, want := Bootstrap{}.Interval(len(values), mean), meanEstimate(MomentsOf(values), "").Interval
	near(t, "low", got.Low, want.Low, .01)
	near(t, "high", got.High, want.High, .01)
	if again := (Bootstrap{Seed: Seed}).Interval(len(values), mean); again != got {
		t.Errorf("the same seed gives %v and %v", got, again)
	}
	if other := (Bootstrap{Seed: 2}).Interval(len(values), mean); other == got {
		t.Error("another seed gives the same interval")
	}
	if none := (Bootstrap{}).Interval(0, mean); !none.isNaN() {
		t.Errorf("no rows: %v", none)
	}
}

func TestSortFloats(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 9))
	for name, values := range samples(rng, 3000) {
		want := slices.Clone(values)
		slices.Sort(want)
		sortFloats(values, nil)
		if !slices.Equal(values, want) {
			t.Errorf("%s is not sorted", name)
		}
	}
	edge := []float64{math.Inf(1), -1, math.Copysign(0, -1), math.MaxFloat64, 0, -5e-324, math.Inf(-1), 5e-324}
	values := slices.Repeat(edge, 100)
	sortFloats(values, make([]float64, 10))
	if !slices.IsSorted(values) {
		t.Error("edge values are not sorted")
	}
}

// Any bytes, read as floats, must sort as the standard library sorts them and compare with
// themselves at distance 0.
func FuzzCompare(f *testing.F) {
	f.Add([]byte("sixteen bytes 16"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, repeat uint8) {
		var values []float64
		for i := 0; i+4 <= len(data); i += 4 {
			bits := uint32(data[i]) | uint32(data[i+1])<<8 | uint32(data[i+2])<<16 | uint32(data[i+3])<<24
			values = append(values, float64(math.Float32frombits(bits)))
		}
		values = slices.Repeat(values, 1+int(repeat))
		sorted := sortedFinite(values)
		if !slices.IsSorted(sorted) {
			t.Fatalf("%v is not sorted", sorted)
		}
		r, err := NewReference(values)
		if err != nil {
			return
		}
		got := r.Compare(values)
		if got.KS != 0 || got.W1 > 1e-9*r.IQR() || got.P != 1 || got.N+got.Dropped != int64(len(values)) || got.Deciles.PSI != 0 {
			t.Fatalf("compared with itself: %+v", got)
		}
		half := values[:len(values)/2]
		if len(sortedFinite(half)) == 0 {
			return
		}
		compared := r.Compare(half)
		near(t, "ks", compared.KS, KolmogorovSmirnov(half, values).Statistic, 1e-14)
		want := Wasserstein(half, values)
		near(t, "w1", compared.W1, want, 1e-9*(want+r.Moments().Max-r.Moments().Min))
	})
}
