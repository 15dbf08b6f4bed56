package dossier_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// house is a workspace with an office that exports from it.
type house struct {
	*workspace.Workspace
	office *dossier.Office
	now    *time.Time
}

func newHouse(t testing.TB) house {
	t.Helper()
	dir := t.TempDir()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	h := house{now: &now}
	clock := func() time.Time { return *h.now }
	w, err := workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "ada", Kind: "person"}, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Workspace = w
	h.office = dossier.New(dossier.Config{
		Workspace: w, Catalog: catalog.New(w.DB, w.Trail), People: access.New(access.Config{DB: w.DB, Recorder: w.Recorder}),
		Cases: casework.New(casework.Config{DB: w.DB}),
		Pack:  policy.Packs(""), Program: "tallystick test", Now: clock,
	})
	return h
}

// register registers a model by a real change.
func (h house) register(t testing.TB, model string) {
	t.Helper()
	c := catalog.New(h.DB, h.Trail)
	err := h.DB.Write(t.Context(), func(tx *state.Tx) error {
		change, err := c.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{Owner: "ada", Purpose: "score loans"}}, "ada")
		if err != nil {
			return err
		}
		_, err = h.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "ada", Kind: "person"}}, change)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// record puts n events of a kind on the trail, each a minute after the one before.
func (h house) record(t testing.TB, n int, entry func(i int) trail.Entry) {
	t.Helper()
	const batch = 2000
	for done := 0; done < n; done += batch {
		err := h.DB.Write(t.Context(), func(tx *state.Tx) error {
			for i := done; i < min(done+batch, n); i++ {
				e := entry(i)
				e.Actor, e.Outcome = trail.Actor{ID: fmt.Sprintf("person-%d", i%50), Kind: "person"}, tallystick.Success
				if _, err := h.Recorder.RecordIn(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// reading is an event of somebody who reads a version.
func reading(model string) func(i int) trail.Entry {
	return func(i int) trail.Entry {
		return trail.Entry{
			Type: trail.VersionRead, Resource: trail.Resource{Type: "version", ID: model + "@1"}, Purpose: "validation of finding 12",
			Data: map[string]any{"model": model, "version": "1", "version_digest": string(tallystick.DigestOf([]byte{byte(i)})), "bytes": i, "file": "model.safetensors"},
		}
	}
}

// export exports with a record by the workspace's own user.
func (h house) export(t testing.TB, r dossier.Request) []byte {
	t.Helper()
	p, err := h.office.Export(t.Context(), h.recorded(r))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if p.Size != int64(b.Len()) || p.Digest != tallystick.DigestOf(b.Bytes()) {
		t.Errorf("size %d and digest %s of %d bytes", p.Size, p.Digest, b.Len())
	}
	return b.Bytes()
}

func (h house) recorded(r dossier.Request) dossier.Request {
	if r.Recipient == "" {
		r.Recipient = "Firm & Partners"
	}
	r.Record = func(ctx context.Context, e trail.Entry) error {
		e.Actor, e.Outcome = trail.Actor{ID: "ada", Kind: "person"}, tallystick.Success
		_, err := h.Recorder.Record(ctx, e)
		return err
	}
	return r
}

// check verifies a package with the keys of the workspace.
func (h house) check(t testing.TB, data []byte) verify.Result {
	t.Helper()
	r, err := verify.Bundle(bytes.NewReader(data), int64(len(data)), h.Trust(), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
