package audit

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

const (
	noScore     = "there is no score column; name one with --score"
	tooFewRows  = "no row has both a label and a prediction"
	oneClassIn  = "the rows hold labels of one class only"
	noLabelYet  = "no row has a label yet"
	scoresOnly  = "rankings need a score for every row"
	tooManyRows = "groups have no ROC AUC of their own beyond the exact number of rows"
)

// part is a set of rows with the figures that binary metrics need.
type part struct {
	confusion stat.Confusion
	scores    []float64
	positive  []bool
}

// split deals the measurable rows out over n parts; of returns a row's part, or a negative number.
// All rows go through one pass, so that a hundred windows cost what one costs.
func (r *rows) split(n int, of func(row int64) int32) []part {
	parts := make([]part, n)
	sizes := make([]int, n)
	if r.score != nil {
		r.each(of, func(row int64, k int32) {
			if finite(r.score[row]) {
				sizes[k]++
			}
		})
		for k := range parts {
			parts[k].scores, parts[k].positive = make([]float64, 0, sizes[k]), make([]bool, 0, sizes[k])
		}
	}
	r.each(of, func(row int64, k int32) {
		p, positive := &parts[k], r.truth[row] == fairness.Positive
		p.confusion.Count(r.predicted[row] == predictedPositive, positive)
		if r.score != nil && finite(r.score[row]) {
			p.scores, p.positive = append(p.scores, r.score[row]), append(p.positive, positive)
		}
	})
	return parts
}

func (r *rows) each(of func(row int64) int32, do func(row int64, k int32)) {
	for row := range r.n {
		if r.measurable(row) {
			if k := of(row); k >= 0 {
				do(row, k)
			}
		}
	}
}

// scored returns the scores of a part, or nil with the reason.
func (p part) scored(probability bool) (*performance.Scores, string, error) {
	if len(p.scores) == 0 {
		return nil, noScore, nil
	}
	s, err := stat.NewScored(p.scores, p.positive)
	if err != nil {
		return nil, "", err
	}
	return &performance.Scores{Scored: s, Probability: probability}, "", nil
}

// performances measures n parts of the rows. The entry of a part without measurable rows is nil.
func (r *rows) performances(p *plan, n int, of func(row int64) int32) ([]*performance.Performance, error) {
	measured := make([]*performance.Performance, n)
	switch r.task {
	case performance.Binary:
		for k, part := range r.split(n, of) {
			if part.confusion.N() == 0 {
				continue
			}
			scores, why, err := part.scored(p.probability)
			if err != nil {
				return nil, err
			}
			measured[k] = performance.OfBinary(part.confusion, scores, why)
		}
	case performance.Multiclass:
		for k, counts := range r.matrices(len(p.classes.names), n, of) {
			if stat.Matrix(counts).N() > 0 {
				measured[k] = performance.OfMatrix(p.classes.names, counts)
			}
		}
	case performance.Regression:
		predicted, actual := make([][]float64, n), make([][]float64, n)
		r.each(of, func(row int64, k int32) {
			predicted[k], actual[k] = append(predicted[k], r.number[row]), append(actual[k], r.actual[row])
		})
		for k := range measured {
			if len(actual[k]) == 0 {
				continue
			}
			var err error
			if measured[k], err = performance.OfNumbers(predicted[k], actual[k]); err != nil {
				return nil, err
			}
		}
	case performance.Ranking:
		for k, queries := range r.queries(n, of) {
			if len(queries) > 0 {
				measured[k] = performance.OfQueries(queries, p.cutoff, r.catalogue())
			}
		}
	}
	return measured, nil
}

func (r *rows) matrices(classes, n int, of func(row int64) int32) [][][]int64 {
	matrices := make([][][]int64, n)
	for k := range matrices {
		matrices[k] = make([][]int64, classes)
		for i := range matrices[k] {
			matrices[k][i] = make([]int64, classes)
		}
	}
	r.each(of, func(row int64, k int32) { matrices[k][r.class[row]][r.chosen[row]]++ })
	return matrices
}

// queries gathers the rows of each query, ranked by falling score; equal scores keep file order.
func (r *rows) queries(n int, of func(row int64) int32) [][]performance.Query {
	type place struct {
		row  int64
		part int32
	}
	var places []place
	r.each(of, func(row int64, k int32) { places = append(places, place{row, k}) })
	slices.SortStableFunc(places, func(a, b place) int {
		switch {
		case a.part != b.part:
			return int(a.part - b.part)
		case r.query[a.row] != r.query[b.row]:
			if r.query[a.row] < r.query[b.row] {
				return -1
			}
			return 1
		case r.score[a.row] > r.score[b.row]:
			return -1
		case r.score[a.row] < r.score[b.row]:
			return 1
		}
		return 0
	})
	all := make([][]performance.Query, n)
	for i := 0; i < len(places); {
		q, first := performance.Query{}, places[i]
		for ; i < len(places) && places[i].part == first.part && r.query[places[i].row] == r.query[first.row]; i++ {
			row := places[i].row
			q.Gains = append(q.Gains, r.actual[row])
			if r.item != nil {
				q.Items = append(q.Items, r.item[row])
			}
		}
		all[first.part] = append(all[first.part], q)
	}
	return all
}

// catalogue is the number of different items in the data; 0 where items are not known.
func (r *rows) catalogue() int {
	items := map[uint32]bool{}
	for _, item := range r.item {
		items[item] = true
	}
	delete(items, math.MaxUint32)
	return len(items)
}

// all puts every row into part 0.
func all(int64) int32 { return 0 }
