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
		r, err := explore(tx, []int64{last.id}, up, farthest)
		if err != nil {
			return err
		}
		place, met := r.place[first.id]
		if !met {
			e := tallystick.Errorf(tallystick.NotFound, "no data went from %s to %s", from, to)
			if r.cut != "" {
				e = tallystick.Errorf(tallystick.NotFound, "no way from %s to %s was found within %d edges and %d nodes", from, to, maxDepth, maxLimit).
					WithHint("ask for a part of the way")
			}
			return e
		}
		way, wanted, nodes := r.path(place), make([]bool, len(r.rows)), make([]Node, len(r.rows))
		r.mark(wanted, way)
		if err := r.read(tx, nodes, wanted, Options{}); err != nil {
			return err
		}
		path = r.edges(nodes, way)
		for i, place := range way {
			if err := r.explain(tx, r.arcs[place], &path[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lineage: %w", err)
	}
	return path, nil
}

// farthest are the bounds of questions that leave the caller no choice.
var farthest = Options{Depth: maxDepth, Limit: maxLimit}

// explain reads what else is known of one edge.
func (r *region) explain(tx *state.Tx, a arc, e *Edge) error {
	err := tx.QueryRow("SELECT COALESCE(reason, ''), COALESCE(script, ''), event FROM lineage_edges WHERE from_node = ? AND to_node = ? AND relation = ?",
		r.rows[a.from], r.rows[a.to], string(a.relation)).Scan(&e.Reason, &e.Script, &e.Event)
	if err != nil {
		return fmt.Errorf("read edge %s: %w", e, err)
	}
	return nil
}

// Applied is a rule of use that holds for a node.
type Applied struct {
	Rule UsageRule `json:"rule"`
	Path []Edge    `json:"path,omitempty" doc:"the shortest way from the node that the rule is about; none if it is this one"`
}

// Use is a node with the rules that hold for it. That none is against a purpose says that nothing forbids
// it, as far as the lineage is known and Cut is empty.
type Use struct {
	Node    Node      `json:"node"`
	Path    []Edge    `json:"path,omitempty" doc:"the shortest way from the node that was asked about"`
	Rules   []Applied `json:"rules" doc:"the nearest first"`
	Against []Applied `json:"against,omitempty" doc:"of the rules, those that forbid the purpose that was asked about"`
	Cut     string    `json:"cut,omitempty" enum:"depth,size" doc:"why there may be more rules"`
}

// judge looks for what is against a purpose; the empty one is no question.
func (u *Use) judge(purpose string) {
	for _, a := range u.Rules {
		if purpose != "" && !a.Rule.Permits(purpose) {
			u.Against = append(u.Against, a)
		}
	}
}

// Rules returns the rules that hold for a node: its own, and those of all that it was made from; and
// which of them are against a purpose, if one is named.
func (g *Graph) Rules(ctx context.Context, node Ref, purpose string) (use Use, err error) {
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
	use.judge(purpose)
	return use, nil
}

// maxUses bounds the nodes for which rules are looked up at once.
const maxUses = 500

// Uses returns what was made of one kind from a node, such as the features that come from a column or the
// versions that a snapshot went into, each with the way to it, the rules that hold for it, and which of
// them are against a purpose, if one is named. cut says why there may be more.
func (g *Graph) Uses(ctx context.Context, node Ref, kind Kind, purpose string) (uses []Use, cut string, err error) {
	if err := kind.validate(); err != nil {
		return nil, "", err
	}
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		n, err := mustRead(tx, node)
		if err != nil {
			return err
		}
		var known bool // many lineages know no feature: then there is no need to go through what they know
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM lineage_nodes WHERE kind = ?)", string(kind)).Scan(&known); err != nil || !known {
			return err
		}
		r, err := explore(tx, []int64{n.id}, down, farthest)
		if err != nil {
			return err
		}
		cut = r.cut
		nodes, err := readNodes(tx, r.rows, Options{Kinds: []Kind{kind}})
		if err != nil {
			return err
		}
		var found []int64
		var places []int
		wanted := make([]bool, len(r.rows))
		for place, n := range nodes {
			if place == 0 || n.Ref.Kind != kind {
				continue
			}
			if len(found) == maxUses {
				cut = CutSize
				break
			}
			found, places = append(found, r.rows[place]), append(places, place)
			r.mark(wanted, r.path(place))
		}
		if len(found) == 0 {
			return nil
		}
		if err := r.read(tx, nodes, wanted, Options{}); err != nil {
			return err
		}
		if uses, err = rulesOf(tx, found); err != nil {
			return err
		}
		for i, place := range places {
			uses[i].Path = r.edges(nodes, r.path(place))
			uses[i].judge(purpose)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("uses of %s: %w", node, err)
	}
	return uses, cut, nil
}

// rulesOf returns the nodes of rows, in their order, with the rules that hold for each. The graph above
// all of them is read once.
func rulesOf(tx *state.Tx, rows []int64) ([]Use, error) {
	var known bool
	if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM lineage_rules)").Scan(&known); err != nil {
		return nil, err
	}
	r := newRegion(up, rows)
	if known { // there is something to climb for
		var err error
		if r, err = explore(tx, rows, up, farthest); err != nil {
			return nil, err
		}
	}
	rules, err := readRules(tx, r.rows)
	if err != nil {
		return nil, err
	}
	above := make([][]int, len(r.rows)) // places of edges, by where they lead to
	for i, a := range r.arcs {
		above[a.to] = append(above[a.to], i)
	}
	wanted := make([]bool, len(r.rows))
	found := make([][]applying, len(rows))
	for start := range rows {
		wanted[start] = true
		found[start] = r.climb(above, start, rules)
		for _, a := range found[start] {
			wanted[a.place] = true
			r.mark(wanted, a.path)
		}
	}
	nodes := make([]Node, len(r.rows))
	if err := r.read(tx, nodes, wanted, Options{}); err != nil {
		return nil, err
	}
	uses := make([]Use, len(rows))
	for start := range rows {
		uses[start] = Use{Node: nodes[start], Rules: []Applied{}, Cut: r.cut}
		for _, a := range found[start] {
			rule := *rules[r.rows[a.place]]
			rule.Node = nodes[a.place].Ref
			uses[start].Rules = append(uses[start].Rules, Applied{rule, r.edges(nodes, a.path)})
		}
	}
	return uses, nil
}

// applying is a rule that holds for a node: that of a place, and the way from there.
type applying struct {
	place int
	path  []int
}

// climb walks up from one place over the edges of the region, and returns the rules that it comes to.
func (r *region) climb(above [][]int, start int, rules map[int64]*UsageRule) (found []applying) {
	by := map[int]int{start: -1}
	order := []int{start}
	for i := 0; i < len(order); i++ {
		for _, arc := range above[order[i]] {
			from := r.arcs[arc].from
			if _, met := by[from]; !met {
				by[from] = arc
				order = append(order, from)
			}
		}
		if rules[r.rows[order[i]]] != nil {
			found = append(found, applying{order[i], r.trace(order[i], func(place int) int { return by[place] })})
		}
	}
	return found
}

// readRules returns the rules of nodes, without the name of the node.
func readRules(tx *state.Tx, ids []int64) (map[int64]*UsageRule, error) {
	rules := map[int64]*UsageRule{}
	for chunk := range slices.Chunk(ids, widest) {
		query, args := in("SELECT node, allowed, forbidden, basis, reason, event FROM lineage_rules WHERE node IN (%s)", chunk)
		rows, err := tx.Query(query, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id int64
			var r UsageRule
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
