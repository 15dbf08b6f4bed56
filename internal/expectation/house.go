package expectation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is the workspace of one test.
type house struct {
	workspace *workspace.Workspace
	registry  *registry.Registry
	catalog   *catalog.Catalog
	journal   *journal.Journal
	capture   *capture.Capture
	archive   *archive.Archive
	labels    *label.Store
	office    *monitor.Office
	now       time.Time
}

const tester = "monitor-test"

// open makes a workspace in a directory; its clock stands at a time until it is moved.
func open(ctx context.Context, dir string, at time.Time) (h *house, err error) {
	h = &house{now: at}
	clock := func() time.Time { return h.now }
	actor := trail.Actor{ID: tester, Kind: "program"}
	h.workspace, err = workspace.Open(ctx, workspace.Config{Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: actor, Now: clock})
	if err != nil {
		return nil, err
	}
	w := h.workspace
	h.registry, h.catalog, h.labels = registry.New(w.DB, w.Recorder), catalog.New(w.DB, w.Trail), label.New(w.DB, w.Evidence)
	h.journal, err = journal.Open(ctx, journal.Options{Dir: filepath.Join(w.Dir(), "journal"), Now: clock})
	if err == nil {
		h.capture, err = capture.New(ctx, capture.Config{
			DB: w.DB, Catalog: h.catalog, Journal: h.journal, Now: clock, Recorder: w.Recorder, Actor: actor, Segments: w.Segments,
			Plan: filepath.Join(w.Dir(), "predictions", "cut.json"),
		})
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.archive = archive.New(archive.Config{Workspace: w, Actor: actor, Now: clock})
	h.office = monitor.New(monitor.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: actor, Catalog: h.catalog, Asker: query.New(w.DB, h.archive, h.labels), Evidence: w.Evidence, Now: clock,
	})
	return h, nil
}

func (h *house) close() (err error) {
	if h.archive != nil {
		h.archive.Close()
	}
	if h.journal != nil {
		err = h.journal.Close()
	}
	return errors.Join(err, h.workspace.Close())
}

// do carries out what changes the record.
func (h *house) do(ctx context.Context, action access.Action, propose func(tx *state.Tx) ([]trail.Change, error)) error {
	_, err := h.registry.Do(ctx, registry.Command{Principal: access.Local(tester), Action: action, Propose: propose})
	return err
}

// change is the proposal of one change, or none.
func change(propose func(tx *state.Tx) (trail.Change, error)) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		c, err := propose(tx)
		if c == nil || err != nil {
			return nil, err
		}
		return []trail.Change{c}, nil
	}
}

// register puts a model with its versions on record, and the champion in its environment if there is one.
func (h *house) register(ctx context.Context, model string, versions []string, environment, champion string) error {
	err := h.do(ctx, access.FindingWrite, change(func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, tester)
	}))
	for _, version := range versions {
		if err == nil {
			err = h.do(ctx, access.FindingWrite, change(func(tx *state.Tx) (trail.Change, error) {
				return h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version})
			}))
		}
	}
	if err == nil && environment != "" {
		err = h.do(ctx, access.FindingWrite, change(func(tx *state.Tx) (trail.Change, error) {
			return h.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: environment, EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
		}))
	}
	if err == nil && champion != "" {
		err = h.do(ctx, access.FindingWrite, func(tx *state.Tx) ([]trail.Change, error) {
			return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: environment, Model: model, Version: champion, Role: catalog.Champion, Observed: true, Reason: "a test"})
		})
	}
	return err
}

// pin pins a document as the reference of a model.
func (h *house) pin(ctx context.Context, model string, document []byte) error {
	p, _, err := h.office.PreparePin(ctx, monitor.Pin{Model: model, Document: document})
	if err != nil {
		return err
	}
	return h.do(ctx, access.MonitorManage, change(func(tx *state.Tx) (trail.Change, error) { return h.office.ProposePin(tx, p) }))
}

// apply applies a monitor.
func (h *house) apply(ctx context.Context, name string, source []byte) error {
	applied, err := h.office.PrepareApply(ctx, name, source)
	if err != nil {
		return err
	}
	return h.do(ctx, access.MonitorManage, change(func(tx *state.Tx) (trail.Change, error) { return h.office.ProposeApply(tx, applied) }))
}

// send takes predictions in and puts them into segments.
func (h *house) send(ctx context.Context, all []made) error {
	for len(all) > 0 {
		part := all[:min(len(all), capture.MaxRecords)]
		all = all[len(part):]
		records := make([]prediction.Record, len(part))
		for i := range part {
			records[i] = part[i].Record
		}
		answer, err := h.capture.Accept(ctx, capture.Batch{Records: records})
		if err != nil {
			return err
		}
		if len(answer.Rejected) > 0 {
			return tallystick.Errorf(tallystick.Invalid, "prediction %d is refused: %s", answer.Rejected[0].Index+1, answer.Rejected[0].Message)
		}
	}
	return h.capture.Cut(ctx)
}

// tell records what turned out to be true.
func (h *house) tell(ctx context.Context, model string, all []made) error {
	var sent []label.Sent
	for i := range all {
		if !all[i].label.IsNull() {
			sent = append(sent, label.Sent{Label: label.Label{Prediction: all[i].ID, Value: all[i].label, Time: all[i].Time, Source: tester}})
		}
	}
	for len(sent) > 0 {
		part := sent[:min(len(sent), label.MaxLabels)]
		sent = sent[len(part):]
		ready, err := h.labels.Prepare(ctx, model, label.Batch{Labels: part}, h.now, nil)
		if err != nil {
			return err
		}
		var outcome label.BatchOutcome
		err = h.do(ctx, access.LabelRecord, change(func(tx *state.Tx) (trail.Change, error) {
			recorded, out, err := ready.Propose(tx)
			if outcome = out; recorded == nil || err != nil {
				return nil, err
			}
			return recorded, nil
		}))
		if err != nil {
			return fmt.Errorf("record labels: %w", err)
		}
		if outcome.Count > 0 {
			return tallystick.Errorf(tallystick.Invalid, "label %d is refused: %s", outcome.Rejected[0].Index+1, outcome.Rejected[0].Message)
		}
	}
	return nil
}

// judge judges a window and puts the judgement on record: those of later windows can look at it.
func (h *house) judge(ctx context.Context, name string, at time.Time) (*monitor.WindowJudgement, error) {
	j, err := h.office.Judge(ctx, name, at, time.Time{})
	if err != nil {
		return nil, err
	}
	judged, err := h.office.Keep(ctx, j)
	if err != nil {
		return nil, err
	}
	return j, h.do(ctx, access.WindowJudge, change(func(tx *state.Tx) (trail.Change, error) { return h.office.ProposeJudged(tx, judged) }))
}
