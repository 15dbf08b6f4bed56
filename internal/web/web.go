package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/body"
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
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Config says what the pages are about. All but Health, Standing, Receivers, Secure and Release are required.
type Config struct {
	Origin    string // of the ledger
	Trail     *trail.Reader
	Ledger    func() (Ledger, error) // as of the checkpoint that is published now
	Catalog   *catalog.Catalog
	Lineage   *lineage.Graph
	Releases  *release.Office
	Obliged   *obligation.Office
	Packages  Packages
	Archive   *archive.Archive
	Labels    *label.Store
	Cases     *casework.Desk
	Bodies    func(ctx context.Context, model string) ([]body.KeepRule, error) // the rules by which bodies are kept
	Explained *explanation.Explainer
	Alerts    *alert.Office
	// Receivers names those whom routes tell of an alert. Nil: no routes are known here.
	Receivers   func(ctx context.Context, a alert.Alert) ([]string, error)
	Comparisons *comparison.Office
	Objectives  *objective.Office
	Incidents   *incident.Office
	Reactions   *reaction.Office
	Monitors    *monitor.Office
	Evidence    Evidence
	Health      func(ctx context.Context, model string) (health.Health, error) // nil: it is not told of
	Standing    *health.Board                                                  // of all models, for the inventory; nil: it is not told there
	People      People
	Registry    *registry.Registry
	Secure      bool // requests come by TLS, even where a proxy ends it
	Release     string
	Now         func() time.Time
	Logger      *slog.Logger
}

// Packages hands out what is on record about a model, for an auditor.
type Packages interface {
	HandOut(ctx context.Context, by *registry.Registry, who access.Principal, purpose string, r dossier.Request) (*dossier.Package, error)
}

// Ledger proves events against one published checkpoint.
type Ledger interface {
	Checkpoint() []byte // signed
	// Prove returns a Conflict error for an event that the checkpoint does not cover.
	Prove(ctx context.Context, event trail.Event) (verify.InclusionProof, error)
}

// server answers for the pages.
type server struct {
	Config
	pages  pages
	assets assets
}

// New returns the handler of the pages, to be mounted at the root.
func New(config Config) http.Handler {
	a := newAssets()
	s := &server{Config: config, assets: a, pages: parsePages(a)}
	return s.routes()
}

// whole is the resource of what concerns the installation as a whole.
var whole = trail.Resource{Type: "workspace", ID: "this"}

// discloses reports whether somebody may see what is sealed.
func discloses(p access.Principal) bool { return p.Allows(access.TrailDisclose, whole) == nil }
