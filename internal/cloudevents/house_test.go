package cloudevents_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/cloudevents"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house has the model credit with the version 1, which is champion in lab.
type house struct {
	*cloudevents.Receiver
	now     time.Time
	journal *journal.Journal
}

// doorkeeper knows the tokens good and poor.
type doorkeeper struct{}

func (doorkeeper) Enter(_ context.Context, token string) (string, error) {
	switch token {
	case "good":
		return "usr_ada", nil
	case "poor":
		return "", tallystick.Errorf(tallystick.Forbidden, "you may not record predictions")
	}
	return "", tallystick.Errorf(tallystick.Unauthorized, "the token is not known")
}

func open(t testing.TB, options journal.Options) *house {
	t.Helper()
	now := func() time.Time { return noon }
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "cloudevents.test/1", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(db, trail.NewReader(db, "cloudevents.test/1"))
	do := func(propose func(tx *state.Tx) ([]trail.Change, error)) {
		t.Helper()
		command := registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: propose}
		if _, err := registry.New(db, recorder).Do(t.Context(), command); err != nil {
			t.Fatal(err)
		}
	}
	one := func(propose func(tx *state.Tx) (trail.Change, error)) {
		t.Helper()
		do(func(tx *state.Tx) ([]trail.Change, error) {
			change, err := propose(tx)
			return []trail.Change{change}, err
		})
	}
	for model, version := range map[string]string{"credit": "1"} {
		one(func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
		})
		one(func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version})
		})
	}
	one(func(tx *state.Tx) (trail.Change, error) {
		return c.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "lab", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
	})
	do(func(tx *state.Tx) ([]trail.Change, error) {
		return c.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "lab", Model: "credit", Version: "1", Role: catalog.Champion})
	})
	options.Dir, options.Now = t.TempDir(), now
	segments, err := blob.Open(blob.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{now: noon}
	if h.journal, err = journal.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.journal.Close() })
	taken, err := capture.New(t.Context(), capture.Config{
		DB: db, Catalog: c, Journal: h.journal, Now: now, Recorder: recorder, Actor: trail.Actor{ID: "tallystick", Kind: "program"},
		Segments: segments, Plan: filepath.Join(t.TempDir(), "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Receiver = cloudevents.New(cloudevents.Config{Recorder: taken, Doorkeeper: doorkeeper{}, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now }})
	return h
}

// records returns what is in the journal.
func (h *house) records(t testing.TB) (all []prediction.Record) {
	t.Helper()
	for entry, err := range h.journal.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for encoding, err := range journal.Records(entry.Payload) {
			if err != nil {
				t.Fatal(err)
			}
			r, err := prediction.Decode(encoding)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
	}
	return all
}

// post sends a body with headers, given as names and values.
func (h *house) post(t testing.TB, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cloudevents", strings.NewReader(body))
	q.SetBasicAuth("any", "good")
	for pair := range slices.Chunk(headers, 2) {
		q.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}
