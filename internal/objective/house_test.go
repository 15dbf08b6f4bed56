package objective_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// house is a workspace with the model credit, version 1, whose predictions are recorded and counted.
type house struct {
	*objective.Office
	*workspace.Workspace
	catalog  *catalog.Catalog
	archive  *archive.Archive
	capture  *capture.Capture
	labels   *label.Store
	monitors *monitor.Office
	asker    *query.Asker
	cases    *casework.Desk
	registry *registry.Registry
	now      time.Time
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{now: noon}
	dir, clock := t.TempDir(), func() time.Time { return h.now }
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Now: clock,
		Database: postgrestest.IfChosen(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Workspace.Close(); err != nil {
			t.Error(err)
		}
	})
	h.registry = registry.New(h.DB, h.Recorder)
	h.catalog = catalog.New(h.DB, h.Trail)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
	})
	h.version(t, "1")
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	itself := trail.Actor{ID: "tallystick", Kind: "program"}
	h.capture, err = capture.New(t.Context(), capture.Config{
		DB: h.DB, Catalog: h.catalog, Journal: j, Now: clock, Recorder: h.Recorder, Actor: itself, Segments: h.Segments, Plan: filepath.Join(h.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.archive = archive.New(archive.Config{Workspace: h.Workspace, Actor: itself, Now: clock})
	t.Cleanup(h.archive.Close)
	h.labels = label.New(h.DB, h.Evidence)
	h.asker = query.New(h.DB, h.archive, h.labels)
	h.monitors = monitor.New(monitor.Config{DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself, Catalog: h.catalog, Asker: h.asker, Evidence: h.Evidence, Now: clock})
	h.cases = casework.New(casework.Config{DB: h.DB, Recorder: h.Recorder, Actor: itself, Segments: h.archive, Labels: h.labels, Models: h.catalog})
	h.Office = objective.New(objective.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself, Catalog: h.catalog, Asker: h.asker, Monitors: h.monitors,
		Cases: h.cases, Evidence: h.Evidence, Now: clock,
	})
	return h
}

func (h *house) version(t testing.TB, name string) {
	t.Helper()
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: name})
	})
}

func (h *house) do(t testing.TB, propose func(tx *state.Tx) (trail.Change, error)) registry.Done {
	t.Helper()
	command := registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}}
	done, err := h.registry.Do(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// send puts predictions on record.
func (h *house) send(t testing.TB, records ...prediction.Record) {
	t.Helper()
	answer, err := h.capture.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%d rejected, the first %+v, %v", len(answer.Rejected), answer.Rejected[:min(1, len(answer.Rejected))], err)
	}
	if err := h.capture.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// made returns n predictions from a time on, spread over a span; change may alter each.
func made(from time.Time, over time.Duration, n int, change func(i int, r *prediction.Record)) (all []prediction.Record) {
	for i := range n {
		at := from.Add(over * time.Duration(i) / time.Duration(n))
		id, err := prediction.ParseID(tallystick.NewID(at))
		if err != nil {
			panic(err)
		}
		r := prediction.Record{ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: "1", Status: prediction.OK}
		if change != nil {
			change(i, &r)
		}
		all = append(all, r)
	}
	return all
}

// failing makes every n-th prediction fail.
func failing(n int) func(int, *prediction.Record) {
	return func(i int, r *prediction.Record) {
		if i%n == n-1 {
			r.Status = prediction.Failed
		}
	}
}

// apply applies an objective of the name goal.
func (h *house) apply(t testing.TB, lines string) registry.Done {
	t.Helper()
	change, err := h.PrepareApply(t.Context(), "goal", []byte("apiVersion: tallystick/v1\nkind: Objective\nname: goal\nmodel: credit\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	return h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeApply(tx, change) })
}

// judge judges the objective goal by the counts that are kept.
func (h *house) judge(t testing.TB) *objective.BudgetJudgement {
	t.Helper()
	j, err := h.Judge(t.Context(), "goal", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// checkRecount fails the test unless counting all again as of now says the same, byte for byte.
func (h *house) checkRecount(t testing.TB) *objective.BudgetJudgement {
	t.Helper()
	kept := h.judge(t)
	again, err := h.Judge(t.Context(), "goal", h.now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := kept.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := again.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Fatalf("counts that are kept say\n%s\nall counted again say\n%s", a, b)
	}
	return kept
}

func counts(t testing.TB, j *objective.BudgetJudgement, good, valid int64) {
	t.Helper()
	if j.Count != (objective.Count{Good: good, Valid: valid}) {
		t.Errorf("%d of %d good, want %d of %d: %s", j.Count.Good, j.Count.Valid, good, valid, j.Words)
	}
}
