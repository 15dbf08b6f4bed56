package web

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/internal/lineage"
)

// graph is a part of the lineage on its way to a picture: nodes in layers, data flowing from the left
// to the right. What it was given bounds it.
type graph struct {
	nodes  []lineage.Node
	edges  []flow
	layers [][]int // places, from the left; those beyond len(nodes) are bends of long edges
	layer  []int   // of each place
	bends  [][]int // of each edge, the places between its ends
	left   [][]int // neighbours of each place in the layer before
	right  [][]int // and in the layer after
}

// flow is an edge between places. Data may flow against the picture where the lineage has a cycle.
type flow struct {
	from, to int
	relation lineage.Relation
	against  bool
}

// newGraph joins walks from one start.
func newGraph(walks ...lineage.Walk) *graph {
	g := &graph{}
	place := map[lineage.Ref]int{}
	put := func(n lineage.Node) {
		if _, known := place[n.Ref]; !known && n.Ref.ID != "" {
			place[n.Ref] = len(g.nodes)
			g.nodes = append(g.nodes, n)
		}
	}
	for _, w := range walks {
		put(w.Start)
		for _, n := range w.Nodes {
			put(n.Node)
		}
	}
	seen := map[flow]bool{}
	for _, w := range walks {
		for _, e := range w.Edges {
			from, known := place[e.From]
			to, too := place[e.To]
			f := flow{from: from, to: to, relation: e.Relation}
			if known && too && from != to && !seen[f] {
				seen[f] = true
				g.edges = append(g.edges, f)
			}
		}
	}
	g.breakCycles()
	g.assignLayers()
	g.bend()
	g.order()
	return g
}

// breakCycles turns the edges that close a cycle around, for the picture alone.
func (g *graph) breakCycles() {
	out := make([][]int, len(g.nodes))
	for i, e := range g.edges {
		out[e.from] = append(out[e.from], i)
	}
	const unseen, open, done = 0, 1, 2
	state := make([]int, len(g.nodes))
	var visit func(int)
	visit = func(n int) {
		state[n] = open
		for _, i := range out[n] {
			switch state[g.edges[i].to] {
			case unseen:
				visit(g.edges[i].to)
			case open:
				e := &g.edges[i]
				e.from, e.to, e.against = e.to, e.from, true
			}
		}
		state[n] = done
	}
	for n := range g.nodes {
		if state[n] == unseen {
			visit(n)
		}
	}
}

// assignLayers puts each node to the right of all that it was made from, and what nothing leads to as
// far to the right as what it leads to allows.
func (g *graph) assignLayers() {
	g.layer = make([]int, len(g.nodes))
	in := make([]int, len(g.nodes))
	out := make([][]int, len(g.nodes))
	for _, e := range g.edges {
		in[e.to]++
		out[e.from] = append(out[e.from], e.to)
	}
	roots := []int{}
	for n, count := range in {
		if count == 0 {
			roots = append(roots, n)
		}
	}
	queue, waiting := slices.Clone(roots), slices.Clone(in)
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, to := range out[n] {
			g.layer[to] = max(g.layer[to], g.layer[n]+1)
			if waiting[to]--; waiting[to] == 0 {
				queue = append(queue, to)
			}
		}
	}
	for _, n := range roots {
		nearest := -1
		for _, to := range out[n] {
			if nearest < 0 || g.layer[to] < nearest {
				nearest = g.layer[to]
			}
		}
		g.layer[n] = max(nearest-1, 0)
	}
}

// bend puts a place into every layer that an edge passes.
func (g *graph) bend() {
	deepest := 0
	for _, l := range g.layer {
		deepest = max(deepest, l)
	}
	g.layers = make([][]int, deepest+1)
	for n, l := range g.layer {
		g.layers[l] = append(g.layers[l], n)
	}
	g.bends = make([][]int, len(g.edges))
	g.left, g.right = make([][]int, len(g.nodes)), make([][]int, len(g.nodes))
	join := func(a, b int) { g.right[a], g.left[b] = append(g.right[a], b), append(g.left[b], a) }
	for i, e := range g.edges {
		last := e.from
		for l := g.layer[e.from] + 1; l < g.layer[e.to]; l++ {
			place := len(g.layer)
			g.layer = append(g.layer, l)
			g.left, g.right = append(g.left, nil), append(g.right, nil)
			g.layers[l] = append(g.layers[l], place)
			g.bends[i] = append(g.bends[i], place)
			join(last, place)
			last = place
		}
		join(last, e.to)
	}
}

const sweeps = 8

// order sorts each layer by where its neighbours are, forth and back, so that few edges cross
// (Sugiyama, Tagawa and Toda 1981).
func (g *graph) order() {
	rank := make([]float64, len(g.layer))
	settle := func(layer []int) {
		for i, place := range layer {
			rank[place] = float64(i)
		}
	}
	for _, layer := range g.layers {
		settle(layer)
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
			want := make(map[int]float64, len(layer))
			for _, place := range layer {
				want[place] = mean(rank, beside[place], rank[place])
			}
			slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(want[a], want[b]) })
			settle(layer)
		}
	}
}

// mean returns that of the values of places, or otherwise if there are none.
func mean(values []float64, places []int, otherwise float64) float64 {
	if len(places) == 0 {
		return otherwise
	}
	sum := 0.0
	for _, p := range places {
		sum += values[p]
	}
	return sum / float64(len(places))
}
