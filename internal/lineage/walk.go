package lineage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Options bound a walk.
type Options struct {
	Depth int    // edges away from the start; 0 means 20, at most 100
	Limit int    // nodes walked over; 0 means 1,000, at most 3,000; with kinds 10,000, which is the most
	Kinds []Kind // of the nodes that are returned, all if empty; the walk goes over all
	Paths bool   // each node comes with the shortest way to it
	Facts bool   // nodes come with their facts, edges with reason and script
}

const (
	defaultDepth = 20
	maxDepth     = 100
	defaultLimit = 1_000
	maxLimit     = 10_000 // where kinds choose what is told
	maxWhole     = 3_000  // where all is told: what takes a tenth of a second, and nobody reads more
	edgesPerNode = 5      // that a walk keeps: five times its limit in all
)

// Why a walk was cut.
const (
	CutDepth = "depth" // there is more beyond the depth
	CutSize  = "size"  // there were more nodes or edges than the limit
)

func (o Options) withDefaults() Options {
	if o.Depth <= 0 {
		o.Depth = defaultDepth
	}
	if o.Limit <= 0 {
		o.Limit = defaultLimit
		if len(o.Kinds) > 0 {
			o.Limit = maxLimit
		}
	}
	o.Depth, o.Limit = min(o.Depth, maxDepth), min(o.Limit, maxLimit)
	if len(o.Kinds) == 0 {
		o.Limit = min(o.Limit, maxWhole)
	}
	return o
}

// Walk is what lies up or down from a node.
type Walk struct {
	Start Node   `json:"start"`
	Nodes []Step `json:"nodes" doc:"the nearest first, without the start"`
	Edges []Edge `json:"edges" doc:"between the nodes and the start; none if kinds were chosen"`
	Cut   string `json:"cut,omitempty" enum:"depth,size" doc:"why this is not all: the depth or the size was bounded"`
}

// Step is a node that a walk came to.
type Step struct {
	Node
	Depth int    `json:"depth" doc:"edges between it and the start, the shortest way"`
	Path  []Edge `json:"path,omitempty" doc:"the shortest way, in the direction of the data"`
}

// Up returns what the node was made from: sources, code and runs. A node that is not known is a
// NotFound error.
func (g *Graph) Up(ctx context.Context, start Ref, o Options) (Walk, error) {
	return g.walk(ctx, start, up, o)
}

// Down returns what was made from the node: versions, deployments and predictions.
func (g *Graph) Down(ctx context.Context, start Ref, o Options) (Walk, error) {
	return g.walk(ctx, start, down, o)
}

func (g *Graph) walk(ctx context.Context, start Ref, way direction, o Options) (w Walk, err error) {
	o = o.withDefaults()
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		first, err := mustRead(tx, start)
		if err != nil {
			return err
		}
		r, err := explore(tx, []int64{first.id}, way, o)
		if err != nil {
			return err
		}
		w, err = r.describe(tx, o)
		return err
	})
	if err != nil {
		return Walk{}, fmt.Errorf("lineage of %s: %w", start, err)
	}
	return w, nil
}

// mustRead returns a NotFound error for a node that is not known.
func mustRead(tx *state.Tx, ref Ref) (*storedNode, error) {
	if err := ref.Validate(); err != nil {
		return nil, err
	}
	n, err := readNode(tx, ref)
	if err == nil && n == nil {
		return nil, unknown(tx, ref)
	}
	return n, err
}

// unknown is the error of a node that is not known. It names those that sort next to it.
func unknown(tx *state.Tx, ref Ref) error {
	var near []string
	for _, query := range []string{
		"SELECT name FROM lineage_nodes WHERE kind = ? AND name < ? ORDER BY name DESC LIMIT 1",
		"SELECT name FROM lineage_nodes WHERE kind = ? AND name > ? ORDER BY name LIMIT 2",
	} {
		rows, err := tx.Query(query, string(ref.Kind), ref.ID)
		if err != nil {
			return err
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			near = append(near, Ref{ref.Kind, name}.String())
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	e := tallystick.Errorf(tallystick.NotFound, "the lineage knows no %s", ref)
	if len(near) == 0 {
		return e.WithHint("it knows nothing of the kind %s yet", ref.Kind)
	}
	return e.WithHint("next to it are %s", strings.Join(near, ", "))
}

// describe reads what the nodes of the region are, and names the ends of its edges.
func (r *region) describe(tx *state.Tx, o Options) (Walk, error) {
	nodes, err := readNodes(tx, r.rows, o)
	if err != nil {
		return Walk{}, err
	}
	chosen := func(place int) bool {
		return place > 0 && (len(o.Kinds) == 0 || slices.Contains(o.Kinds, nodes[place].Ref.Kind))
	}
	if len(o.Kinds) > 0 {
		if err := r.readOthers(tx, nodes, chosen, o); err != nil {
			return Walk{}, err
		}
	}
	w := Walk{Start: nodes[0], Cut: r.cut, Nodes: []Step{}, Edges: []Edge{}}
	for place, n := range nodes {
		if !chosen(place) {
			continue
		}
		s := Step{Node: n, Depth: r.depth[place]}
		if o.Paths {
			s.Path = r.edges(nodes, r.path(place))
		}
		w.Nodes = append(w.Nodes, s)
	}
	if len(o.Kinds) == 0 {
		w.Edges = make([]Edge, len(r.arcs))
		for i := range r.arcs {
			w.Edges[i] = r.edge(nodes, i)
		}
	}
	return w, nil
}

// readOthers adds to the nodes of the chosen kinds the start, and those on the ways to them.
func (r *region) readOthers(tx *state.Tx, nodes []Node, chosen func(place int) bool, o Options) error {
	wanted := make([]bool, len(nodes))
	wanted[0] = true
	for place := range nodes {
		if !o.Paths || !chosen(place) {
			continue
		}
		r.mark(wanted, r.path(place))
	}
	return r.read(tx, nodes, wanted, o)
}

// read reads the nodes at the wanted places.
func (r *region) read(tx *state.Tx, nodes []Node, wanted []bool, o Options) error {
	var rows []int64
	var places []int
	for place, want := range wanted {
		if want {
			rows, places = append(rows, r.rows[place]), append(places, place)
		}
	}
	found, err := readNodes(tx, rows, Options{Facts: o.Facts})
	for i, n := range found {
		nodes[places[i]] = n
	}
	return err
}

// mark marks the places that lie on a path.
func (r *region) mark(wanted []bool, path []int) {
	for _, i := range path {
		wanted[r.arcs[i].from], wanted[r.arcs[i].to] = true, true
	}
}

// edge returns an edge by its place.
func (r *region) edge(nodes []Node, i int) Edge {
	a := r.arcs[i]
	e := Edge{From: nodes[a.from].Ref, To: nodes[a.to].Ref, Relation: a.relation}
	if r.more != nil {
		e.Reason, e.Script, e.Event = r.more[i].Reason, r.more[i].Script, r.more[i].event
	}
	return e
}

func (r *region) edges(nodes []Node, path []int) []Edge {
	list := make([]Edge, len(path))
	for i, place := range path {
		list[i] = r.edge(nodes, place)
	}
	return list
}

// readNodes returns nodes in the order of their rows: those of the kinds in o, with the facts if o says
// so. The others are zero.
func readNodes(tx *state.Tx, rows []int64, o Options) ([]Node, error) {
	// Neighbours in the table are read one after the other.
	places := make([]int, len(rows))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })
	which := ""
	if len(o.Kinds) > 0 {
		which = " AND kind IN (" + strings.Repeat("?, ", len(o.Kinds)-1) + "?)"
	}
	nodes, sorted := make([]Node, len(rows)), make([]int64, 0, widest)
	scan := newNodeScan(o.Facts)
	for chunk := range slices.Chunk(places, widest) {
		sorted = sorted[:0]
		for _, place := range chunk {
			sorted = append(sorted, rows[place])
		}
		query, args := in("SELECT "+scan.columns+" FROM lineage_nodes WHERE id IN (%s)"+which+" ORDER BY id", sorted)
		for _, kind := range o.Kinds {
			args = append(args, string(kind))
		}
		result, err := tx.Query(query, args...)
		if err != nil {
			return nil, err
		}
		for result.Next() {
			n, err := scan.node(result)
			if err != nil {
				return nil, err
			}
			i, found := slices.BinarySearch(sorted, scan.id)
			if found {
				nodes[chunk[i]] = n
			}
		}
		if err := result.Err(); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// nodeScan reads nodes from rows.
type nodeScan struct {
	columns                                 string // that it reads
	into                                    []any
	id, event                               int64
	kind, name, model, digest, label, facts string
}

func newNodeScan(withFacts bool) *nodeScan {
	s := &nodeScan{columns: "id, kind, name, COALESCE(model, ''), COALESCE(digest, ''), COALESCE(label, ''), event"}
	s.into = []any{&s.id, &s.kind, &s.name, &s.model, &s.digest, &s.label, &s.event}
	if withFacts {
		s.columns += ", COALESCE(facts, '')"
		s.into = append(s.into, &s.facts)
	}
	return s
}

func (s *nodeScan) node(row interface{ Scan(...any) error }) (Node, error) {
	if err := row.Scan(s.into...); err != nil {
		return Node{}, err
	}
	n := Node{Ref: Ref{Kind(s.kind), s.name}, Label: s.label, Digest: tallystick.Digest(s.digest), Model: s.model, Event: uint64(s.event)}
	var err error
	if n.Facts, err = shown(s.facts); err != nil {
		return Node{}, fmt.Errorf("node %s: %w", n.Ref, err)
	}
	return n, nil
}
