package main

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// nodesPerEdge makes nodes scarce enough that much is reached from each.
const nodesPerEdge = 0.4

// node returns the i-th node of the lineage: snapshots and the runs between them, and now and then a
// version of a model.
func (s *seeder) node(i int) lineage.Ref {
	switch {
	case i%100 == 99:
		model := i / 100 % s.Models
		return lineage.Ref{Kind: lineage.Version, ID: fmt.Sprintf("%s@%d", modelName(model), 1+i/100/s.Models%s.Versions)}
	case i%2 == 1:
		return lineage.Ref{Kind: lineage.Run, ID: fmt.Sprintf("run-%07d", i)}
	}
	return lineage.Ref{Kind: lineage.Snapshot, ID: fmt.Sprintf("step-%07d", i)}
}

// graph records edges in batches. Each leads to a node from one of those a little before it, so that
// twenty steps reach far and fan out.
func (s *seeder) graph(ctx context.Context, from, until int) error {
	const batch = 500
	for ; from < until; from += batch {
		told := lineage.Batch{Origin: "seed"}
		for i := from; i < min(from+batch, until); i++ {
			to := 1 + int(float64(i)*nodesPerEdge)
			reach := max(2, int(float64(s.Edges)*nodesPerEdge)/50)
			read := s.node(max(0, to-1-s.random.IntN(reach)))
			made := s.node(to)
			if read == made {
				continue
			}
			told.Edges = append(told.Edges, lineage.Edge{From: read, To: made, Relation: relation(read, made)})
		}
		err := s.do(ctx, []act{func(tx *state.Tx) ([]trail.Change, error) { return s.lineage.Record(tx, told) }})
		if err != nil {
			return err
		}
	}
	return nil
}

// relation returns the relation that may lead from a node to another.
func relation(from, to lineage.Ref) lineage.Relation {
	switch {
	case from.Kind == lineage.Run && to.Kind == lineage.Run:
		return lineage.Started
	case from.Kind == lineage.Run && to.Kind == lineage.Version:
		return lineage.Trained
	case from.Kind == lineage.Run:
		return lineage.Wrote
	case to.Kind == lineage.Run && from.Kind == lineage.Snapshot:
		return lineage.Read
	}
	return lineage.Derived
}
