package performance

import (
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// NoItem stands in Query.Items for an item that is not known.
const NoItem uint32 = math.MaxUint32

// Query is one ranked list: the gain of each item, best rank first. An item is relevant if its gain
// is above 0; NDCG alone looks at how far above. Items that are not in the list count for nothing:
// recall is over the relevant items that the data holds for the query.
type Query struct {
	Gains []float64
	Items []uint32 // by rank, below the size of the catalogue or NoItem; nil where items are not known
}

// OfQueries measures ranked lists at the cut-off k. catalogue is the number of different items
// that could be shown, 0 if it is not known. Queries without a relevant item count in N, in coverage
// and in popularity, and in nothing else: each metric states its own n.
func OfQueries(queries []Query, k, catalogue int) *Performance {
	lists := make([]stat.Query, len(queries))
	for i, q := range queries {
		lists[i].Gains = q.Gains
	}
	r := stat.Recommend(lists, k)
	p := &Performance{
		Task: Ranking, N: int64(len(queries)), K: k,
		NDCG: given(r.NDCG), RecallAtK: given(r.Recall), PrecisionAtK: given(r.Precision),
		MAP: given(r.MAP), MRR: given(r.MRR), HitRate: given(r.HitRate),
	}
	if r.Queries == 0 {
		p.absent("no query has a relevant item: none has a label above 0", "ndcg", "recall_at_k", "precision_at_k", "map", "mrr", "hit_rate")
	}
	if catalogue == 0 {
		p.absent("the items are not known; name their column with --item", "coverage", "popularity_gini")
		return p
	}
	popularity := stat.NewPopularity(listings(queries, k, catalogue), int64(len(queries)))
	p.Coverage = given(popularity.Coverage)
	p.PopularityGini = given(stat.Estimate{
		Value: popularity.Gini, Interval: popularity.Coverage.Interval, N: int64(catalogue),
		Method: fmt.Sprintf("of how often each item is among the first %d; complete", k),
	})
	return p
}

// listings counts how often each item of the catalogue is among the first k of a list.
func listings(queries []Query, k, catalogue int) []int64 {
	listed := make([]int64, catalogue)
	for _, q := range queries {
		for _, item := range q.Items[:min(max(0, k), len(q.Items))] {
			if int64(item) < int64(catalogue) {
				listed[item]++
			}
		}
	}
	return listed
}
