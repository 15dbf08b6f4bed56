package stat

// grid finds values among ascending knots without a search from the top: an even grid over the
// central 98 % of the reference tells between which few knots a value lies, and only tails or
// crowded cells are searched further.
type grid struct {
	low, scale float64
	cells      float64
	start      []uint32 // start[c] is the first knot of cell c or later; one more than cells
}

// newGrid lays four cells a knot between low and high.
func newGrid(knots []float64, low, high float64) grid {
	cells := 4 * len(knots)
	g := grid{low: low, cells: float64(cells), start: make([]uint32, cells+1)}
	if width := high - low; width > 0 && isFinite(width) {
		g.scale = float64(cells) / width
	}
	if !isFinite(g.scale) {
		g.scale = 0 // everything in the first and the last cell
	}
	next := 0
	for i, x := range knots {
		for c := g.cell(x); next <= c; next++ {
			g.start[next] = uint32(i)
		}
	}
	for ; next <= cells; next++ {
		g.start[next] = uint32(len(knots))
	}
	return g
}

// cell returns the cell of a finite v. It never decreases as v grows, rounding included, which is
// all that a search needs.
func (g *grid) cell(v float64) int {
	position := (v - g.low) * g.scale
	if position >= 0 && position < g.cells {
		return int(position)
	}
	if v < g.low {
		return 0
	}
	return len(g.start) - 2
}
