package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/internal/explanation"
	"github.com/tallystick/tallystick/internal/health"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/notify"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is a workspace of its own with what the API needs.
type house struct {
	api.Config
	dir     string
	journal *journal.Journal
}

func newHouse(t testing.TB) house {
	t.Helper()
	return newHouseOf(t, journal.Options{})
}

func newHouseOf(t testing.TB, options journal.Options) house {
	t.Helper()
	dir := t.TempDir()
	w, err := workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	options.Dir = filepath.Join(w.Dir(), "journal")
	j, err := journal.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // a test may have closed it
	cat, people := catalog.New(w.DB, w.Trail), access.New(access.Config{DB: w.DB, Recorder: w.Recorder})
	predictions, err := capture.New(t.Context(), capture.Config{
		DB: w.DB, Catalog: cat, Journal: j, Now: time.Now,
		Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: "program"}, Segments: w.Segments, Plan: filepath.Join(w.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := archive.New(archive.Config{Workspace: w, Now: time.Now, Fresh: predictions.Cut})
	cases := casework.New(casework.Config{DB: w.DB, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: "program"}, Segments: kept, Labels: label.New(w.DB, w.Evidence), Models: cat})
	h := house{dir: w.Dir(), journal: j, Config: api.Config{
		Workspace: w, Registry: registry.New(w.DB, w.Recorder), Catalog: cat, Lineage: lineage.New(w.DB), Access: people,
		Releases: release.New(release.Config{
			Trail: w.Trail, DB: w.DB, Catalog: cat, Access: people, Evidence: w.Evidence, Key: w.Keys.Find, Pack: policy.Packs(""), Now: time.Now,
			Files: w.Artifacts.Open, Signer: w.Signer,
		}),
		Obliged: obligation.New(obligation.Config{DB: w.DB, Catalog: cat, Trail: w.Trail, Evidence: w.Evidence}),
		Packages: dossier.New(dossier.Config{
			Workspace: w, Catalog: cat, People: people, Cases: cases, Pack: policy.Packs(""), Program: "tallystick test", Now: time.Now,
		}),
		Notify:      notify.NewStore(notify.StoreConfig{DB: w.DB, Vault: notify.NewVault(filepath.Join(w.Dir(), "notify"))}),
		Predictions: predictions,
		Release:     "test", Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Archive: kept, Labels: label.New(w.DB, w.Evidence),
		Cases: cases,
	}}
	h.Monitors = monitor.New(monitor.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram}, Catalog: cat,
		Asker: query.New(w.DB, kept, h.Labels), Evidence: w.Evidence, Now: time.Now,
	})
	h.Objectives = objective.New(objective.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram}, Catalog: cat,
		Asker: query.New(w.DB, kept, h.Labels), Monitors: h.Monitors, Cases: cases, Evidence: w.Evidence, Now: time.Now,
	})
	h.Health = health.New(health.Config{Catalog: cat, Releases: h.Releases, Monitors: h.Monitors, Objectives: h.Objectives, Asker: query.New(w.DB, kept, h.Labels), Now: time.Now})
	h.Alerts = alert.New(alert.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram}, Models: cat, Evidence: w.Evidence,
		Sources: map[string]alert.Source{"monitors": alert.Monitors{Judgements: h.Monitors}},
	})
	h.Incidents = incident.New(incident.Config{
		DB: w.DB, Catalog: cat, Releases: h.Releases, Monitors: h.Monitors, Asker: query.New(w.DB, kept, h.Labels), Evidence: w.Evidence, Now: time.Now,
		Alerts: h.Alerts, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram},
	})
	h.Comparisons = comparison.New(comparison.Config{
		DB: w.DB, Trail: w.Trail, Catalog: cat, Asker: query.New(w.DB, kept, h.Labels), Evidence: w.Evidence, Now: time.Now,
	})
	h.Reactions = reaction.New(reaction.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Catalog: cat, People: h.Access, Alerts: h.Alerts, Comparisons: h.Comparisons, Monitors: h.Monitors, Incidents: h.Incidents,
		Releases: h.Releases, Asker: query.New(w.DB, kept, h.Labels), Evidence: w.Evidence, Now: time.Now,
	})
	h.Explained = explanation.New(explanation.Config{Archive: h.Archive, Catalog: h.Catalog, Lineage: h.Lineage, Releases: h.Releases, Labels: h.Labels, Cases: h.Cases})
	return h
}

// as returns the API as one who has the roles sees it; as nobody does, without roles.
func (h house) as(name string, roles ...access.Role) http.Handler {
	config := h.Config
	if len(roles) > 0 {
		config.Local = &access.Principal{ID: "usr_" + name, Kind: access.KindPerson, Roles: roles}
		if roles[0] == access.Service {
			config.Local.Kind = access.KindService
		}
	}
	return api.New(config)
}

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

// ask sends a request; headers are NAME, VALUE, NAME, VALUE ...
func ask(t testing.TB, handler http.Handler, method, path string, body any, headers ...string) answer {
	t.Helper()
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, api.Prefix+path, content)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.Bytes()}
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.StatusCode, a.body) }

// want fails unless the answer has the status, and is a problem document with a code if it is no success.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("answered %s, want %d", a, status)
	}
	if status >= 400 {
		a.problem(t)
	}
	return a
}

// problem reads the problem document.
func (a answer) problem(t testing.TB) (p struct {
	Status             int
	Title, Detail      string
	Hint, Code, Schema string
},
) {
	t.Helper()
	if err := json.Unmarshal(a.body, &p); err != nil || a.Header.Get("Content-Type") != "application/problem+json" || p.Status != a.StatusCode || p.Title == "" || p.Code == "" {
		t.Errorf("no problem document (%q): %s", a.Header.Get("Content-Type"), a)
	}
	return p
}

func read[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	return v
}

// count returns how many events there are of a type.
func (h house) count(t testing.TB, of trail.Type) uint64 {
	t.Helper()
	n, err := h.Workspace.Trail.Count(t.Context(), trail.Filter{Type: of})
	if err != nil {
		t.Fatal(err)
	}
	return uint64(n)
}

// version registers an experimental model with one version of one file, and uploads the file.
func (h house) version(t testing.TB, model, file, content string) tallystick.Digest {
	t.Helper()
	c, d := h.as("ada", access.Scientist), tallystick.DigestOf([]byte(content))
	ask(t, c, "POST", "/models", map[string]any{"name": model, "state": "experimental"}).want(t, 200)
	ask(t, c, "POST", "/models/"+model+"/versions", map[string]any{
		"version": "1", "manifest": []any{map[string]any{"name": file, "digest": d, "size": len(content)}},
	}).want(t, 200)
	ask(t, c, "PUT", "/models/"+model+"/artifacts/"+string(d), content, "Content-Type", "application/octet-stream").want(t, 200)
	return d
}
