package lineage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Fed returns what a version of a model was made from: "what fed credit@3".
func (g *Graph) Fed(ctx context.Context, model, version string, o Options) (Walk, error) {
	return g.Up(ctx, VersionRef(model, version), o)
}

// Users returns the versions and deployments that came from a node, each with the way to it: "which
// models and deployments used this snapshot".
func (g *Graph) Users(ctx context.Context, node Ref, o Options) (Walk, error) {
	o.Kinds, o.Paths = []Kind{Version, Deployment}, true
	return g.Down(ctx, node, o)
}

// Path returns the shortest way that data took from one node to another, or a NotFound error, which
// says so if the search was cut.
func (g *Graph) Path(ctx context.Context, from, to Ref) (path []Edge, err error) {
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		first, err := mustRead(tx, from)
		if err != nil {
			return err
		}
		last, err := mustRead(tx, to)
		if err != nil {
			return err
		}
		// What is upstream of a node is mostly less than what is downstream.
		r, err := explore(tx, []int64{last.id}, up, maxDepth, maxLimit)
		if err != nil {
			return err
		}
		if _, met := r.depth[first.id]; !met {
			e := tallystick.Errorf(tallystick.NotFound, "no data went from %s to %s", from, to)
			if r.cut != "" {
				e = tallystick.Errorf(tallystick.NotFound, "no way from %s to %s was found within %d edges and %d nodes", from, to, maxDepth, maxLimit).
					WithHint("ask for a part of the way")
			}
			return e
		}
		arcs := r.path(first.id)
		nodes, err := readNodes(tx, ends(arcs), Options{})
		if err == nil {
			path, err = edges(tx, nodes, arcs, true)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lineage: %w", err)
	}
	return path, nil
}

func ends(arcs []arc) []int64 {
	ids := make([]int64, 0, 2*len(arcs))
	for _, a := range arcs {
		ids = append(ids, a.from, a.to)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Applied is a rule of use that holds for a node.
type Applied struct {
	Rule Rule   `json:"rule"`
	Path []Edge `json:"path,omitempty" doc:"the shortest way from the node that the rule is about; none if it is this one"`
}

// Use is a node with the rules that hold for it.
type Use struct {
	Node  Node      `json:"node"`
	Path  []Edge    `json:"path,omitempty" doc:"the shortest way from the node that was asked about"`
	Rules []Applied `json:"rules" doc:"the nearest first"`
	Cut   string    `json:"cut,omitempty" enum:"depth,size" doc:"why there may be more rules"`
}

// Against returns the rules that forbid a purpose. That there are none says that nothing forbids
// it, as far as the lineage is known and Cut is empty.
func (u Use) Against(purpose string) []Applied {
	var against []Applied
	for _, a := range u.Rules {
		if !a.Rule.Permits(purpose) {
			against = append(against, a)
		}
	}
	return against
}

// Rules returns the rules that hold for a node: its own, and those of all that it was made from.
func (g *Graph) Rules(ctx context.Context, node Ref) (use Use, err error) {
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		n, err := mustRead(tx, node)
		if err != nil {
			return err
		}
		uses, err := rulesOf(tx, []int64{n.id})
		if err == nil {
			use = uses[0]
		}
		return err
	})
	if err != nil {
		return Use{}, fmt.Errorf("rules of %s: %w", node, err)
	}
	return use, nil
}

// maxUses bounds the nodes for which rules are looked up at once.
const maxUses = 500

// Features returns the features that were made from a node, such as a column, each with the way to it
// and the rules that hold for it. cut says why there may be more.
func (g *Graph) Features(ctx context.Context, node Ref) (features []Use, cut string, err error) {
	return g.Uses(ctx, node, Feature)
}

// Uses does the same for nodes of another kind, such as the versions that a column went into.
func (g *Graph) Uses(ctx context.Context, node Ref, kind Kind) (uses []Use, cut string, err error) {
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		n, err := mustRead(tx, node)
		if err != nil {
			return err
		}
		r, err := explore(tx, []int64{n.id}, down, maxDepth, maxLimit)
		if err != nil {
			return err
		}
		cut = r.cut
		nodes, err := readNodes(tx, r.order, Options{})
		if err != nil {
			return err
		}
		var found []int64
		for _, id := range r.order[1:] {
			if nodes[id].Ref.Kind != kind {
				continue
			}
			if len(found) == maxUses {
				cut = CutSize
				break
			}
			found = append(found, id)
		}
		if len(found) == 0 {
			return nil
		}
		if uses, err = rulesOf(tx, found); err != nil {
			return err
		}
		for i, id := range found {
			if uses[i].Path, err = edges(tx, nodes, r.path(id), false); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("uses of %s: %w", node, err)
	}
	return uses, cut, nil
}

// rulesOf returns the nodes, in their order, with the rules that hold for each. The graph above all
// of them is read once.
func rulesOf(tx *state.Tx, ids []int64) ([]Use, error) {
	r, err := explore(tx, ids, up, maxDepth, maxLimit)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(tx, r.order)
	if err != nil {
		return nil, err
	}
	above := make(map[int64][]arc, len(r.order)) // by where they lead to
	for _, a := range r.arcs {
		above[a.to] = append(above[a.to], a)
	}
	wanted := map[int64]bool{}
	found := make([]*region, len(ids))
	for i, id := range ids {
		found[i] = climb(above, id)
		for _, met := range found[i].order {
			if rules[met] == nil {
				continue
			}
			for _, end := range append(ends(found[i].path(met)), met) {
				wanted[end] = true
			}
		}
		wanted[id] = true
	}
	nodes, err := readNodes(tx, keys(wanted), Options{})
	if err != nil {
		return nil, err
	}
	uses := make([]Use, len(ids))
	for i, id := range ids {
		uses[i] = Use{Node: nodes[id], Rules: []Applied{}, Cut: r.cut}
		for _, met := range found[i].order {
			rule := rules[met]
			if rule == nil {
				continue
			}
			rule.Node = nodes[met].Ref
			path, err := edges(tx, nodes, found[i].path(met), false)
			if err != nil {
				return nil, err
			}
			uses[i].Rules = append(uses[i].Rules, Applied{*rule, path})
		}
	}
	return uses, nil
}

// climb walks up from one node over arcs in memory.
func climb(above map[int64][]arc, start int64) *region {
	r := &region{way: up, order: []int64{start}, depth: map[int64]int{start: 0}, by: map[int64]arc{}}
	for i := 0; i < len(r.order); i++ {
		for _, a := range above[r.order[i]] {
			if _, met := r.depth[a.from]; !met {
				r.depth[a.from], r.by[a.from] = r.depth[r.order[i]]+1, a
				r.order = append(r.order, a.from)
			}
		}
	}
	return r
}

func keys(set map[int64]bool) []int64 {
	ids := make([]int64, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// readRules returns the rules of nodes, without the name of the node.
func readRules(tx *state.Tx, ids []int64) (map[int64]*Rule, error) {
	rules := map[int64]*Rule{}
	for chunk := range slices.Chunk(ids, widest) {
		query, args := in("SELECT node, allowed, forbidden, basis, reason, event FROM lineage_rules WHERE node IN (%s)", chunk)
		rows, err := tx.Query(query, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id int64
			var r Rule
			var allowed, forbidden string
			var reason sql.NullString
			if err := rows.Scan(&id, &allowed, &forbidden, &r.Basis, &reason, &r.Event); err != nil {
				return nil, err
			}
			if err := errors.Join(json.Unmarshal([]byte(allowed), &r.Allowed), json.Unmarshal([]byte(forbidden), &r.Forbidden)); err != nil {
				return nil, fmt.Errorf("rule of node %d is damaged: %w", id, err)
			}
			r.Reason = reason.String
			rules[id] = &r
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return rules, nil
}
