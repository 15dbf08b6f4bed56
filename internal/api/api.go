// Package api is the HTTP door: JSON under /api/v1, described by an OpenAPI 3.1 document that is made
// from the Go types, with errors as problem documents (RFC 9457).
package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/dial"
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
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/workspace"
)

// Prefix begins every path of the API.
const Prefix = "/api/v1"

const (
	maxBody  = 4 << 20          // bytes of a JSON body
	bodyWait = 10 * time.Second // for a JSON body
)

// Config says what the door opens to.
type Config struct {
	Workspace *workspace.Workspace
	Registry  *registry.Registry
	Catalog   *catalog.Catalog
	Lineage   *lineage.Graph
	Access    *access.Store
	Notify    *notify.Store
	Addresses AddressChecker // nil: addresses are looked at when they are spoken to
	Releases  *release.Office
	Obliged   *obligation.Office
	Packages  *dossier.Office
	// Predictions takes predictions in. Nil takes none.
	Predictions *capture.Capture
	Archive     *archive.Archive
	Labels      *label.Store
	Cases       *casework.Desk
	Monitors    *monitor.Office
	Comparisons *comparison.Office
	Alerts      *alert.Office
	Objectives  *objective.Office
	Incidents   *incident.Office
	Reactions   *reaction.Office
	Health      *health.Office
	Explained   *explanation.Explainer
	// Local acts in every request instead of whom a token proves: for a program that asks its own
	// workspace, without a network between. Nil asks for tokens.
	Local *access.Principal
	// Fetch gets artifacts from URLs. Nil gets none.
	Fetch   *dial.Client
	Release string // of the program
	Logger  *slog.Logger
	Now     func() time.Time
}

type server struct {
	Config
	huma     huma.API
	fetching chan struct{} // holds one for each fetch that is under way
	intake   *intake
	labels   *label.Store
	asker    *query.Asker
}

// elsewhere is the pattern of all paths at which there is nothing.
const elsewhere = "/"

// New returns the handler of everything under Prefix; at other paths it finds nothing.
func New(config Config) http.Handler {
	mux := http.NewServeMux()
	document := huma.DefaultConfig("Tallystick", config.Release)
	document.Info.Description = "The registry, the audit trail and the evidence of machine-learning models."
	document.OpenAPIPath = Prefix + "/openapi"
	document.DocsPath, document.SchemasPath = "", "" // the document describes itself; no page loads scripts from elsewhere
	document.Transformers = append(document.Transformers, refusal)
	document.CreateHooks = nil // nor does a body carry links to its schema
	document.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "an API token, made by `tallystick token create`"},
	}
	document.Security = []map[string][]string{{"token": {}}}
	if config.Fetch == nil {
		config.Fetch = dial.New(dial.Config{}) // which may speak to nobody
	}
	s := &server{Config: config, huma: humago.New(mux, document), fetching: make(chan struct{}, maxFetches)}
	s.labels = label.New(config.Workspace.DB, config.Workspace.Evidence)
	s.asker = query.New(config.Workspace.DB, config.Archive, s.labels)
	s.huma.UseMiddleware(s.known)
	s.describeValues() // before what has them
	s.doors()
	s.principals()
	s.users()
	s.tokens()
	s.events()
	s.jobs()
	s.models()
	s.versions()
	s.evidence()
	s.artifacts()
	s.fetches()
	s.inventory()
	s.diffs()
	s.modelEvidence()
	s.datasets()
	s.snapshots()
	s.environments()
	s.deployments()
	s.assignments()
	s.findings()
	s.cases()
	s.bodies()
	s.monitors()
	s.comparisons()
	s.alerts()
	s.objectives()
	s.incidents()
	s.holds()
	s.reactions()
	s.retrainings()
	s.healths()
	s.explanations()
	s.notifications()
	s.releases()
	s.gate()
	s.policies()
	s.trials()
	s.freezes()
	s.waivers()
	s.signers()
	s.obligations()
	s.packages()
	s.predictionReads()
	s.predictionKeeping()
	s.predictionQueries()
	s.labelling()
	s.lineage(mux)
	s.predictions(mux)
	mux.HandleFunc(elsewhere, s.strayed(mux))
	return s.identify(mux)
}

// operation describes one call. Every one may answer with a problem document.
func operation(id, method, path, summary, tag string, statuses ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: Prefix + path, Summary: summary, Tags: []string{tag},
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyWait,
		Errors: append([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}, statuses...),
	}
}
