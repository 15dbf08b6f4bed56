package stat

import "slices"

// How many quantiles of a reference with more distinct values serve as knots. Few are quick to
// walk, and stay in the nearest cache; many leave less open between them.
const (
	quickKnots = 1 << 12 // for small windows
	largeKnots = 1 << 14 // for large windows, whose values are at hand to settle what is left open
	fineKnots  = 1 << 16 // for streams
)

// knots are points at which a reference's distribution function is known, with what there is
// between them: its distinct values, or quantiles of them if there are too many, and the decile
// edges.
type knots struct {
	x    []float64
	le   []uint32  // reference values at most x[i]
	lt   []uint32  // reference values below x[i]
	rest []float64 // the sum of x[i]-v over the reference values v in the gap before x[i]
	at   []uint32  // the first distinct value of the reference at or above x[i]

	grid
}

// newKnots takes the distinct values if there are at most limit, else as many order statistics,
// evenly spaced in rank with both ends.
func newKnots(r *Reference, limit int) *knots {
	k := new(knots)
	if len(r.x) <= limit {
		k.x = append(k.x, r.x...)
	} else {
		last, j := r.N()-1, 0
		for i := range int64(limit) {
			for rank := i * last / int64(limit-1); int64(r.le[j]) <= rank; {
				j++
			}
			k.x = append(k.x, r.x[j])
		}
	}
	k.x = append(k.x, r.edges...)
	slices.Sort(k.x)
	k.x = slices.Clip(slices.Compact(k.x))
	i := 0
	for _, x := range k.x {
		rest := 0.0
		for ; i < len(r.x) && r.x[i] < x; i++ {
			rest += float64(r.upTo(i+1)-r.upTo(i)) * (x - r.x[i])
		}
		k.rest, k.lt, k.at = append(k.rest, rest), append(k.lt, uint32(r.upTo(i))), append(k.at, uint32(i))
		if i < len(r.x) && r.x[i] == x {
			i++
		}
		k.le = append(k.le, uint32(r.upTo(i)))
	}
	k.grid = newGrid(k.x, r.Quantile(0.01), r.Quantile(0.99))
	return k
}
