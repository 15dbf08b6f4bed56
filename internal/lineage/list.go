package lineage

import (
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Filter chooses nodes. Zero fields choose all.
type Filter struct {
	Kind   Kind
	Model  string // that the nodes belong to
	Digest tallystick.Digest
	After  Ref // the last of the page before
	Limit  int // 0 means 100; at most 1,000
}

// Nodes returns the nodes that f chooses, with their facts, in the order of kinds and ids.
func (g *Graph) Nodes(ctx context.Context, f Filter) (nodes []Node, err error) {
	conditions, args := []string{"(kind, name) > (?, ?)"}, []any{string(f.After.Kind), f.After.ID}
	add := func(column, value string) {
		if value != "" {
			conditions, args = append(conditions, column+" = ?"), append(args, value)
		}
	}
	if f.Kind != "" { // says the same to the eye, but lets the index begin at the page
		conditions, args = []string{"kind = ? AND name > ?"}, []any{string(f.Kind), f.After.ID}
	}
	add("model", f.Model)
	add("digest", string(f.Digest))
	if f.Limit <= 0 {
		f.Limit = 100
	}
	args = append(args, int64(min(f.Limit, 1000)))
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		scan := newNodeScan(true)
		rows, err := tx.Query("SELECT "+scan.columns+" FROM lineage_nodes WHERE "+
			strings.Join(conditions, " AND ")+" ORDER BY kind, name "+state.Limit, args...)
		if err != nil {
			return err
		}
		nodes = []Node{}
		for rows.Next() {
			n, err := scan.node(rows)
			if err != nil {
				return err
			}
			nodes = append(nodes, n)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("nodes of the lineage: %w", err)
	}
	return nodes, nil
}

// Node returns one node with its facts, or a NotFound error.
func (g *Graph) Node(ctx context.Context, ref Ref) (n Node, err error) {
	err = g.db.Read(ctx, func(tx *state.Tx) error {
		known, err := mustRead(tx, ref)
		if err != nil {
			return err
		}
		nodes, err := readNodes(tx, []int64{known.id}, Options{Facts: true})
		if err == nil {
			n = nodes[0]
		}
		return err
	})
	if err != nil {
		return Node{}, fmt.Errorf("node %s: %w", ref, err)
	}
	return n, nil
}
