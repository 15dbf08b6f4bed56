package alert_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is a workspace with the model credit, and a source whose judgements a test writes.
type house struct {
	*alert.Office
	*workspace.Workspace
	registry *registry.Registry
	source   *source
	now      time.Time
}

// source gives the observations that a test put into it: those of one event together.
type source struct{ all []alert.Observation }

func (s *source) Observations(_ context.Context, after uint64, limit int) (all []alert.Observation, next uint64, err error) {
	next = after
	events := 0
	for _, o := range s.all {
		if o.Event <= after {
			continue
		}
		if o.Event != next {
			if events++; events > limit {
				break
			}
			next = o.Event
		}
		all = append(all, o)
	}
	return all, next, nil
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{now: noon, source: &source{}}
	dir := t.TempDir()
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Now: func() time.Time { return h.now },
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
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		change, err := c.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
		return []trail.Change{change}, err
	})
	h.Office = h.office()
	return h
}

// office returns another office of the same workspace, as after a restart.
func (h *house) office() *alert.Office {
	return alert.New(alert.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Models: catalog.New(h.DB, h.Trail), Evidence: h.Evidence,
		Sources: map[string]alert.Source{"test": h.source},
	})
}

func (h *house) do(t testing.TB, propose func(tx *state.Tx) ([]trail.Change, error)) registry.Done {
	t.Helper()
	done, err := h.registry.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: propose})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// drift is what was judged of income in the window of an hour.
func drift(hour int, verdict tallystick.Verdict) alert.Observation {
	from := noon.Add(time.Duration(hour) * time.Hour)
	return alert.Observation{
		Rule: "monitor/hourly/drift", Model: "credit", Version: "1", Environment: "production", Subject: "income", Severity: alert.Ticket,
		From: from, To: from.Add(time.Hour), Verdict: verdict, Words: fmt.Sprintf("income in hour %d: %s", hour, verdict), Evidence: tallystick.DigestOf([]byte{byte(hour)}),
	}
}

// judge puts observations on record as one event, a minute after the last.
func (h *house) judge(all ...alert.Observation) {
	event := uint64(1)
	if n := len(h.source.all); n > 0 {
		event = h.source.all[n-1].Event + 1
	}
	for i := range all {
		all[i].Event = event
	}
	h.source.all = append(h.source.all, all...)
	h.now = h.now.Add(time.Minute)
}

func (h *house) run(t testing.TB) string {
	t.Helper()
	outcome, err := h.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func (h *house) alerts(t testing.TB, f alert.Filter) []alert.Alert {
	t.Helper()
	all, err := h.Alerts(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// events returns the short types of the events of alerts and silences, oldest first, with what matters of each.
func (h *house) events(t testing.TB) string {
	t.Helper()
	all, err := h.Trail.Events(t.Context(), trail.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		if kind := e.Type.Short(); strings.HasPrefix(kind, "alert.") || strings.HasPrefix(kind, "silence.") {
			_, kind, _ = strings.Cut(kind, ".")
			out = append(out, kind)
		}
	}
	return strings.Join(out, " ")
}

// replays fails the test unless the tables follow from the trail.
func (h *house) replays(t testing.TB) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	r := trail.Replayer{Changes: alert.Changes(), Tables: alert.Tables()}
	n, err := r.Check(t.Context(), h.Trail, scratch)
	if err != nil {
		t.Error(err)
	}
	if n == 0 {
		t.Error("no change was replayed")
	}
}
