package audit

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/table"
)

// queryPart gathers the rows of ranked lists, which are held.
type queryPart struct {
	plan *plan
	rows *rows
	held []uint32
}

func (q *queryPart) add(_ *rows, i int) { q.held = append(q.held, uint32(i)) }

func (q *queryPart) performance() (*performance.Performance, error) {
	return performance.OfQueries(q.rows.queries(q.held), q.plan.cutoff, q.rows.catalogue()), nil
}

// queries gathers the rows of each query, ranked by falling score; equal scores keep file order.
func (r *rows) queries(held []uint32) []performance.Query {
	slices.SortStableFunc(held, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(r.query[a], r.query[b]), cmp.Compare(r.score[b], r.score[a]))
	})
	var queries []performance.Query
	gains, items := make([]float64, len(held)), []uint32(nil)
	if r.item != nil {
		items = make([]uint32, len(held))
	}
	from := 0
	for i, row := range held {
		gains[i] = r.actual[row]
		if items != nil {
			items[i] = r.item[row]
		}
		if i+1 < len(held) && r.query[held[i+1]] == r.query[row] {
			continue
		}
		q := performance.Query{Gains: gains[from : i+1]}
		if items != nil {
			q.Items = items[from : i+1]
		}
		queries, from = append(queries, q), i+1
	}
	return queries
}

// catalogue is the number of different items in the data; 0 where items are not known.
func (r *rows) catalogue() int {
	if r.items == 0 {
		for _, item := range r.item {
			if item != table.NoCode {
				r.items = max(r.items, int(item)+1) // they are numbered from 0
			}
		}
	}
	return r.items
}
