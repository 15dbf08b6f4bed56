package performance

import (
	"math"
	"testing"
)

// servedQueries are six queries of eight items, best rank first. Item i of query q is number
// (q+i) mod 10 of the catalogue.
func servedQueries() []Query {
	queries := make([]Query, 6)
	for q := range queries {
		type item struct {
			score, gain float64
			number      uint32
		}
		var items []item
		for i := range 8 {
			items = append(items, item{
				score:  float64((5*q+11*i+(q*i)%7)%23) + float64(i)/100,
				gain:   float64((7*q + 3*i*i + q*i) % 4),
				number: uint32(q+i) % 10,
			})
		}
		for len(items) > 0 {
			best := 0
			for i := range items {
				if items[i].score > items[best].score {
					best = i
				}
			}
			queries[q].Gains = append(queries[q].Gains, items[best].gain)
			queries[q].Items = append(queries[q].Items, items[best].number)
			items = append(items[:best], items[best+1:]...)
		}
	}
	return queries
}

// NDCG is the mean of sklearn.metrics.ndcg_score(k=5) of scikit-learn over the six queries; the
// other values were computed from their definitions with NumPy.
func TestOfQueries(t *testing.T) {
	t.Parallel()
	p := OfQueries(servedQueries(), 5, 12)
	for _, want := range []struct {
		name  string
		value float64
		n     int64
	}{
		{"ndcg", 0.6325257196167015, 6},
		{"recall_at_k", 0.5416666666666666, 6},
		{"precision_at_k", 0.7666666666666666, 6},
		{"map", 0.7020833333333334, 6},
		{"mrr", 0.7416666666666667, 6},
		{"hit_rate", 1, 6},
		{"coverage", 10. / 12, 12},
		{"popularity_gini", 0.37222222222222223, 12}, // of 0 0 1 1 2 2 3 4 4 4 4 5
	} {
		m, ok := p.Metric(want.name)
		if !ok || math.Abs(m.Value-want.value) > 1e-12 || m.N != want.n {
			t.Errorf("%s = %+v, want %v of %d", want.name, m.Estimate, want.value, want.n)
		}
	}
	if p.N != 6 || p.K != 5 || len(p.Absent) != 0 {
		t.Errorf("N %d, K %d, absent %v", p.N, p.K, p.Absent)
	}
}

func TestOfQueriesWithoutRelevantItems(t *testing.T) {
	t.Parallel()
	p := OfQueries([]Query{{Gains: []float64{0, 0}}, {Gains: []float64{-1}}}, 5, 0)
	if p.N != 2 || p.NDCG != nil || p.HitRate != nil || p.Coverage != nil {
		t.Errorf("metrics without a relevant item: %+v", p)
	}
	absent := map[string]bool{}
	for _, a := range p.Absent {
		absent[a.Metric] = a.Reason != ""
	}
	for _, name := range []string{"ndcg", "recall_at_k", "precision_at_k", "map", "mrr", "hit_rate", "coverage", "popularity_gini"} {
		if !absent[name] {
			t.Errorf("no reason for the absence of %s", name)
		}
	}
}

// A query without a relevant item leaves the means alone; its items still count as shown.
func TestOfQueriesSkipped(t *testing.T) {
	t.Parallel()
	queries := servedQueries()
	before := OfQueries(queries, 5, 12)
	after := OfQueries(append(queries, Query{Gains: []float64{0}, Items: []uint32{11}}), 5, 12)
	if *after.NDCG != *before.NDCG || after.N != 7 || after.NDCG.N != 6 {
		t.Errorf("NDCG %+v of %d, was %+v", *after.NDCG, after.N, *before.NDCG)
	}
	if got, want := after.Coverage.Value, 11./12; got != want {
		t.Errorf("coverage %v, want %v", got, want)
	}
}

// What a whole catalogue shows is no sample, so two of them are not compared by intervals.
func TestCompareRankings(t *testing.T) {
	t.Parallel()
	p := OfQueries(servedQueries(), 5, 12)
	comparisons := Baseline{Performance: p, Name: "itself"}.Compare(p)
	if len(comparisons) != 6 {
		t.Errorf("%d comparisons, want those of 6 sampled metrics", len(comparisons))
	}
	for _, c := range comparisons {
		if c.Metric == "coverage" || c.Metric == "popularity_gini" {
			t.Errorf("%s is compared", c.Metric)
		}
		if c.Difference.Value != 0 || !(c.Difference.Interval.Low <= 0) {
			t.Errorf("%s differs from itself: %+v", c.Metric, c.Difference)
		}
	}
}
