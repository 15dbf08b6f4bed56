package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// TestSeed writes a small workspace and opens it: all that was planned is there.
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
	people := access.New(access.Config{DB: w.DB, Recorder: w.Recorder})
	if _, _, err := people.Login(t.Context(), person, passphrase); err != nil {
		t.Error(err)
	}
}
