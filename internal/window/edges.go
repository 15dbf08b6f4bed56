package window

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
)

const (
	quantiles = 80 // bins of equal mass, before frequent values make them fewer
	perDecile = quantiles / 10
	maxEdges  = quantiles + 1
)

// newEdges returns the edges of a sample, ascending and distinct, and which of them are deciles.
func newEdges(sample *stat.Reference) (edges []float64, deciles []int) {
	var marks []float64
	previous := math.NaN()
	for i := 1; i < quantiles; i++ {
		q := sample.Quantile(float64(i)/quantiles) + 0 // no negative zero
		if q == previous {
			edges = append(edges, below(q)...)
		}
		edges, previous = append(edges, q), q
		if i%perDecile == 0 {
			marks = append(marks, q)
		}
	}
	edges = append(edges, below(sample.Moments().Min)...)
	edges = append(edges, sample.Moments().Max+0)
	slices.Sort(edges)
	edges = slices.Compact(edges)
	for _, mark := range slices.Compact(marks) {
		at, _ := slices.BinarySearch(edges, mark)
		deciles = append(deciles, at)
	}
	return edges, deciles
}

// below returns the float64 next below x, none if x is the least finite one.
func below(x float64) []float64 {
	if y := math.Nextafter(x, math.Inf(-1)); isFinite(y) {
		return []float64{y}
	}
	return nil
}

// grid finds the bin of a value without a search from the top: even cells over the middle of the
// reference tell between which few edges a value lies. stat's grid does the same for many knots.
type grid struct {
	edges      []float64 // and an infinite one behind, which ends every search
	low, scale float64
	start      []uint8 // start[c] is the first edge of cell c or later
}

const gridCells = 1024

func newGrid(edges []float64) grid {
	// The outermost edges may lie far away from all others.
	from, to := min(2, len(edges)-1), max(0, len(edges)-3)
	g := grid{edges: append(slices.Clone(edges), math.Inf(1)), low: edges[from], start: make([]uint8, gridCells+1)}
	if width := edges[max(from, to)] - g.low; width > 0 && isFinite(gridCells/width) {
		g.scale = gridCells / width
	}
	next := 0
	for i, x := range edges {
		for c := g.cell(x); next <= c; next++ {
			g.start[next] = uint8(i)
		}
	}
	for ; next <= gridCells; next++ {
		g.start[next] = uint8(len(edges))
	}
	return g
}

// cell never decreases as v grows, rounding included, which is all that a search needs.
func (g *grid) cell(v float64) int {
	position := (v - g.low) * g.scale
	if position >= 0 && position < gridCells {
		return int(position)
	}
	if v < g.low {
		return 0
	}
	return gridCells - 1
}

// batch is how many values are looked up together.
const batch = 256

// place finds the bins of at most batch values, any one for NaN, and reports whether all of them are
// finite. The first two loops have no branches that depend on values inside the grid, so that many
// loads are under way at once; few values are left to search for in the third.
func (g *grid) place(values []float64, at *[batch]uint8) (finite bool) {
	low, scale, edges, start := g.low, g.scale, g.edges, g.start
	values = values[:min(batch, len(values))]
	finite = true
	for k, v := range values {
		position := (v - low) * scale
		c := int(position)
		if !(position >= 0 && position < gridCells) { // a tail, or no number
			c = g.cell(v)
			finite = finite && isFinite(v)
		}
		at[k] = start[c]
	}
	for k, v := range values {
		i, step := at[k], uint8(0)
		if edges[i] < v {
			step = 1
		}
		at[k] = i + step
	}
	for k, v := range values {
		for i := at[k]; edges[i] < v; {
			i++
			at[k] = i
		}
	}
	return finite
}

func isFinite(v float64) bool { return v-v == 0 }
