package web

import (
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick/internal/lineage"
)

// drawing is a picture of a lineage, in pixels.
type drawing struct {
	Width, Height int
	Title         string
	Description   string
	Boxes         []drawnBox
	Lines         []drawnLine
}

// drawnBox is a node.
type drawnBox struct {
	X, Y, Width, Height int
	Kind                string
	Label, Whole        string // cut to the box, and not
	Href                string
	Start               bool
	Cut                 bool // there may be more beyond it, which the walk left out
}

// drawnLine is an edge.
type drawnLine struct {
	Path    string // data of an SVG path
	Words   string
	Against bool // data flows from the right to the left
}

const (
	boxWidth   = 188
	boxHeight  = 46
	besideGap  = 14 // between the boxes of a layer
	bendSize   = 8
	margin     = 12
	labelRunes = 25 // that fit a box

	// A picture of more layers than fit beside each other is drawn downwards, unless a layer then
	// does not fit.
	mostBeside = 4
	mostAcross = 6
)

// layout says how layers lie: from the left to the right, or downwards.
type layout struct {
	downwards     bool
	step          int // from one layer to the next
	along, across int // size of a box in the direction of the data and at right angles to it
}

func (g *graph) layout() layout {
	widest := 0
	for _, layer := range g.layers {
		boxes := 0
		for _, place := range layer {
			if place < len(g.nodes) {
				boxes++
			}
		}
		widest = max(widest, boxes)
	}
	if len(g.layers) > mostBeside && widest <= mostAcross {
		return layout{downwards: true, step: boxHeight + 44, along: boxHeight, across: boxWidth}
	}
	return layout{step: boxWidth + 64, along: boxWidth, across: boxHeight}
}

// at turns a place along and across the data into pixels.
func (l layout) at(along, across int) (x, y int) {
	if l.downwards {
		return across, along
	}
	return along, across
}

// draw returns the picture of what lies up and down from one node.
func draw(up, down lineage.Walk, way string) *drawing {
	g := newGraph(up, down)
	l := g.layout()
	across := g.spread(l)
	cut := furthest(up, down)
	d := &drawing{}
	for n, node := range g.nodes {
		whole := nameOf(node)
		b := drawnBox{
			Width: boxWidth, Height: boxHeight, Kind: string(node.Ref.Kind), Whole: whole, Label: fit(whole, labelRunes),
			Href: lineageOf(node.Ref), Start: n == 0, Cut: cut[node.Ref],
		}
		b.X, b.Y = l.at(margin+g.layer[n]*l.step, across[n])
		d.Width, d.Height = max(d.Width, b.X+boxWidth+margin), max(d.Height, b.Y+boxHeight+margin)
		d.Boxes = append(d.Boxes, b)
	}
	for i, e := range g.edges {
		from, to := g.nodes[e.from], g.nodes[e.to]
		if e.against {
			from, to = to, from
		}
		d.Lines = append(d.Lines, drawnLine{
			Path: g.path(i, l, across), Words: from.Ref.ID + " " + verb(e.relation) + " " + to.Ref.ID, Against: e.against,
		})
		for _, bend := range g.bends[i] {
			x, y := l.at(margin+g.layer[bend]*l.step, across[bend])
			d.Width, d.Height = max(d.Width, x+bendSize+margin), max(d.Height, y+bendSize+margin)
		}
	}
	directions := map[string]string{"up": "what it was made from", "down": "what was made from it", everythingWay: "what it was made from and what was made from it"}
	flows := map[bool]string{true: "downwards", false: "from left to right"}
	d.Title = "Lineage of " + nameOf(g.nodes[0])
	d.Description = fmt.Sprintf("%s and %s: %s. Data flows %s. The list says the same.",
		plural(len(g.nodes), "node"), plural(len(g.edges), "edge"), directions[way], flows[l.downwards])
	return d
}

// furthest returns the nodes at the end of walks that were cut.
func furthest(walks ...lineage.Walk) map[lineage.Ref]bool {
	ends := map[lineage.Ref]bool{}
	for _, w := range walks {
		deepest := 0
		for _, n := range w.Nodes {
			deepest = max(deepest, n.Depth)
		}
		for _, n := range w.Nodes {
			if w.Cut != "" && n.Depth == deepest {
				ends[n.Ref] = true
			}
		}
	}
	return ends
}

// size returns how much room a place needs across.
func (g *graph) size(place int, l layout) int {
	if place < len(g.nodes) {
		return l.across
	}
	return bendSize
}

// spread returns where each place begins, in pixels across. Layers stay in their order and each place
// goes as near to its neighbours as the room allows.
func (g *graph) spread(l layout) []int {
	middle := make([]float64, len(g.layer))
	for _, layer := range g.layers {
		next := 0.0
		for _, p := range layer {
			size := float64(g.size(p, l))
			middle[p] = next + size/2
			next += size + besideGap
		}
	}
	for sweep := range sweeps {
		beside := g.left
		if sweep%2 == 1 {
			beside = g.right
		}
		for i := range g.layers {
			layer := g.layers[i]
			if sweep%2 == 1 {
				layer = g.layers[len(g.layers)-1-i]
			}
			g.settle(layer, l, middle, beside)
		}
	}
	first := math.Inf(1)
	for p, m := range middle {
		first = min(first, m-float64(g.size(p, l))/2)
	}
	across := make([]int, len(middle))
	for p, m := range middle {
		across[p] = margin + int(m-float64(g.size(p, l))/2-first)
	}
	return across
}

// settle moves the places of one layer towards their neighbours: none over the one before it, and then
// all back by the mean of what they were pushed.
func (g *graph) settle(layer []int, l layout, middle []float64, beside [][]int) {
	pushed, next := 0.0, 0.0
	for i, p := range layer {
		half := float64(g.size(p, l)) / 2
		want := mean(middle, beside[p], middle[p])
		middle[p] = want
		if i > 0 && want-half < next {
			middle[p] = next + half
		}
		pushed += middle[p] - want
		next = middle[p] + half + besideGap
	}
	for _, p := range layer {
		middle[p] -= pushed / float64(len(layer))
	}
}

// path returns the line of an edge through its bends.
func (g *graph) path(edge int, l layout, across []int) string {
	e := g.edges[edge]
	var b strings.Builder
	write := func(command string, points ...[2]int) {
		b.WriteString(command)
		for i, p := range points {
			x, y := l.at(p[0], p[1])
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%d %d", x, y)
		}
	}
	begin := func(p int) int { return margin + g.layer[p]*l.step }
	line := func(p int) int { return across[p] + g.size(p, l)/2 }
	along, at := begin(e.from)+l.along, line(e.from)
	write("M", [2]int{along, at})
	to := func(p int) {
		half := (along + begin(p)) / 2
		write("C", [2]int{half, at}, [2]int{half, line(p)}, [2]int{begin(p), line(p)})
		along, at = begin(p), line(p)
	}
	for _, bend := range g.bends[edge] {
		to(bend)
		along += l.along
		write("L", [2]int{along, at})
	}
	to(e.to)
	return b.String()
}

// fit cuts a text in its middle, since names differ at both ends.
func fit(text string, runes int) string {
	all := []rune(text)
	if len(all) <= runes {
		return text
	}
	head := (runes - 1) / 2
	return string(all[:head]) + "…" + string(all[len(all)-(runes-1-head):])
}
