package audit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

const (
	sliceCells  = 51   // cells of one column: the most frequent categories, and all others
	slicePairs  = 8    // columns that are looked at in pairs
	sliceShown  = 10   // slices that are reported
	sliceMin    = 100  // rows below which a slice is not judged
	sliceEffect = 0.05 // error rate above the rest's, or relative to it for numbers, that is worth a warning

	sliceExact = 1000 // rows up to which a small p-value of rates is Fisher's exact one
	sliceSmall = 0.01 // p-value that is small
)

// search looks for the parts of the data in which the model does worst, among the looked-at rows.
type search struct {
	task    performance.Task
	looked  *looked
	columns []searched
}

// searched is one column cut into cells.
type searched struct {
	name     string
	labels   []string
	edges    []float64 // of numbers: cell i is above edge i-1 and at most edge i
	cell     []uint8   // by looked-at row
	category bool
	tallies  []stat.Moments // losses by cell
}

// term returns the condition of one cell.
func (c *searched) term(cell int) performance.Term {
	t := performance.Term{Column: c.name, Value: c.labels[cell]}
	if 0 < cell && cell <= len(c.edges) {
		t.From = &c.edges[cell-1]
	}
	if cell < len(c.edges) {
		t.To = &c.edges[cell]
	}
	return t
}

// newSearch returns nil where there is nothing to be wrong about.
func newSearch(r *rows) *search {
	if r.labelled == 0 || r.task == performance.Ranking {
		return nil
	}
	return &search{task: r.task, looked: r.looked}
}

// find returns the worst slices, single columns and pairs.
func (s *search) find() []performance.Slice {
	if s == nil {
		return nil
	}
	slices.SortFunc(s.columns, func(a, b searched) int { return strings.Compare(a.name, b.name) })
	everywhere := make([]uint8, len(s.looked.loss))
	whole := s.tally(1, everywhere, nil, 0)[0]
	var found []performance.Slice
	best := make([]float64, len(s.columns))
	for i := range s.columns {
		c := &s.columns[i]
		best[i] = math.Inf(-1)
		c.tallies = s.tally(len(c.labels), c.cell, nil, 0)
		for cell, m := range c.tallies {
			if slice, ok := s.slice(whole, m, c.term(cell)); ok {
				found = append(found, slice)
				best[i] = max(best[i], slice.Difference.Interval.Low)
			}
		}
	}
	order := make([]int, len(s.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(best[b], best[a]) })
	order = order[:min(slicePairs, len(order))]
	for i, a := range order {
		for _, b := range order[i+1:] {
			found = append(found, s.pairs(whole, s.columns[min(a, b)], s.columns[max(a, b)])...)
		}
	}
	return s.worst(found)
}

// lossSum adds up losses, which are not negative and spread about as far as they are large, so that
// their squares lose few digits.
type lossSum struct {
	n            int64
	sum, squares float64
}

// tally returns the moments of the losses in each cell: that of a, or, with b, a*width + b. It runs
// some hundred times over all rows, so it adds and does not divide.
func (s *search) tally(cells int, a, b []uint8, width int) []stat.Moments {
	sums := make([]lossSum, cells)
	for row, loss := range s.looked.loss {
		if loss != loss { // not known
			continue
		}
		cell := int(a[row])
		if b != nil {
			cell = cell*width + int(b[row])
		}
		d, c := float64(loss), &sums[cell]
		c.n++
		c.sum += d
		c.squares += d * d
	}
	moments := make([]stat.Moments, cells)
	for i, c := range sums {
		if c.n > 0 {
			mean := c.sum / float64(c.n)
			moments[i] = stat.Moments{N: c.n, Mean: mean, M2: max(0, c.squares-c.sum*mean)}
		}
	}
	return moments
}

// pairs returns the slices of two columns. The columns were chosen because single cells of theirs
// look bad, and by chance their parts look bad with them. So a pair must be worse than the rest of
// each of its cells as well, which that choice does not touch, and its p-value is the largest of
// the three.
func (s *search) pairs(whole stat.Moments, a, b searched) []performance.Slice {
	n := len(b.labels)
	var found []performance.Slice
	for cell, m := range s.tally(len(a.labels)*n, a.cell, b.cell, n) {
		slice, ok := s.slice(whole, m, a.term(cell/n), b.term(cell%n))
		if ok {
			for _, parent := range []stat.Moments{a.tallies[cell/n], b.tallies[cell%n]} {
				slice.PAdjusted = max(slice.PAdjusted, stat.Number(s.worse(m, parent.Without(m))))
			}
			found = append(found, slice)
		}
	}
	return found
}

// worse returns the two-sided p-value of "in and out do equally well", 1 where in does not do worse.
func (s *search) worse(in, out stat.Moments) float64 {
	if out.N == 0 || in.Mean <= out.Mean {
		return 1
	}
	if s.task == performance.Regression {
		if p := stat.MeanDifferenceP(in, out); !math.IsNaN(p) {
			return p
		}
		return 1
	}
	return ratesDiffer(wrong(in), wrong(out))
}

// wrong returns the share of wrong predictions, of which the losses are 0 or 1.
func wrong(m stat.Moments) stat.Proportion {
	return stat.Proportion{K: int64(math.Round(m.Mean * float64(m.N))), N: m.N}
}

// ratesDiffer tests two rates. Of a thousand slices some lie where the normal tail is several times
// too short for a hundred rows.
func ratesDiffer(in, out stat.Proportion) float64 {
	_, p := stat.TwoProportionZ(in, out)
	if p < sliceSmall && in.N <= sliceExact {
		_, p = stat.FisherExact(in.K, in.N-in.K, out.K, out.N-out.K)
	}
	return p
}

// slice compares the rows of a cell with all others.
func (s *search) slice(whole, m stat.Moments, terms ...performance.Term) (performance.Slice, bool) {
	if m.N < sliceMin || whole.N-m.N < sliceMin {
		return performance.Slice{}, false
	}
	slice := performance.Slice{Terms: terms, N: m.N}
	if s.task == performance.Regression {
		slice.Metric = "mean absolute error"
		slice.Value, slice.Rest = m.Estimate(), whole.Without(m).Estimate()
		slice.Difference = stat.MeanDifference(m, whole.Without(m))
		slice.PAdjusted = stat.Number(stat.MeanDifferenceP(m, whole.Without(m)))
		return slice, true
	}
	in, out := wrong(m), wrong(whole.Without(m))
	slice.Metric, slice.Value, slice.Rest, slice.Difference = "error rate", in.Estimate(), out.Estimate(), stat.Difference(in, out)
	slice.PAdjusted = stat.Number(ratesDiffer(in, out))
	return slice, true
}

// worst adjusts the p-values of everything that was looked at and keeps what is significantly and
// noticeably worse than the rest.
func (s *search) worst(all []performance.Slice) []performance.Slice {
	ps := make([]float64, len(all))
	for i := range all {
		ps[i] = float64(all[i].PAdjusted)
	}
	for i, p := range stat.BenjaminiHochberg(ps) {
		all[i].PAdjusted = stat.Number(p)
	}
	var kept []performance.Slice
	for _, slice := range all {
		effect := sliceEffect
		if s.task == performance.Regression {
			effect *= slice.Rest.Value
		}
		if slice.PAdjusted > 0.05 || slice.Difference.Interval.Low <= 0 || slice.Difference.Interval.Low < effect {
			continue
		}
		slice.Verdict = tallystick.Warn
		slice.Words = s.words(slice)
		kept = append(kept, slice)
	}
	slices.SortStableFunc(kept, func(a, b performance.Slice) int {
		return cmp.Compare(b.Difference.Interval.Low, a.Difference.Interval.Low)
	})
	return kept[:min(sliceShown, len(kept))]
}

func (s *search) words(slice performance.Slice) string {
	var terms []string
	for _, t := range slice.Terms {
		terms = append(terms, s.term(t))
	}
	where := strings.Join(terms, " and ")
	of := ""
	if s.looked.step > 1 {
		of = fmt.Sprintf(" (every %d-th row was looked at)", s.looked.step)
	}
	if s.task == performance.Regression {
		return fmt.Sprintf("Where %s, the mean absolute error is %s (%s elsewhere) over %d rows%s.",
			where, figure.Estimate("mae", slice.Value).Value, figure.Estimate("mae", slice.Rest).Value, slice.N, of)
	}
	return fmt.Sprintf("Where %s, %s of %d predictions are wrong (%s elsewhere)%s.", where, figure.Percent(slice.Value.Value), slice.N, figure.Percent(slice.Rest.Value), of)
}

// term says one condition of a slice: "race = Asian", "age above 45", "income is missing".
func (s *search) term(t performance.Term) string {
	i, _ := slices.BinarySearchFunc(s.columns, t.Column, func(c searched, name string) int { return strings.Compare(c.name, name) })
	switch {
	case t.Value == "(missing)":
		return t.Column + " is missing"
	case s.columns[i].category && t.Value != "(other)":
		return t.Column + " = " + t.Value
	}
	return t.Column + " " + t.Value
}
