package monitor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/table"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// house is a workspace with the model credit, version 1, that takes predictions in and watches them.
type house struct {
	*monitor.Office
	*workspace.Workspace
	archive  *archive.Archive
	capture  *capture.Capture
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
	c := catalog.New(h.DB, h.Trail)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return c.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
	})
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return c.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: "1"})
	})
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	itself := trail.Actor{ID: "tallystick", Kind: "program"}
	h.capture, err = capture.New(t.Context(), capture.Config{
		DB: h.DB, Catalog: c, Journal: j, Now: clock, Recorder: h.Recorder, Actor: itself, Segments: h.Segments, Plan: filepath.Join(h.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.archive = archive.New(archive.Config{Workspace: h.Workspace, Actor: itself, Now: clock})
	t.Cleanup(h.archive.Close)
	h.Office = monitor.New(monitor.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself, Catalog: c, Asker: query.New(h.DB, h.archive, label.New(h.DB, h.Evidence)), Evidence: h.Evidence, Now: clock,
	})
	return h
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
	for len(records) > 0 {
		part := records[:min(len(records), 5000)]
		records = records[len(part):]
		answer, err := h.capture.Accept(t.Context(), capture.Batch{Records: part})
		if err != nil || len(answer.Rejected) > 0 {
			t.Fatalf("%d rejected, the first %+v, %v", len(answer.Rejected), answer.Rejected[:min(1, len(answer.Rejected))], err)
		}
	}
	if err := h.capture.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// made returns n predictions from a time on, spread over a span, whose features job and income are drawn.
func made(from time.Time, over time.Duration, n int, draw func(i int) (income float64, job string)) (all []prediction.Record) {
	for i := range n {
		income, job := draw(i)
		at := from.Add(over * time.Duration(i) / time.Duration(n))
		all = append(all, record(at, prediction.Features{{Name: "income", Value: prediction.Number(income)}, {Name: "job", Value: prediction.String(job)}}))
	}
	return all
}

func record(at time.Time, features prediction.Features) prediction.Record {
	id, err := prediction.ParseID(tallystick.NewID(at))
	if err != nil {
		panic(err)
	}
	return prediction.Record{ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: "1", Features: features}
}

// pin pins the predictions of a time, or a document.
func (h *house) pin(t testing.TB, p monitor.Pin) {
	t.Helper()
	p.Model = "credit"
	change, _, err := h.PreparePin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposePin(tx, change) })
}

// apply applies a monitor of the name watch.
func (h *house) apply(t testing.TB, lines string) registry.Done {
	t.Helper()
	change, err := h.PrepareApply(t.Context(), "watch", []byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	return h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeApply(tx, change) })
}

// judge judges a window and returns the judgement with its bytes.
func (h *house) judge(t testing.TB, at, asOf time.Time) (*monitor.WindowJudgement, string) {
	t.Helper()
	j, err := h.Judge(t.Context(), "watch", at, asOf)
	if err != nil {
		t.Fatal(err)
	}
	data, err := j.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return j, string(data)
}

// row returns the row of a check.
func row(t testing.TB, j *monitor.WindowJudgement, check, subject string) monitor.Row {
	t.Helper()
	for _, r := range j.Rows {
		if r.Check == check && r.Subject == subject {
			return r
		}
	}
	t.Fatalf("the judgement of %s has no row %s of %q", j.From, check, subject)
	return monitor.Row{}
}

// shared returns the path of a file that others have published, and skips the test where it is not.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("../../../shared/data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs ../shared/data/%s: %v", name, err)
	}
	return path
}

// stream reads a file as predictions, each a step after the one before.
func stream(t testing.TB, path, score, output string, skip map[string]bool, from time.Time, step time.Duration) (all []prediction.Record) {
	t.Helper()
	data, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	var names []string
	for _, c := range data.Columns() {
		if !skip[c.Name] {
			names = append(names, c.Name)
		}
	}
	err = data.Scan(t.Context(), names, func(b *table.Block) error {
		for k := range b.N {
			r := record(from.Add(step*time.Duration(b.Row+int64(k))), nil)
			for i, name := range names {
				v := &b.Cols[i]
				if v.Null != nil && v.Null[k] {
					continue
				}
				var value prediction.Value
				switch v.Kind {
				case table.Number:
					value = prediction.Number(v.Float[k])
				case table.Category:
					value = prediction.String(data.Dictionary(name)[v.Code[k]])
				default:
					return fmt.Errorf("column %s is of kind %s", name, v.Kind)
				}
				switch name {
				case score:
					r.Score = value
				case output:
					r.Output = value
				default:
					r.Features = append(r.Features, prediction.Feature{Name: name, Value: value})
				}
			}
			slices.SortFunc(r.Features, func(a, b prediction.Feature) int { return strings.Compare(a.Name, b.Name) })
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
