package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/explanation"
	"github.com/tallystick/tallystick/internal/health"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/web"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is an installation with its pages.
type house struct {
	workspace   *workspace.Workspace
	people      *access.Store
	catalog     *catalog.Catalog
	lineage     *lineage.Graph
	releases    *release.Office
	obliged     *obligation.Office
	pages       http.Handler
	captured    *capture.Capture
	cases       *casework.Desk
	incidents   *incident.Office
	monitors    *monitor.Office
	objectives  *objective.Office
	alerts      *alert.Office
	comparisons *comparison.Office
	reactions   *reaction.Office
	board       *health.Board
	labels      *label.Store
	log         *strings.Builder
	started     time.Time
}

const passphrase = "velvet orbit lantern thirteen"

func open(t testing.TB) *house {
	t.Helper()
	dir := t.TempDir()
	w, err := workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: access.KindProgram},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	h := &house{workspace: w, people: access.New(access.Config{DB: w.DB, Recorder: w.Recorder}), catalog: catalog.New(w.DB, w.Trail), lineage: lineage.New(w.DB), log: &strings.Builder{}, started: time.Now()}
	h.releases = release.New(release.Config{Trail: w.Trail, DB: w.DB, Catalog: h.catalog, Access: h.people, Evidence: w.Evidence, Key: w.Keys.Find, Pack: packs(), Now: time.Now})
	kept := h.capture(t)
	h.labels = label.New(w.DB, w.Evidence)
	h.cases = casework.New(casework.Config{DB: w.DB, Recorder: w.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram}, Segments: kept, Labels: label.New(w.DB, w.Evidence), Models: h.catalog})
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	h.obliged = obligation.New(obligation.Config{DB: w.DB, Catalog: h.catalog, Trail: w.Trail, Evidence: w.Evidence})
	itself, asker := trail.Actor{ID: "test", Kind: access.KindProgram}, query.New(w.DB, kept, h.labels)
	h.monitors = monitor.New(monitor.Config{DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: itself, Catalog: h.catalog, Asker: asker, Evidence: w.Evidence, Now: time.Now})
	h.objectives = objective.New(objective.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: itself, Catalog: h.catalog, Asker: asker, Monitors: h.monitors, Cases: h.cases, Evidence: w.Evidence, Now: time.Now, Fresh: h.captured.Cut,
	})
	h.alerts = alert.New(alert.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Actor: itself, Models: h.catalog, Evidence: w.Evidence,
		Sources: map[string]alert.Source{"monitors": alert.Monitors{Judgements: h.monitors}, "objectives": alert.Objectives{Budgets: h.objectives}},
	})
	h.comparisons = comparison.New(comparison.Config{DB: w.DB, Trail: w.Trail, Catalog: h.catalog, Asker: asker, Evidence: w.Evidence, Now: time.Now})
	h.incidents = incident.New(incident.Config{
		DB: w.DB, Catalog: h.catalog, Releases: h.releases, Monitors: h.monitors, Asker: asker, Evidence: w.Evidence, Recorder: w.Recorder, Actor: itself, Now: time.Now,
		Alerts: h.alerts,
	})
	h.reactions = reaction.New(reaction.Config{
		DB: w.DB, Trail: w.Trail, Recorder: w.Recorder, Catalog: h.catalog, People: h.people, Alerts: h.alerts, Comparisons: h.comparisons, Monitors: h.monitors, Incidents: h.incidents,
		Releases: h.releases, Asker: asker, Evidence: w.Evidence, Now: time.Now,
	})
	of := health.New(health.Config{Catalog: h.catalog, Releases: h.releases, Monitors: h.monitors, Objectives: h.objectives, Asker: asker, Now: time.Now})
	h.board = health.NewBoard(of, logger)
	h.pages = web.New(web.Config{
		Origin: w.Origin(), Trail: w.Trail, Ledger: func() (web.Ledger, error) { return w.Prover() }, Catalog: h.catalog, Lineage: h.lineage, Releases: h.releases, Obliged: h.obliged, Evidence: w.Evidence, People: h.people,
		Archive: kept, Labels: h.labels, Cases: h.cases,
		Bodies:    func(ctx context.Context, model string) ([]body.KeepRule, error) { return body.All(ctx, w.DB, model) },
		Explained: explanation.New(explanation.Config{Archive: kept, Catalog: h.catalog, Lineage: h.lineage, Releases: h.releases, Labels: h.labels, Cases: h.cases}),
		Incidents: h.incidents, Monitors: h.monitors, Objectives: h.objectives, Alerts: h.alerts, Comparisons: h.comparisons, Reactions: h.reactions,
		Health: of.Of, Standing: h.board,
		Registry: registry.New(w.DB, w.Recorder), Release: "0.0.1", Now: time.Now, Logger: logger,
	})
	return h
}

// capture opens the way that predictions take into the house, and returns where they are then.
func (h *house) capture(t testing.TB) *archive.Archive {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.workspace.Dir(), "journal")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	h.captured, err = capture.New(t.Context(), capture.Config{
		DB: h.workspace.DB, Catalog: h.catalog, Journal: j, Now: time.Now, Recorder: h.workspace.Recorder, Actor: trail.Actor{ID: "test", Kind: access.KindProgram},
		Segments: h.workspace.Segments, Plan: filepath.Join(h.workspace.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return archive.New(archive.Config{Workspace: h.workspace, Now: time.Now, Fresh: h.captured.Cut})
}

// predict puts predictions on record.
func (h *house) predict(t testing.TB, lines ...string) []prediction.ID {
	t.Helper()
	var records []prediction.Record
	for _, line := range lines {
		r, err := prediction.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	answer, err := h.captured.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%+v, %v", answer, err)
	}
	if err := h.captured.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return answer.IDs
}

// change commits what propose returns.
func (h *house) change(t testing.TB, propose func(*state.Tx) ([]trail.Change, error)) {
	t.Helper()
	err := h.workspace.DB.Write(context.WithoutCancel(t.Context()), func(tx *state.Tx) error {
		changes, err := propose(tx)
		for _, c := range changes {
			if err == nil {
				_, err = h.workspace.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "usr_test", Kind: access.KindPerson}, Purpose: "a test"}, c)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// one makes the list of one change.
func one(c trail.Change, err error) ([]trail.Change, error) {
	if c == nil || err != nil {
		return nil, err
	}
	return []trail.Change{c}, nil
}

// invite adds a person and returns the secret of their link.
func (h *house) invite(t testing.TB, name string, roles ...access.Role) string {
	t.Helper()
	link := access.NewSecret(access.EnrolmentSecret, time.Now())
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.people.AddUser(tx, access.NewUser{Name: name, Roles: roles, Link: link}))
	})
	return link.Reveal()
}

// browser keeps cookies as one does.
type browser struct {
	t       testing.TB
	pages   http.Handler
	cookies map[string]string
}

func (h *house) browser(t testing.TB) *browser {
	return &browser{t, h.pages, map[string]string{}}
}

// as is a browser in which somebody of those roles has signed in.
func (h *house) as(t testing.TB, roles ...access.Role) *browser {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", ".")) + "." + string(roles[0])
	if _, err := h.people.Redeem(t.Context(), h.invite(t, name, roles...), passphrase); err != nil {
		t.Fatal(err)
	}
	b := h.browser(t)
	if got := b.post("/sign-in", url.Values{"name": {name}, "passphrase": {passphrase}}); got.Code != http.StatusSeeOther {
		t.Fatalf("sign in: %d\n%s", got.Code, got.Body)
	}
	return b
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

func (b *browser) get(address string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do(httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil))
}

func (b *browser) post(address string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, address, io.NopCloser(strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}
