package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house is a workspace with the models credit and churn, of version 1 each, that takes predictions in.
type house struct {
	*archive.Archive
	*workspace.Workspace
	capture  *capture.Capture
	registry *registry.Registry
	now      time.Time
	stepped  time.Duration // by which the clock was set
	dir      string
}

func open(t testing.TB) *house {
	t.Helper()
	return openAt(t, t.TempDir(), postgrestest.IfChosen(t), noon)
}

// openAt opens the workspace of a directory, which it makes if there is none. The database is empty, or the URL of one.
func openAt(t testing.TB, dir, database string, now time.Time) *house {
	t.Helper()
	h := &house{now: now, dir: dir}
	clock := func() time.Time { return h.now }
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(h.dir, "workspace"), Anchors: filepath.Join(h.dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Now: clock,
		Database: database,
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
	for _, model := range []string{"credit", "churn"} {
		if err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := c.VersionIn(tx, model, "1")
			return err
		}); err == nil {
			continue
		}
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
		})
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: "1"})
		})
	}
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	h.capture, err = capture.New(t.Context(), capture.Config{
		DB: h.DB, Catalog: c, Journal: j, Now: clock, Recorder: h.Recorder, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Segments: h.Segments,
		Plan: filepath.Join(h.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Archive = archive.New(archive.Config{
		Workspace: h.Workspace, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Now: clock, Fresh: h.capture.Cut,
		Elapsed: func() time.Duration { return h.now.Sub(now) - h.stepped },
	})
	t.Cleanup(h.Archive.Close)
	return h
}

func (h *house) do(t testing.TB, propose func(tx *state.Tx) (trail.Change, error)) {
	t.Helper()
	command := registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		return []trail.Change{change}, err
	}}
	if _, err := h.registry.Do(t.Context(), command); err != nil {
		t.Fatal(err)
	}
}

// send takes n records of a model in, a millisecond apart, and returns their ids.
func (h *house) send(t testing.TB, model string, n int) []prediction.ID {
	t.Helper()
	records := make([]prediction.Record, n)
	for i := range records {
		h.now = h.now.Add(time.Millisecond)
		r, err := prediction.ParseJSON(fmt.Appendf(nil, `{"id":"%s","time":"%s","model":%q,"version":"1","score":0.%d,"features":{"income":%d,"job":"baker"}}`,
			tallystick.NewID(h.now), h.now.Format(time.RFC3339Nano), model, i+1, i))
		if err != nil {
			t.Fatal(err)
		}
		records[i] = r
	}
	answer, err := h.capture.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%+v, %v", answer.Rejected, err)
	}
	return answer.IDs
}

// cut puts what was sent into segments.
func (h *house) cut(t testing.TB) {
	t.Helper()
	if err := h.capture.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// prove returns the proof of a prediction, which the workspace's own keys verify.
func (h *house) prove(t testing.TB, id prediction.ID) []byte {
	t.Helper()
	_, proof, err := h.Prove(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	file, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	h.holds(t, id, file)
	return file
}

// holds fails unless a proof proves a prediction.
func (h *house) holds(t testing.TB, id prediction.ID, file []byte) {
	t.Helper()
	if r := verify.Prediction(file, h.Trust(), verify.ProofOptions{}); r.Verdict != verify.Verified || r.Subject != id.String() {
		t.Errorf("the proof of %s: %+v", id, r)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	h := open(t)
	var ids []prediction.ID
	for i := range 5 {
		ids = append(ids, h.send(t, "credit", 3+i)...)
		ids = append(ids, h.send(t, "churn", 1)...)
		if i < 4 { // the last are in the journal
			h.cut(t)
		}
	}
	for _, id := range ids {
		found, err := h.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if found.Record.ID != id || found.Event == 0 || found.File.Validate() != nil {
			t.Errorf("found %+v for %s", found, id)
		}
		if leaf, err := found.Record.Leaf(); err != nil || !strings.HasSuffix(string(found.Leaf), fmt.Sprintf("%x", leaf[:])) {
			t.Errorf("%s has the leaf %x, found %s, %v", id, leaf, found.Leaf, err)
		}
		h.prove(t, id)
	}
	for _, id := range []prediction.ID{prediction.NewID(noon.Add(time.Hour)), prediction.NewID(noon.Add(2 * time.Millisecond)), prediction.NewID(time.UnixMilli(0))} {
		if found, err := h.Find(t.Context(), id); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), id.String()) {
			t.Errorf("an id that nobody sent: %+v, %v", found, err)
		}
	}
}

// TestFindDamaged: a file that was put in the place of another is told, not believed.
func TestFindDamaged(t *testing.T) {
	t.Parallel()
	h := open(t)
	one := h.send(t, "credit", 3)
	h.cut(t)
	two := h.send(t, "credit", 3)
	h.cut(t)
	path := func(id prediction.ID) string {
		found, err := h.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(h.Dir(), "predictions", "sha256", found.File.Hex()[:2], found.File.Hex())
	}
	other, err := os.ReadFile(path(two[0]))
	if err != nil {
		t.Fatal(err)
	}
	target := path(one[0])
	h.Archive.Close() // which lets go of what it has open
	if err := os.Remove(target); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find(t.Context(), one[0]); tallystick.CodeOf(err) != tallystick.Internal || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("a file that is missing: %v", err)
	}
	if err := os.WriteFile(target, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := h.Find(t.Context(), one[0]); err == nil {
		t.Errorf("another file in its place: %+v", found)
	}
	if found, err := h.Find(t.Context(), two[0]); err != nil || found.Record.ID != two[0] {
		t.Errorf("the file itself: %+v, %v", found, err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	h := open(t)
	var between []time.Time
	for range 4 {
		h.send(t, "credit", 2)
		h.send(t, "churn", 2)
		h.cut(t)
		h.now = h.now.Add(time.Second)
		between = append(between, h.now)
	}
	for _, test := range []struct {
		from, to time.Time
		want     int
	}{{time.Time{}, time.Time{}, 4}, {between[0], time.Time{}, 3}, {time.Time{}, between[0], 1}, {between[0], between[2], 2}, {between[3], time.Time{}, 0}} {
		shelf, err := h.Files(t.Context(), "credit", test.from, test.to)
		if err != nil || shelf.Len() != test.want {
			t.Fatalf("from %v to %v: %d files, %v; want %d", test.from, test.to, shelf.Len(), err, test.want)
		}
		for f, err := range shelf.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Model() != "credit" || f.Count() != 2 || f.First != 0 || f.End != 2 {
				t.Errorf("a file of %s with %d records, %d to %d of the time", f.Model(), f.Count(), f.First, f.End)
			}
		}
	}
}
