package reconcile_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/reconcile"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const origin = "reconcile.test/1"

type house struct {
	reconcile.Reconciler
	events *trail.Reader
}

func open(t *testing.T) house {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC) }
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: origin, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	h := house{events: trail.NewReader(db, origin)}
	h.Registry, h.Catalog, h.Lineage = registry.New(db, recorder), catalog.New(db, h.events), lineage.New(db)
	h.Principal = access.Principal{ID: "tallystick", Kind: access.KindProgram, Roles: []access.Role{access.Service}, Scopes: []access.Action{access.FindingWrite}}
	return h
}

// do carries out what somebody else proposes.
func (h house) do(t *testing.T, propose func(tx *state.Tx) ([]trail.Change, error)) {
	t.Helper()
	_, err := h.Registry.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: propose})
	if err != nil {
		t.Fatal(err)
	}
}

func (h house) one(t *testing.T, propose func(tx *state.Tx) (trail.Change, error)) {
	t.Helper()
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		return []trail.Change{change}, err
	})
}

// run reconciles and returns the open findings and how many events that took.
func (h house) run(t *testing.T) (open []string, events uint64) {
	t.Helper()
	before, err := h.events.Count(t.Context(), trail.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := h.events.Count(t.Context(), trail.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.Catalog.Findings(t.Context(), catalog.FindingFilter{Open: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		open = append(open, string(f.Kind)+" "+f.Version+" "+f.Subject)
	}
	slices.Sort(open)
	return open, after - before
}

func TestRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	if found, events := h.run(t); found != nil || events != 0 {
		t.Errorf("an empty house: %q, %d events", found, events)
	}
	h.one(t, func(tx *state.Tx) (trail.Change, error) {
		return h.Catalog.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
	})
	h.one(t, func(tx *state.Tx) (trail.Change, error) {
		return h.Catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "lab", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
	})
	for version, ran := range map[string]string{"1": "aaaaaaaaaaaa", "2": "cccccccccccc", "3": ""} {
		h.one(t, func(tx *state.Tx) (trail.Change, error) {
			return h.Catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: version, Details: catalog.VersionDetails{CodeCommit: "aaaaaaaaaaaa"}})
		})
		if ran != "" {
			run := lineage.Ref{Kind: lineage.Run, ID: "run" + version}
			h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
				return h.Lineage.Record(tx, lineage.Batch{Origin: "run", Edges: []lineage.Edge{
					{From: lineage.Ref{Kind: lineage.Code, ID: "https://git.example/credit@" + ran}, To: run, Relation: lineage.Defines},
					{From: run, To: lineage.VersionRef("credit", version), Relation: lineage.Trained},
				}})
			})
		}
		for pod := range 60 { // more than one page in all
			h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
				return h.Catalog.RecordDeployment(tx, catalog.DeploymentReport{ID: fmt.Sprintf("pod-%s-%d", version, pod), Environment: "lab", Model: "credit", Version: version})
			})
		}
		if version != "3" {
			h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
				return h.Catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "lab", Model: "credit", Version: version, Role: catalog.Shadow})
			})
		}
	}
	want := []string{"code_differs 2 run2"}
	for pod := range 60 {
		want = append(want, fmt.Sprintf("unassigned_version 3 pod-3-%d", pod))
	}
	slices.Sort(want)
	found, events := h.run(t)
	if diff := cmp.Diff(want, found); diff != "" || events != 61 {
		t.Errorf("%d events (-want +got):\n%s", events, diff)
	}
	if again, events := h.run(t); len(again) != len(found) || events != 0 {
		t.Errorf("again: %d findings, %d events", len(again), events)
	}
	h.Principal.Roles = nil
	if err := h.Run(t.Context()); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("without a right: %v", err)
	}
}
