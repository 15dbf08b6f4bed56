package lineage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// direction is the way that a walk goes: the columns of its near and of its far end.
type direction struct{ near, far string }

var (
	up   = direction{near: "to_node", far: "from_node"}
	down = direction{near: "from_node", far: "to_node"}
)

// arc is an edge between places of a region.
type arc struct {
	from, to int
	relation Relation
}

// detail is what else is known of an edge.
type detail struct {
	said
	event uint64
}

// region is the part of the graph that a walk came over. A node has a place in it: that in which it
// was met.
type region struct {
	way   direction
	rows  []int64       // of the nodes, starts first
	place map[int64]int // by row
	depth []int
	by    []int // place in arcs of the edge by which the node was first met; -1 for starts
	arcs  []arc
	more  []detail // of each of arcs, if it was asked for
	cut   string
}

func newRegion(way direction, starts []int64) *region {
	r := &region{way: way, place: make(map[int64]int, 2*len(starts)+widest)}
	for _, row := range starts {
		r.meet(row, 0, -1)
	}
	return r
}

func (r *region) meet(row int64, depth, by int) {
	r.place[row] = len(r.rows)
	r.rows, r.depth, r.by = append(r.rows, row), append(r.depth, depth), append(r.by, by)
}

// explore walks from the starts, level by level, so that every node is met the shortest way and
// cycles end. It never keeps more than o.Limit nodes and edgesPerNode times as many edges, with what
// else is known of the edges if o.Facts.
func explore(tx *state.Tx, starts []int64, way direction, o Options) (*region, error) {
	r := newRegion(way, starts)
	most := edgesPerNode * o.Limit
	var found []neighbour
	for first, depth := 0, 1; first < len(r.rows); depth++ { // a level begins at first
		level := r.rows[first:]
		first = len(r.rows)
		for chunk := range slices.Chunk(level, widest) {
			var err error
			if found, err = neighbours(tx, found[:0], way, chunk, most-len(r.arcs)+1, o.Facts); err != nil {
				return nil, err
			}
			if depth > o.Depth {
				if len(found) > 0 {
					r.cut = CutDepth
					return r, nil
				}
				continue
			}
			for _, n := range found {
				if len(r.arcs) >= most {
					r.cut = CutSize
					return r, nil
				}
				if !r.add(n, depth, o) {
					r.cut = CutSize // edges between nodes that were met still count
				}
			}
		}
		if r.cut != "" {
			break
		}
	}
	return r, nil
}

// add takes in an edge from a node that was met. It returns false if its other end would be one node
// too many.
func (r *region) add(n neighbour, depth int, o Options) bool {
	far, met := r.place[n.far]
	if !met {
		if far = len(r.rows); far > o.Limit {
			return false
		}
		r.meet(n.far, depth, len(r.arcs))
	}
	a := arc{far, r.place[n.near], n.relation}
	if r.way == down {
		a.from, a.to = a.to, a.from
	}
	r.arcs = append(r.arcs, a)
	if o.Facts {
		r.more = append(r.more, n.detail)
	}
	return true
}

// path returns the places of the edges by which a node was met, in the direction of the data.
func (r *region) path(place int) []int {
	return r.trace(place, func(place int) int { return r.by[place] })
}

// trace follows the edges by which nodes were met, by their places, back to a start.
func (r *region) trace(place int, by func(place int) int) []int {
	var path []int
	for i := by(place); i >= 0; i = by(place) {
		path = append(path, i)
		if place = r.arcs[i].to; r.way == down {
			place = r.arcs[i].from
		}
	}
	if r.way == down {
		slices.Reverse(path)
	}
	return path
}

// neighbour is an edge as a query finds it.
type neighbour struct {
	near, far int64 // rows
	relation  Relation
	detail
}

// neighbours appends to found the edges of nodes, in the order of their rows. Without details the query runs
// over an index alone.
func neighbours(tx *state.Tx, found []neighbour, way direction, rows []int64, limit int, details bool) ([]neighbour, error) {
	var n neighbour
	var relation string
	var event int64
	key, more := way.near+", "+way.far+", relation", ""
	into := []any{&n.near, &n.far, &relation}
	if details {
		more = ", COALESCE(reason, ''), COALESCE(script, ''), event"
		into = append(into, &n.Reason, &n.Script, &event)
	}
	query, args := in("SELECT "+key+more+" FROM lineage_edges WHERE "+way.near+" IN (%s) ORDER BY "+key+" "+state.Limit, rows)
	result, err := tx.Query(query, append(args, int64(limit))...)
	if err != nil {
		return nil, err
	}
	for result.Next() {
		if err := result.Scan(into...); err != nil {
			return nil, err
		}
		n.relation, n.event = Relation(relation), uint64(event)
		found = append(found, n)
	}
	return found, result.Err()
}

// widest is the longest list of a query; shorter ones come in few lengths, so that the statements stay
// prepared.
const widest = 256

// in completes a query with a list of rows.
func in(query string, rows []int64) (string, []any) {
	n := 1
	for n < len(rows) {
		n *= 4
	}
	args := make([]any, n, n+8)
	for i := range args {
		args[i] = rows[min(i, len(rows)-1)]
	}
	return fmt.Sprintf(query, strings.Repeat("?, ", n-1)+"?"), args
}
