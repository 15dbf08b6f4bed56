package main

import (
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// TestSeed writes a small workspace and opens it: all that was planned is there, and follows from the trail.
func TestSeed(t *testing.T) {
	t.Parallel()
	p := plan{Models: 12, Versions: 3, Edges: 600, Events: 1200, Seed: 1}
	dir := t.TempDir()
	if err := p.write(t.Context(), dir, true, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "state", "tallystick", "anchors"), Actor: trail.Actor{ID: "test", Kind: access.KindProgram}, MustExist: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c := catalog.New(w.DB, w.Trail)
	models, err := c.Models(t.Context(), catalog.ModelFilter{})
	if err != nil || len(models) != p.Models {
		t.Errorf("%d models, %v; want %d", len(models), err, p.Models)
	}
	versions, err := c.Versions(t.Context(), catalog.VersionFilter{Model: modelName(3)})
	if err != nil || len(versions) != p.Versions {
		t.Errorf("%d versions, %v; want %d", len(versions), err, p.Versions)
	}
	if n, err := w.Trail.Count(t.Context(), trail.Filter{}); err != nil || n < uint64(p.Events) {
		t.Errorf("%d events, %v; want %d", n, err, p.Events)
	}
	replayer := trail.Replayer{Changes: map[trail.Type]func() trail.Change{}, Tables: slices.Concat(catalog.Tables(), access.Tables(), lineage.Tables())}
	for _, changes := range []map[trail.Type]func() trail.Change{catalog.Changes(), access.Changes(), lineage.Changes()} {
		maps.Copy(replayer.Changes, changes)
	}
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "scratch.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	if n, err := replayer.Check(t.Context(), w.Trail, scratch); err != nil || n < uint64(p.Models*p.Versions) {
		t.Errorf("%d changes replayed, %v", n, err)
	}
	people := access.New(access.Config{DB: w.DB, Recorder: w.Recorder})
	if _, _, err := people.Login(t.Context(), person, passphrase); err != nil {
		t.Error(err)
	}
}
