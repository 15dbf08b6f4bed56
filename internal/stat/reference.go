package stat

import (
	"math"
	"slices"
	"sync"

	"github.com/tallystick/tallystick"
)

const (
	maxReference = math.MaxInt32 // so that products with a window's count fit an int64
	deciles      = 10
)

// Reference is a sample that windows are compared with, made ready once. It does not change and
// may be used by many goroutines. It takes 12 bytes for each distinct value and up to 3 MB more.
type Reference struct {
	moments Moments
	x       []float64 // distinct values, ascending
	le      []uint32  // values at most x[i]
	edges   []float64 // distinct deciles
	counts  []int64   // values by decile bin

	quick, large, fine func() *knots // made when they are first needed
}

// NewReference sorts a copy of the finite values. It returns an Invalid error if there is none, or
// more than 2^31-1.
func NewReference(values []float64) (*Reference, error) {
	sorted := sortedFinite(values)
	if len(sorted) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "reference has no finite value among %d", len(values)).
			WithHint("compare columns that hold numbers")
	}
	if len(sorted) > maxReference {
		return nil, tallystick.Errorf(tallystick.Invalid, "reference has %d values, more than %d", len(sorted), maxReference).
			WithHint("use a random sample of the reference")
	}
	r := &Reference{moments: MomentsOf(sorted)}
	for i := 1; i < deciles; i++ {
		r.edges = append(r.edges, Quantile(sorted, float64(i)/deciles))
	}
	r.edges = slices.Compact(r.edges)
	distinct := 1
	for i := 1; i < len(sorted); i++ {
		if sorted[i] != sorted[i-1] {
			distinct++
		}
	}
	r.x, r.le = make([]float64, 0, distinct), make([]uint32, 0, distinct)
	for i, v := range sorted {
		if i+1 == len(sorted) || sorted[i+1] != v {
			r.x, r.le = append(r.x, v), append(r.le, uint32(i+1))
		}
	}
	knotted := func(limit int) func() *knots {
		return sync.OnceValue(func() *knots { return newKnots(r, limit) })
	}
	r.quick, r.large, r.fine = knotted(quickKnots), knotted(largeKnots), knotted(fineKnots)
	r.counts = binCounts(r.edges, r.N(), r.atMost)
	return r, nil
}

// N returns the number of values.
func (r *Reference) N() int64 { return r.moments.N }

// Distinct returns the number of distinct values.
func (r *Reference) Distinct() int { return len(r.x) }

// Moments returns count, mean, spread and extremes.
func (r *Reference) Moments() Moments { return r.moments }

// SD returns the population standard deviation.
func (r *Reference) SD() float64 { return r.moments.SD() }

// Quantile returns the q-quantile by the rule of the function [Quantile].
func (r *Reference) Quantile(q float64) float64 {
	return quantile(int(r.N()), q, func(i int) float64 {
		k, _ := slices.BinarySearch(r.le, uint32(i+1))
		return r.x[k]
	})
}

// Median returns the 0.5-quantile.
func (r *Reference) Median() float64 { return r.Quantile(0.5) }

// IQR returns the distance of the quartiles.
func (r *Reference) IQR() float64 { return r.Quantile(0.75) - r.Quantile(0.25) }

// Edges returns the distinct deciles, at most nine. Bin i holds the values above edge i-1 and at
// most edge i.
func (r *Reference) Edges() []float64 { return slices.Clone(r.edges) }

// atMost returns how many values are at most v.
func (r *Reference) atMost(v float64) int64 {
	i, found := slices.BinarySearch(r.x, v)
	if found {
		i++
	}
	return r.upTo(i)
}

// upTo returns how many values the first i distinct ones stand for.
func (r *Reference) upTo(i int) int64 {
	if i == 0 {
		return 0
	}
	return int64(r.le[i-1])
}

// binCounts turns counts of values at most an edge, and of all, into counts by bin.
func binCounts(edges []float64, total int64, atMost func(edge float64) int64) []int64 {
	counts, before := make([]int64, 0, len(edges)+1), int64(0)
	for _, edge := range edges {
		le := atMost(edge)
		counts = append(counts, le-before)
		before = le
	}
	return append(counts, total-before)
}
