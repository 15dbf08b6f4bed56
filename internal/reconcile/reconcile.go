// Package reconcile holds the record against itself, regularly: what was reported to run against the
// versions and assignments, and how versions were made against how they were registered. What differs
// is a finding. What really runs, only a report of it can say (catalog.Reconcile).
package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Reconciler compares. All its fields are required.
type Reconciler struct {
	Registry *registry.Registry
	Catalog  *catalog.Catalog
	Lineage  *lineage.Graph
	// Principal is who raises and resolves the findings; it may write them.
	Principal access.Principal
}

// batch is how many deployments or versions one transaction looks at.
const batch = 100

// version names a version.
type version struct{ model, name string }

// Run compares once what runs now, by the record. It may be cut off anywhere and leaves events only of
// findings that change.
func (r Reconciler) Run(ctx context.Context) error {
	environments, err := r.Catalog.Environments(ctx)
	if err != nil {
		return err
	}
	running := map[version]bool{}
	for _, e := range environments {
		if err := r.environment(ctx, e.Name, running); err != nil {
			return fmt.Errorf("reconcile %s: %w", e.Name, err)
		}
	}
	var makings []catalog.Making
	for _, v := range slices.SortedFunc(maps.Keys(running), compare) {
		m, known, err := r.making(ctx, v)
		if err != nil {
			return err
		}
		if known {
			makings = append(makings, m)
		}
	}
	for some := range slices.Chunk(makings, batch) {
		err := r.do(ctx, trail.Resource{Type: "lineage", ID: "runs"}, func(tx *state.Tx) ([]trail.Change, error) { return r.Catalog.ReconcileMaking(tx, some) })
		if err != nil {
			return fmt.Errorf("reconcile how versions were made: %w", err)
		}
	}
	return nil
}

func compare(a, b version) int {
	return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.name, b.name))
}

// environment compares the deployments that run in it, and adds their versions to running.
func (r Reconciler) environment(ctx context.Context, name string, running map[version]bool) error {
	for after := ""; ; {
		found, err := r.Catalog.Deployments(ctx, catalog.DeploymentFilter{Environment: name, Running: true, After: after, Limit: batch})
		if err != nil || len(found) == 0 {
			return err
		}
		ids := make([]string, len(found))
		for i, d := range found {
			ids[i] = d.ID
			running[version{d.Model, d.Version}] = true
		}
		after = strconv.FormatUint(found[len(found)-1].Event, 10)
		err = r.do(ctx, trail.Resource{Type: "environment", ID: name}, func(tx *state.Tx) ([]trail.Change, error) {
			return r.Catalog.ReconcileRecord(tx, name, ids)
		})
		if err != nil {
			return err
		}
	}
}

func (r Reconciler) do(ctx context.Context, of trail.Resource, propose func(tx *state.Tx) ([]trail.Change, error)) error {
	_, err := r.Registry.Do(ctx, registry.Command{Principal: r.Principal, Action: access.FindingWrite, Resource: of, Propose: propose})
	return err
}

// making returns what the lineage knows of the run that trained a version, if there was one.
func (r Reconciler) making(ctx context.Context, v version) (m catalog.Making, known bool, err error) {
	walk, err := r.Lineage.Fed(ctx, v.model, v.name, lineage.Options{Depth: 2})
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	var run lineage.Ref
	for _, e := range walk.Edges {
		if e.Relation != lineage.Trained || e.To != walk.Start.Ref {
			continue
		}
		if run != (lineage.Ref{}) {
			return m, false, nil // several runs: none answers for it alone
		}
		run = e.From
	}
	if run == (lineage.Ref{}) {
		return m, false, nil
	}
	digests := map[lineage.Ref]tallystick.Digest{}
	for _, n := range walk.Nodes {
		digests[n.Ref] = n.Digest
	}
	m = catalog.Making{Model: v.model, Version: v.name, Run: run.ID}
	for _, e := range walk.Edges {
		switch {
		case e.To != run:
		case e.Relation == lineage.Defines && e.From.Kind == lineage.Code:
			m.CodeCommit = e.From.ID[strings.LastIndexByte(e.From.ID, '@')+1:]
		case e.Relation == lineage.Read && digests[e.From] != "":
			m.Data = append(m.Data, digests[e.From])
		}
	}
	slices.Sort(m.Data)
	return m, true, nil
}
