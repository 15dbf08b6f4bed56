package stat

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
)

const (
	maxReference = math.MaxInt32  // so that products with a window's count fit an int64
	maxWindow    = math.MaxUint32 // counts of a tally are 32 bits wide
	coarseKnots  = 1 << 16        // knots of a Tally of a larger reference
	deciles      = 10
)

// Reference is a sample that windows are compared with, made ready once. It does not change and
// may be used by many goroutines. It takes about 28 bytes for each distinct value.
type Reference struct {
	moments Moments
	knots   knots
	coarse  *knots // for tallies; &knots if that is small enough
	edges   []float64
	counts  []int64 // reference values by decile bin

	// For the distance of small windows: left of the middle knot, and at it, the area under F up to
	// each knot; right of it the area over F from each knot on. Both start from nothing at their
	// end, so that a far outlier does not swamp the small areas of the tails.
	middle int
	area   []float64
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
	r.knots = newKnots(sorted, r.edges)
	r.counts = r.binCounts(r.N(), func(edge float64) int64 { return r.knots.atMost(edge) })
	r.coarse = &r.knots
	if len(r.knots.x) > coarseKnots {
		r.coarse = coarsen(sorted, r.edges)
	}
	r.sumAreas()
	return r, nil
}

// N returns the number of values.
func (r *Reference) N() int64 { return r.moments.N }

// Distinct returns the number of distinct values.
func (r *Reference) Distinct() int {
	distinct, before := 0, uint32(0)
	for _, le := range r.knots.le {
		if le > before {
			distinct++
		}
		before = le
	}
	return distinct
}

// Moments returns count, mean, spread and extremes.
func (r *Reference) Moments() Moments { return r.moments }

// SD returns the population standard deviation.
func (r *Reference) SD() float64 { return r.moments.SD() }

// Quantile returns the q-quantile by the rule of [Quantile].
func (r *Reference) Quantile(q float64) float64 {
	return quantile(int(r.N()), q, func(i int) float64 {
		k, _ := slices.BinarySearchFunc(r.knots.le, i+1, func(le uint32, rank int) int { return int(le) - rank })
		return r.knots.x[k]
	})
}

// Median returns the 0.5-quantile.
func (r *Reference) Median() float64 { return r.Quantile(0.5) }

// IQR returns the distance of the quartiles.
func (r *Reference) IQR() float64 { return r.Quantile(0.75) - r.Quantile(0.25) }

// Edges returns the distinct deciles, at most nine. Bin i holds the values above edge i-1 and at
// most edge i.
func (r *Reference) Edges() []float64 { return slices.Clone(r.edges) }

// binCounts turns counts of values at most an edge, and of all, into counts by bin.
func (r *Reference) binCounts(total int64, atMost func(edge float64) int64) []int64 {
	counts, before := make([]int64, 0, len(r.edges)+1), int64(0)
	for _, edge := range r.edges {
		le := atMost(edge)
		counts = append(counts, le-before)
		before = le
	}
	return append(counts, total-before)
}

// knots are the points between which a reference's distribution function F is known: its distinct
// values, or quantiles of them, and the decile edges.
type knots struct {
	x  []float64
	le []uint32 // reference values at most x[i]
	grid

	// Of coarse knots only, for the gap before each: the reference values below x[i], and the sum
	// of x[i] - v over those inside the gap. Of all distinct values nothing lies in a gap.
	lt   []uint32
	rest []float64
}

// newKnots returns the distinct values of sorted together with edges.
func newKnots(sorted, edges []float64) knots {
	distinct := 1
	for i := 1; i < len(sorted); i++ {
		if sorted[i] != sorted[i-1] {
			distinct++
		}
	}
	k := knots{x: make([]float64, 0, distinct+len(edges)), le: make([]uint32, 0, distinct+len(edges))}
	for i := 0; i < len(sorted); {
		x := sorted[i]
		for len(edges) > 0 && edges[0] < x {
			k.x, k.le = append(k.x, edges[0]), append(k.le, uint32(i))
			edges = edges[1:]
		}
		if len(edges) > 0 && edges[0] == x {
			edges = edges[1:]
		}
		for i < len(sorted) && sorted[i] == x {
			i++
		}
		k.x, k.le = append(k.x, x), append(k.le, uint32(i))
	}
	k.grid = newGrid(k.x, Quantile(sorted, 0.01), Quantile(sorted, 0.99))
	return k
}

// coarsen returns the knots at coarseKnots order statistics of sorted, evenly spaced in rank with
// both ends, and at edges.
func coarsen(sorted, edges []float64) *knots {
	k := new(knots)
	last := len(sorted) - 1
	for i := range coarseKnots {
		k.x = append(k.x, sorted[int(int64(i)*int64(last)/(coarseKnots-1))])
	}
	k.x = append(k.x, edges...)
	slices.Sort(k.x)
	k.x = slices.Compact(k.x)
	i := 0
	for _, x := range k.x {
		rest := 0.0
		for ; i < len(sorted) && sorted[i] < x; i++ {
			rest += x - sorted[i]
		}
		k.rest, k.lt = append(k.rest, rest), append(k.lt, uint32(i))
		for i < len(sorted) && sorted[i] == x {
			i++
		}
		k.le = append(k.le, uint32(i))
	}
	k.grid = newGrid(k.x, Quantile(sorted, 0.01), Quantile(sorted, 0.99))
	return k
}

// before returns the reference values below x[i] and what coarse knots know of the gap before it.
func (k *knots) before(i int) (lt int64, rest float64) {
	switch {
	case k.lt != nil:
		return int64(k.lt[i]), k.rest[i]
	case i == 0:
		return 0, 0
	}
	return int64(k.le[i-1]), 0
}

// atMost returns the reference values at most x.
func (k *knots) atMost(x float64) int64 {
	i := k.find(k.x, x)
	if i < len(k.x) && k.x[i] == x {
		return int64(k.le[i])
	}
	if i == 0 {
		return 0
	}
	return int64(k.le[i-1])
}

func (r *Reference) sumAreas() {
	x, n := r.knots.x, float64(r.N())
	r.middle = r.knots.find(x, r.Median())
	r.area = make([]float64, len(x))
	for i := 1; i <= r.middle; i++ {
		r.area[i] = r.area[i-1] + float64(r.knots.le[i-1])/n*(x[i]-x[i-1])
	}
	for i := len(x) - 2; i > r.middle; i-- {
		r.area[i] = r.area[i+1] + (n-float64(r.knots.le[i]))/n*(x[i+1]-x[i])
	}
}
