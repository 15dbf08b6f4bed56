// Package capturetest makes what tests of those who hand predictions on need beneath them: a catalog with models
// and a place for segments, and a look into the journal.
package capturetest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

// Source is the origin of the trail.
const Source = "capture.test/1"

// Config returns all that a capture needs but its journal: a database, SQLite or the PostgreSQL that was chosen, in
// which the versions are registered, each as MODEL@VERSION; the first is champion in the environment lab. Segments
// lie in the directory of the plan.
func Config(t testing.TB, now func() time.Time, versions ...string) capture.Config {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), URL: postgrestest.IfChosen(t), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: Source, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	c, commands := catalog.New(db, trail.NewReader(db, Source)), registry.New(db, recorder)
	do := func(propose func(tx *state.Tx) ([]trail.Change, error)) {
		t.Helper()
		if _, err := commands.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: propose}); err != nil {
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
	known := map[string]bool{}
	for _, name := range versions {
		model, version, _ := strings.Cut(name, "@")
		if !known[model] {
			known[model] = true
			one(func(tx *state.Tx) (trail.Change, error) {
				return c.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
			})
		}
		one(func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version})
		})
	}
	one(func(tx *state.Tx) (trail.Change, error) {
		return c.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "lab", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
	})
	model, version, _ := strings.Cut(versions[0], "@")
	do(func(tx *state.Tx) ([]trail.Change, error) {
		return c.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "lab", Model: model, Version: version, Role: catalog.Champion})
	})
	store := t.TempDir()
	segments, err := blob.Open(blob.Config{Dir: store})
	if err != nil {
		t.Fatal(err)
	}
	return capture.Config{
		DB: db, Catalog: c, Now: now, Recorder: recorder, Actor: trail.Actor{ID: "tallystick", Kind: access.KindProgram}, Segments: segments, Plan: filepath.Join(store, "cut.json"),
	}
}

// KeepBodies defines the rule all, which keeps every body of a model.
func KeepBodies(t testing.TB, config capture.Config, model string) {
	t.Helper()
	_, err := registry.New(config.DB, config.Recorder).Do(t.Context(), registry.Command{
		Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := body.Define(tx, body.KeepRule{Model: model, Name: "all", Terms: selection.Terms{Share: 1}})
			return []trail.Change{change}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Open returns a capture over a journal of its own, which is closed at the end of the test.
func Open(t testing.TB, options journal.Options, config capture.Config) (*capture.Capture, *journal.Journal) {
	t.Helper()
	options.Dir, options.Now = t.TempDir(), config.Now
	j, err := journal.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	config.Journal = j
	c, err := capture.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return c, j
}

// Records returns the records in a journal, in order, with the bodies that were kept.
func Records(t testing.TB, j *journal.Journal) (found []prediction.Record) {
	t.Helper()
	for entry, err := range j.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for record, err := range journal.Records(entry.Payload) {
			if err != nil {
				t.Fatal(err)
			}
			k, err := prediction.ParseKept(record)
			if err != nil {
				t.Fatal(err)
			}
			r, err := prediction.Decode(k.Encoding)
			if err != nil {
				t.Fatal(err)
			}
			r.Attach(k.Bodies)
			found = append(found, r)
		}
	}
	return found
}
