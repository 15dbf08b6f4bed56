package web

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/lineage"
)

// walk makes a walk over nodes numbered from 0.
func walk(nodes int, edges ...[2]int) lineage.Walk {
	ref := func(i int) lineage.Ref { return lineage.Ref{Kind: lineage.Run, ID: fmt.Sprint("node-", i)} }
	w := lineage.Walk{Start: lineage.Node{Ref: ref(0)}}
	for i := 1; i < nodes; i++ {
		w.Nodes = append(w.Nodes, lineage.Step{Node: lineage.Node{Ref: ref(i)}})
	}
	for _, e := range edges {
		w.Edges = append(w.Edges, lineage.Edge{From: ref(e[0]), To: ref(e[1]), Relation: lineage.Derived})
	}
	return w
}

// Whatever the lineage is like, no box lies over another, every edge is drawn once, and data flows on
// but where it goes in a circle.
func TestDrawing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		nodes := 1 + random.IntN(30)
		var edges [][2]int
		for range random.IntN(3 * nodes) {
			edges = append(edges, [2]int{random.IntN(nodes), random.IntN(nodes)})
		}
		w := walk(nodes, edges...)
		g := newGraph(w, w)
		d := draw(w, w, "both")
		if len(d.Boxes) != nodes || len(d.Lines) != len(g.edges) {
			t.Fatalf("round %d: %d boxes of %d nodes, %d lines of %d edges", round, len(d.Boxes), nodes, len(d.Lines), len(g.edges))
		}
		for i, a := range d.Boxes {
			if a.X < 0 || a.Y < 0 || a.X+a.Width > d.Width || a.Y+a.Height > d.Height {
				t.Fatalf("round %d: box %+v leaves %d x %d", round, a, d.Width, d.Height)
			}
			for _, b := range d.Boxes[:i] {
				if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
					t.Fatalf("round %d: %+v lies over %+v", round, a, b)
				}
			}
		}
		for _, e := range g.edges {
			if g.layer[e.from] >= g.layer[e.to] {
				t.Fatalf("round %d: data flows back from %d to %d", round, e.from, e.to)
			}
		}
	}
}

func TestDrawingOfACircle(t *testing.T) {
	t.Parallel()
	d := draw(walk(3, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 0}), lineage.Walk{}, "up")
	against := 0
	for _, l := range d.Lines {
		if l.Against {
			against++
			if l.Words != "node-2 became node-0" {
				t.Errorf("the edge that goes back says %q", l.Words)
			}
		}
	}
	if against != 1 {
		t.Errorf("%d edges go back, want 1", against)
	}
}

func TestDrawingShowsWhereItWasCut(t *testing.T) {
	t.Parallel()
	w := walk(3, [2]int{0, 1}, [2]int{1, 2})
	w.Nodes[0].Depth, w.Nodes[1].Depth = 1, 2
	for _, cut := range []string{"", lineage.CutDepth} {
		w.Cut = cut
		for i, b := range draw(lineage.Walk{Start: w.Start}, w, "down").Boxes {
			if b.Cut != (cut != "" && i == 2) {
				t.Errorf("cut %q: box %d says %v", cut, i, b.Cut)
			}
		}
	}
}

func TestDirectionOfDrawing(t *testing.T) {
	t.Parallel()
	var chain, fan [][2]int
	for i := range 9 {
		chain, fan = append(chain, [2]int{i, i + 1}), append(fan, [2]int{0, i + 1})
	}
	if d := draw(walk(10, chain...), lineage.Walk{}, "down"); d.Height < d.Width || !strings.Contains(d.Description, "downwards") {
		t.Errorf("a chain is drawn %d x %d: %s", d.Width, d.Height, d.Description)
	}
	if d := draw(walk(10, fan...), lineage.Walk{}, "down"); !strings.Contains(d.Description, "from left to right") || d.Width > 3*boxWidth {
		t.Errorf("a fan is drawn %d x %d: %s", d.Width, d.Height, d.Description)
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{{"", ""}, {"abcdefg", "abcdefg"}, {"abcdefgh", "abc…fgh"}, {"äöüäöüäöü", "äöü…äöü"}} {
		if got := fit(c.text, 7); got != c.want {
			t.Errorf("fit(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
