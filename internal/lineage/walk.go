package lineage

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Options bound a walk.
type Options struct {
	Depth int    // edges away from the start; 0 means 20, at most 100
	Limit int    // nodes walked over; 0 means 1,000, with kinds 10,000, which is the most
	Kinds []Kind // of the nodes that are returned, all if empty; the walk goes over all
	Paths bool   // each node comes with the shortest way to it
	Facts bool   // nodes come with their facts, edges with reason and script
}

const (
	defaultDepth = 20
	maxDepth     = 100
	defaultLimit = 1_000
	maxLimit     = 10_000
	edgesPerNode = 5 // that a walk keeps: five times its limit in all
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
		r, err := explore(tx, []int64{first.id}, way, o.Depth, o.Limit)
		if err != nil {
			return err
		}
		w, err = r.describe(tx, first.id, o)
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

// direction is the way that a walk goes.
type direction struct{ query string }

// Both queries run over an index alone. The list is completed with the number of placeholders.
var (
	up   = direction{"SELECT from_node, to_node, relation FROM lineage_edges WHERE to_node IN (%s) ORDER BY to_node, from_node, relation LIMIT ?"}
	down = direction{"SELECT from_node, to_node, relation FROM lineage_edges WHERE from_node IN (%s) ORDER BY from_node, to_node, relation LIMIT ?"}
)

// arc is an edge between rows.
type arc struct {
	from, to int64
	relation Relation
}

// region is the part of the graph that a walk came over.
type region struct {
	way   direction
	order []int64       // nodes in the order in which they were met, starts first
	depth map[int64]int // of each node
	by    map[int64]arc // by which each node was first met; not for starts
	arcs  []arc
	cut   string
}

// explore walks from the starts, level by level, so that every node is met the shortest way and
// cycles end. It never keeps more than limit nodes and edgesPerNode times as many edges.
func explore(tx *state.Tx, starts []int64, way direction, depth, limit int) (*region, error) {
	r := &region{way: way, depth: map[int64]int{}, by: map[int64]arc{}}
	for _, id := range starts {
		r.depth[id] = 0
		r.order = append(r.order, id)
	}
	level := slices.Clone(starts)
	for d := 1; len(level) > 0; d++ {
		next := []int64(nil)
		for chunk := range slices.Chunk(level, widest) {
			arcs, err := neighbours(tx, way, chunk, edgesPerNode*limit-len(r.arcs)+1)
			if err != nil {
				return nil, err
			}
			if d > depth {
				if len(arcs) > 0 {
					r.cut = CutDepth
					return r, nil
				}
				continue
			}
			for _, a := range arcs {
				if len(r.arcs) >= edgesPerNode*limit {
					r.cut = CutSize
					return r, nil
				}
				id := a.from
				if way == down {
					id = a.to
				}
				if _, met := r.depth[id]; !met {
					if len(r.order) > limit {
						r.cut = CutSize
						continue // edges between nodes that were met still count
					}
					r.depth[id], r.by[id] = d, a
					r.order = append(r.order, id)
					next = append(next, id)
				}
				r.arcs = append(r.arcs, a)
			}
		}
		if r.cut != "" {
			break
		}
		level = next
	}
	return r, nil
}

// widest is the longest list of a query; shorter ones come in few lengths, so that the statements stay
// prepared.
const widest = 256

// in completes a query with a list of ids.
func in(query string, ids []int64) (string, []any) {
	n := 1
	for n < len(ids) {
		n *= 4
	}
	args := make([]any, n, n+1)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return fmt.Sprintf(query, strings.Repeat("?, ", n-1)+"?"), args
}

func neighbours(tx *state.Tx, way direction, ids []int64, limit int) ([]arc, error) {
	query, args := in(way.query, ids)
	rows, err := tx.Query(query, append(args, int64(limit))...)
	if err != nil {
		return nil, err
	}
	var arcs []arc
	for rows.Next() {
		var a arc
		if err := rows.Scan(&a.from, &a.to, &a.relation); err != nil {
			return nil, err
		}
		arcs = append(arcs, a)
	}
	return arcs, rows.Err()
}

// path returns the way by which a node was met, in the direction of the data.
func (r *region) path(id int64) []arc {
	var path []arc
	for {
		a, ok := r.by[id]
		if !ok {
			break
		}
		path = append(path, a)
		if id = a.to; r.way == down {
			id = a.from
		}
	}
	if r.way == down {
		slices.Reverse(path)
	}
	return path
}

// describe reads what the nodes and edges of the region are.
func (r *region) describe(tx *state.Tx, start int64, o Options) (Walk, error) {
	nodes, err := readNodes(tx, r.order, o)
	if err != nil {
		return Walk{}, err
	}
	if len(o.Kinds) > 0 {
		others := []int64{start}
		if o.Paths {
			for id := range nodes {
				others = append(others, ends(r.path(id))...)
			}
		}
		slices.Sort(others)
		more, err := readNodes(tx, slices.Compact(others), Options{Facts: o.Facts})
		if err != nil {
			return Walk{}, err
		}
		maps.Copy(nodes, more)
	}
	w := Walk{Start: nodes[start], Cut: r.cut, Nodes: []Step{}, Edges: []Edge{}}
	for _, id := range r.order {
		n, read := nodes[id]
		if id == start || !read || len(o.Kinds) > 0 && !slices.Contains(o.Kinds, n.Ref.Kind) {
			continue
		}
		s := Step{Node: n, Depth: r.depth[id]}
		if o.Paths {
			if s.Path, err = edges(tx, nodes, r.path(id), o.Facts); err != nil {
				return Walk{}, err
			}
		}
		w.Nodes = append(w.Nodes, s)
	}
	if len(o.Kinds) == 0 {
		w.Edges, err = edges(tx, nodes, r.arcs, o.Facts)
	}
	return w, err
}

// edges names the ends of arcs, and reads what else is known of them if details are asked for.
func edges(tx *state.Tx, nodes map[int64]Node, arcs []arc, details bool) ([]Edge, error) {
	list := make([]Edge, 0, len(arcs))
	for _, a := range arcs {
		e := Edge{From: nodes[a.from].Ref, To: nodes[a.to].Ref, Relation: a.relation}
		if details {
			var reason, script sql.NullString
			err := tx.QueryRow("SELECT reason, script, event FROM lineage_edges WHERE from_node = ? AND to_node = ? AND relation = ?", a.from, a.to, string(a.relation)).
				Scan(&reason, &script, &e.Event)
			if err != nil {
				return nil, fmt.Errorf("read edge %s: %w", e, err)
			}
			e.Reason, e.Script = reason.String, script.String
		}
		list = append(list, e)
	}
	return list, nil
}

// readNodes returns nodes by their row: those of the kinds in o, with the facts if o says so.
func readNodes(tx *state.Tx, ids []int64, o Options) (map[int64]Node, error) {
	nodes := make(map[int64]Node, len(ids))
	what, which := "NULL", ""
	if o.Facts {
		what = "facts"
	}
	if len(o.Kinds) > 0 {
		which = " AND kind IN (" + strings.Repeat("?, ", len(o.Kinds)-1) + "?)"
	}
	for chunk := range slices.Chunk(ids, widest) {
		query, args := in("SELECT id, kind, name, model, digest, label, event, "+what+" FROM lineage_nodes WHERE id IN (%s)"+which, chunk)
		for _, kind := range o.Kinds {
			args = append(args, string(kind))
		}
		rows, err := tx.Query(query, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id int64
			n, err := scanNode(rows, &id)
			if err != nil {
				return nil, err
			}
			nodes[id] = n
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// scanNode reads the columns id, kind, name, model, digest, label, event, facts.
func scanNode(row interface{ Scan(...any) error }, id *int64) (Node, error) {
	var n Node
	var model, digest, label, known sql.NullString
	if err := row.Scan(id, &n.Ref.Kind, &n.Ref.ID, &model, &digest, &label, &n.Event, &known); err != nil {
		return Node{}, err
	}
	n.Model, n.Digest, n.Label = model.String, tallystick.Digest(digest.String), label.String
	f, err := parseFacts(known.String)
	if err != nil {
		return Node{}, fmt.Errorf("node %s: %w", n.Ref, err)
	}
	n.Facts = f.values()
	return n, nil
}
