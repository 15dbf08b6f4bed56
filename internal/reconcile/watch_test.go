package reconcile_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/reconcile"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: origin, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	events := trail.NewReader(db, origin)
	w := reconcile.Watch{
		Registry: registry.New(db, recorder), Catalog: catalog.New(db, events), Trail: events,
		People: access.New(access.Config{DB: db, Recorder: recorder, Now: now}), Now: now,
		Principal: access.Principal{ID: "tallystick", Kind: access.KindProgram, Roles: []access.Role{access.Service}, Scopes: []access.Action{access.FindingWrite}},
		Place:     func(_ context.Context, id string) (string, error) { return "of " + id, nil },
	}
	run := func(want string) {
		t.Helper()
		if said, err := w.Run(t.Context()); err != nil || !strings.HasPrefix(said, want) || !strings.Contains(said, "insufficient") {
			t.Fatalf("%q, %v; want %q", said, err, want)
		}
	}
	list := func() []catalog.Finding {
		t.Helper()
		all, err := w.Catalog.Findings(t.Context(), catalog.FindingFilter{Kinds: []catalog.FindingKind{catalog.UnusualConduct}})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	run("0 told")

	// Who only reads tries to put something into production, and to carry out a release.
	reader := access.Principal{ID: "eve", Kind: access.KindPerson, Roles: []access.Role{access.Auditor}}
	try := func(action access.Action, of trail.Resource) {
		t.Helper()
		_, err := w.Registry.Do(t.Context(), registry.Command{Principal: reader, Action: action, Resource: of, Model: "credit"})
		if tallystick.CodeOf(err) != tallystick.Forbidden {
			t.Fatalf("%s: %v", action, err)
		}
		clock = clock.Add(time.Hour)
	}
	production := trail.Resource{Type: "environment", ID: "of r1"}
	try(access.AssignmentRecord, production)
	try(access.ReleasePromote, trail.Resource{Type: "release", ID: "r1"})
	try(access.ModelRegister, trail.Resource{Type: "model", ID: "credit"}) // is about no release
	run("0 told")
	try(access.AssignmentRecord, production)
	run("1 told")
	run("0 told")
	all := list()
	if len(all) != 1 || all[0].Subject != "refused_again" || all[0].Suspect != "eve" || all[0].Environment != "of r1" || all[0].Severity != catalog.SeverityHigh ||
		!strings.HasPrefix(all[0].Summary, "3 attempts at") || !strings.HasSuffix(all[0].Summary, "; events 1, 2, 4") {
		t.Fatalf("%+v", all)
	}
	raised, err := events.Event(t.Context(), all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if public := raised.Sealed(); public["kind"] != "unusual_conduct" || public["summary"] == all[0].Summary || public["attempted_by"] == "eve" {
		t.Errorf("the leaf says %v", public)
	}

	// They cannot settle it themselves, nobody can say that it is put right, and once it is settled the same is not told again.
	settle := func(as catalog.FindingHand) error {
		_, err := w.Registry.Do(t.Context(), registry.Command{Principal: access.Local(as.ID), Action: access.FindingClose, Resource: trail.Resource{Type: "finding", ID: all[0].Fingerprint}, Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := w.Catalog.DismissFinding(tx, all[0].ID, catalog.FindingEnd{Reason: "an exercise"}, as)
			return []trail.Change{change}, err
		}})
		return err
	}
	if err := settle(catalog.FindingHand{ID: "eve", Reviewer: true}); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("they settle it themselves: %v", err)
	}
	if err := settle(catalog.FindingHand{ID: "val", Reviewer: true}); err != nil {
		t.Fatal(err)
	}
	run("0 told")

	// Files of a model of tier high.
	owner := access.Local("ada")
	for _, name := range []string{"credit", "small"} {
		d := catalog.ModelDetails{State: catalog.Experimental, Owner: "olga", TierStated: tallystick.TierHigh}
		if name == "small" {
			d.TierStated = ""
		}
		_, err := w.Registry.Do(t.Context(), registry.Command{Principal: owner, Action: access.ModelRegister, Resource: trail.Resource{Type: "model", ID: name}, Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := w.Catalog.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: d}, "ada")
			return []trail.Change{change}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"ada", "olga", "mallory", "mallory"} {
		err := w.Registry.Note(t.Context(), registry.Command{Principal: access.Local(who), Action: access.ArtifactRead, Resource: trail.Resource{Type: "version", ID: "credit@1"}}, trail.Entry{
			Type: trail.VersionRead, Data: map[string]any{"model": "credit", "version": "1"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run("1 told")
	run("0 told")
	if all = list(); len(all) != 2 || all[0].Suspect != "mallory" || all[0].Subject != "first_taken" || all[0].Severity != catalog.SeverityLow || all[0].Model != "credit" {
		t.Errorf("%+v", all)
	}
	clock = clock.Add(72 * time.Hour)
	run("0 told")
}
