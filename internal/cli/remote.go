package cli

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
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
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/notify"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is an open workspace with those who work in it.
type house struct {
	*workspace.Workspace
	registry   *registry.Registry
	catalog    *catalog.Catalog
	lineage    *lineage.Graph
	access     *access.Store
	notify     *notify.Store
	releases   *release.Office
	obliged    *obligation.Office
	packages   *dossier.Office
	capture    *capture.Capture // nil where no journal is open
	archive    *archive.Archive
	labels     *label.Store
	cases      *casework.Desk
	monitors   *monitor.Office
	compared   *comparison.Office
	objectives *objective.Office
	alerts     *alert.Office
	board      *health.Board
	incidents  *incident.Office
	reactions  *reaction.Office
}

// packs gives the rules of the gate for a tier.
type packs = func(tallystick.Tier) (*policy.Pack, error)

func (a *app) house(w *workspace.Workspace) house {
	judging := a.packs
	if judging == nil {
		judging = policy.Packs("")
	}
	h := house{
		Workspace: w,
		registry:  registry.New(w.DB, w.Recorder),
		catalog:   catalog.New(w.DB, w.Trail),
		lineage:   lineage.New(w.DB),
		access:    access.New(access.Config{DB: w.DB, Recorder: w.Recorder, BootstrapFile: filepath.Join(w.Dir(), "bootstrap-secret")}),
		notify:    subscriptions(w),
	}
	h.releases = release.New(release.Config{
		Trail: w.Trail, DB: w.DB, Catalog: h.catalog, Access: h.access, Evidence: w.Evidence, Key: w.Keys.Find, Now: time.Now,
		Pack: judging, Files: w.Artifacts.Open, Signer: w.Signer, Budgets: objective.New(objective.Config{}),
	})
	h.obliged = obligation.New(obligation.Config{DB: w.DB, Catalog: h.catalog, Trail: w.Trail, Evidence: w.Evidence, Cosigned: w.Cosigned, Signers: h.releases.SignersIn})
	h.archive, h.labels = h.archived(nil), label.New(w.DB, w.Evidence)
	h.cases, h.monitors = h.desk(), h.watch()
	h.objectives = h.keeper(nil)
	h.alerts = h.alerting()
	h.incidents = h.incidentOffice()
	h.compared = h.comparer()
	h.reactions = h.reactionOffice()
	h.packages = dossier.New(dossier.Config{
		Workspace: w, Catalog: h.catalog, People: h.access, Cases: h.cases, Pack: judging, Program: "tallystick " + tool().Version, Now: time.Now,
	})
	return h
}

// api returns the handler of the API: for whoever proves who they are, or for the user of this machine
// alone.
func (a *app) api(h house, local *access.Principal, addresses api.AddressChecker) http.Handler {
	return api.New(api.Config{
		Workspace: h.Workspace, Registry: h.registry, Catalog: h.catalog, Lineage: h.lineage, Access: h.access, Releases: h.releases, Obliged: h.obliged, Packages: h.packages,
		Notify: h.notify, Addresses: addresses, Predictions: h.capture, Archive: h.archive, Labels: h.labels, Cases: h.cases, Comparisons: h.compared, Monitors: h.monitors, Incidents: h.incidents, Reactions: h.reactions, Objectives: h.objectives, Health: h.health(), Alerts: h.alerts,
		Explained: h.explainer(), Local: local, Fetch: a.fetch, Release: tool().Version, Logger: slog.Default(), Now: time.Now,
	})
}

// explainer answers for single decisions.
func (h house) explainer() *explanation.Explainer {
	return explanation.New(explanation.Config{Archive: h.archive, Catalog: h.catalog, Lineage: h.lineage, Releases: h.releases, Labels: h.labels, Cases: h.cases})
}

// session is a conversation with a server, or with the workspace of this machine as if it were one.
type session struct {
	*client.Client
	local *workspace.Workspace // nil if there is a server
}

// dial begins a session: with --server or TALLYSTICK_SERVER over the network, otherwise with the
// workspace. Asking questions must not make a workspace.
func (a *app) dial(ctx context.Context, mustExist bool) (*session, error) {
	config := client.Config{UserAgent: "tallystick/" + tool().Version, Purpose: a.purpose}
	if server := a.serverURL(); server != "" {
		token, err := a.token(server)
		if err != nil {
			return nil, err
		}
		config.Server, config.Token = server, token
		c, err := client.New(config)
		return &session{Client: c}, err
	}
	w, err := a.open(ctx, mustExist)
	if err != nil {
		return nil, err
	}
	who := access.Local(w.Actor().ID)
	config.Server, config.Transport = "http://localhost", client.Handler{Handler: a.api(a.house(w), &who, nil)}
	c, err := client.New(config)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &session{Client: c, local: w}, nil
}

// token returns the API token, or the secret of the session with the server. It comes from the
// environment or a file, never from a flag: others on this machine could read it there.
func (a *app) token(server string) (string, error) {
	if token := os.Getenv("TALLYSTICK_TOKEN"); token != "" {
		return token, nil
	}
	path := os.Getenv("TALLYSTICK_TOKEN_FILE")
	if path == "" {
		return keptSession(server)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "token file: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// Close ends the session. What was acknowledged is durable; in a workspace of this machine it is sealed
// too if seal says so.
func (s *session) Close(ctx context.Context, seal bool) error {
	if s.local == nil {
		return nil
	}
	var err error
	if seal {
		_, err = s.local.Seal(ctx)
	}
	return errors.Join(err, s.local.Close())
}
