package reaction_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is a workspace in which credit@2 serves live, and credit@1 did before.
type house struct {
	*reaction.Office
	*workspace.Workspace
	catalog   *catalog.Catalog
	access    *access.Store
	releases  *release.Office
	incidents *incident.Office
	now       time.Time
	gateFails bool // the gate cannot be asked
	ops       access.Principal
	second    access.Principal
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	dir := t.TempDir()
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Now: clock,
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
	h.catalog, h.access = catalog.New(h.DB, h.Trail), access.New(access.Config{DB: h.DB, Recorder: h.Recorder, Now: clock})
	kept, labels := archive.New(archive.Config{Workspace: h.Workspace, Now: clock}), label.New(h.DB, h.Evidence)
	t.Cleanup(kept.Close)
	asker, me := query.New(h.DB, kept, labels), trail.Actor{ID: "tallystick", Kind: access.KindProgram}
	packs := policy.Packs("")
	h.releases = release.New(release.Config{
		DB: h.DB, Trail: h.Trail, Catalog: h.catalog, Access: h.access, Evidence: h.Evidence, Key: h.Keys.Find, Now: clock,
		Pack: func(tier tallystick.Tier) (*policy.Pack, error) {
			if h.gateFails {
				return nil, errors.New("the gate is away")
			}
			return packs(tier)
		},
	})
	monitors := monitor.New(monitor.Config{DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: me, Catalog: h.catalog, Asker: asker, Evidence: h.Evidence, Now: clock})
	alerts := alert.New(alert.Config{DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: me, Models: h.catalog, Evidence: h.Evidence})
	h.incidents = incident.New(incident.Config{
		DB: h.DB, Catalog: h.catalog, Releases: h.releases, Monitors: monitors, Asker: asker, Evidence: h.Evidence, Alerts: alerts, Recorder: h.Recorder, Actor: me, Now: clock,
	})
	h.Office = reaction.New(reaction.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Catalog: h.catalog, People: h.access, Alerts: alerts, Monitors: monitors, Incidents: h.incidents, Releases: h.releases, Asker: asker, Evidence: h.Evidence, Now: clock,
		Comparisons: comparison.New(comparison.Config{DB: h.DB, Trail: h.Trail, Catalog: h.catalog, Asker: asker, Evidence: h.Evidence, Now: clock}),
	})
	h.ops, h.second = h.person(t, "ops", access.Operator), h.person(t, "second", access.Approver)
	h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "live", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
	})
	h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterAudited(tx, catalog.AuditedModel{Model: "credit", Owner: "ada", Tier: tallystick.TierLow, Actor: "ada"})
	})
	for _, version := range []string{"1", "2"} {
		h.let(t, version)
	}
	return h
}

// as commits what is proposed, in somebody's name.
func (h *house) as(t *testing.T, who access.Principal, propose func(tx *state.Tx) (trail.Change, error)) (receipt trail.Receipt) {
	t.Helper()
	h.now = h.now.Add(time.Second)
	err := h.DB.Write(t.Context(), func(tx *state.Tx) error {
		change, err := propose(tx)
		if err == nil && change != nil {
			receipt, err = h.Recorder.Commit(tx, trail.Act{Actor: who.Actor()}, change)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func (h *house) person(t *testing.T, name string, roles ...access.Role) access.Principal {
	t.Helper()
	link := access.NewSecret(access.EnrolmentSecret, h.now)
	h.as(t, access.Local("root"), func(tx *state.Tx) (trail.Change, error) {
		return h.access.AddUser(tx, access.NewUser{Name: name, Roles: roles, Link: link})
	})
	if _, err := h.access.Redeem(t.Context(), link.Reveal(), "otter lamp Tuesday gravel"); err != nil {
		t.Fatal(err)
	}
	u, err := h.access.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return access.Principal{ID: u.ID, Name: u.Name, Kind: u.Kind, Roles: u.Roles}
}

// let registers a version and makes it champion.
func (h *house) let(t *testing.T, version string) {
	t.Helper()
	files, err := artifact.NewManifest([]artifact.File{{Name: "weights.bin", Digest: tallystick.DigestOf([]byte(version)), Size: 1}})
	if err != nil {
		t.Fatal(err)
	}
	h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: version, Manifest: files, Details: catalog.VersionDetails{Changelog: "better"}})
	})
	request := h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) {
		return h.releases.Ask(tx, release.Asking{Model: "credit", Version: version, Environment: "live"}, h.ops)
	}).ID
	h.promote(t, request)
}

func (h *house) promote(t *testing.T, request string) {
	t.Helper()
	j, err := h.releases.Judge(t.Context(), request)
	if err != nil || j.Decision.Verdict != tallystick.Pass {
		t.Fatalf("%s: %+v, %v", request, j.Decision, err)
	}
	err = h.DB.Write(t.Context(), func(tx *state.Tx) error {
		changes, err := h.releases.Promote(tx, j)
		for _, change := range changes {
			if _, err := h.Recorder.Commit(tx, trail.Act{Actor: h.ops.Actor()}, change); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// apply applies a reaction in the name of ops; approve has the second person approve it.
func (h *house) apply(t *testing.T, source string, approve bool) {
	t.Helper()
	doc, err := reaction.Parse([]byte(source), "r.yaml")
	if err != nil {
		t.Fatal(err)
	}
	change, err := h.PrepareApply(t.Context(), doc.Name, []byte(source), h.ops)
	if err != nil {
		t.Fatal(err)
	}
	h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) { return h.ProposeApply(tx, change) })
	if approve {
		h.as(t, h.second, func(tx *state.Tx) (trail.Change, error) { return h.Approve(tx, doc.Name, "", "looked at it", h.second) })
	}
	h.now = h.now.Add(time.Second)
}

// fire lets an alert fire about the drift of a subject, and returns its id.
func (h *house) fire(t *testing.T, subject string, severity alert.Severity) string {
	t.Helper()
	return h.fireOf(t, "monitor/hourly/drift", subject, severity)
}

// fireOf lets an alert of a rule fire.
func (h *house) fireOf(t *testing.T, rule, subject string, severity alert.Severity) string {
	t.Helper()
	o := alert.Observation{Rule: rule, Model: "credit", Version: "2", Environment: "live", Subject: subject}
	return h.as(t, h.ops, func(*state.Tx) (trail.Change, error) {
		return &alert.Fired{
			Identity: alert.Identity{Fingerprint: o.Fingerprint(), Rule: o.Rule, Model: o.Model, Version: o.Version, Environment: o.Environment, Subject: subject, Severity: severity},
			Judged:   alert.Judged{From: "2026-03-01T10:00:00Z", To: "2026-03-01T11:00:00Z", Verdict: tallystick.Fail, Words: "income is east"},
		}, nil
	}).ID
}

// run looks, and says what was tried since the start, the oldest first.
func (h *house) run(t *testing.T) string {
	t.Helper()
	if _, err := h.incidents.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h.story(t)
}

func (h *house) story(t *testing.T) string {
	t.Helper()
	all, err := h.Tries(t.Context(), reaction.TryFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for n := range all {
		try := all[len(all)-1-n]
		out = append(out, string(try.Deed)+" "+string(try.State))
	}
	return strings.Join(out, ", ")
}

func (h *house) last(t *testing.T) reaction.Try {
	t.Helper()
	all, err := h.Tries(t.Context(), reaction.TryFilter{Limit: 1})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d tries, %v", len(all), err)
	}
	return all[0]
}

func (h *house) champion(t *testing.T) string {
	t.Helper()
	s, err := h.releases.Standing(t.Context(), "live", "credit")
	if err != nil || s.Champion == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	return s.Champion.Version
}

// replays fails the test unless the tables of reactions follow from the trail.
func (h *house) replays(t *testing.T) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	r := trail.Replayer{Changes: reaction.Changes(), Tables: reaction.Tables()}
	if n, err := r.Check(t.Context(), h.Trail, scratch); err != nil || n == 0 {
		t.Errorf("%d changes, %v", n, err)
	}
}
