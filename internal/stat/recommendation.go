package stat

import (
	"math"
	"slices"
)

// Query is one list that a recommender served.
type Query struct {
	// Gains holds how relevant each item of the list was, best rank first; 0 is not relevant.
	Gains []float64
	// Relevant holds the gains of all items relevant to the query, listed or not. If nil, the list
	// holds them all.
	Relevant []float64
}

// Recommendation holds the means over queries of what the first k items of each list are worth,
// with normal intervals over queries, cut to [0, 1]. An item with a gain above 0 is relevant.
type Recommendation struct {
	Queries int64 // that have a relevant item
	Skipped int64 // that have none, where most metrics are not defined; they count in nothing

	NDCG      Estimate // discounted gain over that of the ideal list; linear gain, log2 discount, as scikit-learn
	Precision Estimate // relevant items among the first k, over k
	Recall    Estimate // relevant items among the first k, over all relevant ones
	MAP       Estimate // mean of the precision at each relevant rank up to k, over min(k, relevant)
	MRR       Estimate // one over the rank of the first relevant item, 0 beyond k
	HitRate   Estimate // share of queries with a relevant item among the first k; interval of Wilson
}

// Recommend evaluates queries at cut-off k. Negative and NaN gains count as 0.
func Recommend(queries []Query, k int) Recommendation {
	var ndcg, precision, recall, average, reciprocal Moments
	var hits Proportion
	skipped := int64(0)
	for _, q := range queries {
		m, ok := q.evaluate(k)
		if !ok {
			skipped++
			continue
		}
		ndcg.Add(m.ndcg)
		precision.Add(m.hits / float64(k))
		recall.Add(m.hits / m.relevant)
		average.Add(m.average)
		reciprocal.Add(m.reciprocal)
		hits.N++
		if m.hits > 0 {
			hits.K++
		}
	}
	mean := func(m Moments) Estimate { return meanEstimate(m, "normal over queries").clip(0, 1) }
	return Recommendation{
		Queries: hits.N, Skipped: skipped,
		NDCG: mean(ndcg), Precision: mean(precision), Recall: mean(recall),
		MAP: mean(average), MRR: mean(reciprocal), HitRate: hits.Estimate(),
	}
}

type queryMetrics struct{ ndcg, hits, relevant, average, reciprocal float64 }

// evaluate returns ok false if nothing is relevant or k is not positive.
func (q Query) evaluate(k int) (m queryMetrics, ok bool) {
	if k <= 0 {
		return m, false
	}
	gains := q.Relevant
	if gains == nil {
		gains = q.Gains
	}
	ideal := make([]float64, 0, len(gains))
	for _, g := range gains {
		if g > 0 {
			ideal = append(ideal, g)
		}
	}
	if len(ideal) == 0 {
		return m, false
	}
	slices.SortFunc(ideal, func(a, b float64) int {
		if a > b {
			return -1
		}
		return 1
	})
	m.relevant = float64(len(ideal))
	gained, best := 0.0, 0.0
	for i, g := range ideal[:min(k, len(ideal))] {
		best += g / math.Log2(float64(i)+2)
	}
	for i, g := range q.Gains[:min(k, len(q.Gains))] {
		if !(g > 0) {
			continue
		}
		gained += g / math.Log2(float64(i)+2)
		m.hits++
		m.average += m.hits / float64(i+1)
		if m.hits == 1 {
			m.reciprocal = 1 / float64(i+1)
		}
	}
	m.ndcg = gained / best
	m.average /= min(float64(k), m.relevant)
	return m, true
}

// Popularity says how a recommender spreads its lists over the catalogue.
type Popularity struct {
	Coverage Estimate // share of the catalogue's items that were listed at all; no interval: nothing is sampled
	Gini     float64  // of the number of lists per item: 0 evenly spread, near 1 all on one item
	Average  float64  // mean, over listed places, of the share of the lists that hold the item
}

// NewPopularity takes how often each item of the catalogue was listed (0 too) in how many lists.
// Numbers are NaN without items or, but for coverage, without listings.
func NewPopularity(listed []int64, lists int64) Popularity {
	sorted := slices.Clone(listed)
	slices.Sort(sorted)
	var sum, ranked, squares float64
	covered := int64(0)
	for i, count := range sorted {
		c := float64(count)
		sum += c
		ranked += float64(2*i+1-len(sorted)) * c
		squares += c * c
		if count > 0 {
			covered++
		}
	}
	n := int64(len(listed))
	return Popularity{
		Coverage: Estimate{Proportion{covered, n}.Rate(), noInterval(), n, "complete"},
		Gini:     ranked / (float64(n) * sum),
		Average:  squares / sum / float64(lists),
	}
}
