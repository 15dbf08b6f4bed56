package web

import (
	"net/http"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
)

// maxForm bounds the body of a form in bytes.
const maxForm = 64 << 10

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, action access.Action, show func(*visit) error) {
		mux.Handle(pattern, s.handle(func(v *visit) error {
			if err := s.admit(v, action); err != nil {
				return err
			}
			return show(v)
		}))
	}
	// A form of a page belongs to the session that opened the page. What it asks for has rights of its own.
	form := func(pattern string, do func(*visit) error) {
		page(pattern, access.CatalogRead, func(v *visit) error {
			if err := v.session.CheckCSRF(v.r.PostFormValue("csrf")); err != nil {
				return err
			}
			return do(v)
		})
	}
	open := func(pattern string, show func(*visit) error) { mux.Handle(pattern, s.handle(show)) }

	page("GET /{$}", access.CatalogRead, s.inventory)
	page("GET /models/{model}", access.CatalogRead, s.model)
	page("GET /models/{model}/versions", access.CatalogRead, s.versions)
	page("GET /models/{model}/versions/{version}", access.CatalogRead, s.version)
	page("GET /models/{model}/versions/{version}/evidence/{digest}", access.CatalogRead, s.evidence)
	page("GET /models/{model}/diff", access.CatalogRead, s.diff)
	page("GET /models/{model}/behaviour", access.CatalogRead, s.behaviour)
	page("GET /models/{model}/rules", access.CatalogRead, s.rules)
	page("GET /models/{model}/history", access.TrailRead, s.history)
	page("GET /models/{model}/versions/{version}/release", access.CatalogRead, s.askForm)
	page("GET /reviews", access.CatalogRead, s.reviews)
	page("GET /models/{model}/releases", access.CatalogRead, s.releases)
	form("POST /models/{model}/releases", s.askRelease)
	page("GET /models/{model}/rollback", access.CatalogRead, s.rollback)
	form("POST /models/{model}/rollback", s.rollBack)
	page("GET /models/{model}/waivers", access.CatalogRead, s.waivers)
	form("POST /models/{model}/waivers", s.askWaiver)
	page("GET /waivers", access.CatalogRead, s.waivers)
	page("GET /waivers/{waiver}", access.CatalogRead, s.waiver)
	form("POST /waivers/{waiver}/review", s.reviewWaiver)
	form("POST /waivers/{waiver}/revocation", s.revokeWaiver)
	page("GET /freezes", access.CatalogRead, s.freezes)
	form("POST /freezes", s.declareFreeze)
	form("POST /freezes/{freeze}/end", s.liftFreeze)
	page("GET /releases/{release}", access.CatalogRead, s.release)
	page("GET /models/{model}/obligations", access.CatalogRead, s.obligations)
	page("GET /obligations", access.CatalogRead, s.gaps)
	page("GET /models/{model}/package", access.CatalogRead, s.packageForm)
	form("POST /models/{model}/package", s.handOut)
	form("POST /releases/{release}/review", s.reviewRelease)
	form("POST /releases/{release}/withdrawal", s.withdrawRelease)
	form("POST /releases/{release}/promotion", s.promoteRelease)
	page("GET /findings", access.CatalogRead, s.findings)
	page("GET /findings/{finding}", access.CatalogRead, s.finding)
	form("POST /findings/{finding}/triage", s.triageFinding)
	form("POST /findings/{finding}/remedy", s.remediateFinding)
	form("POST /findings/{finding}/end", s.endFinding)
	page("GET /alerts", access.CatalogRead, s.alerts)
	page("GET /alerts/{alert}", access.CatalogRead, s.alert)
	form("POST /alerts/{alert}/silence", s.silenceAlert)
	form("POST /alerts/{alert}/resolution", s.resolveAlert)
	page("GET /silences", access.CatalogRead, s.silences)
	form("POST /silences", s.createSilence)
	form("POST /silences/{silence}/end", s.endSilence)
	page("GET /reactions", access.CatalogRead, s.listReactions)
	page("GET /reactions/{reaction}", access.CatalogRead, s.reaction)
	form("POST /reactions/{reaction}/approval", s.approveReaction)
	form("POST /reactions/{reaction}/removal", s.removeReaction)
	page("GET /retrainings/{retraining}", access.CatalogRead, s.retraining)
	page("GET /retrainings/{retraining}/report", access.CatalogRead, s.retrainingReport)
	page("GET /objectives", access.CatalogRead, s.listObjectives)
	page("GET /objectives/{objective}", access.CatalogRead, s.objective)
	page("GET /comparisons", access.CatalogRead, s.comparisons)
	page("GET /comparisons/{comparison}", access.CatalogRead, s.comparison)
	page("GET /incidents", access.CatalogRead, s.incidents)
	form("POST /incidents", s.openIncident)
	page("GET /incidents/{incident}", access.PredictionRead, s.incident)
	page("GET /incidents/{incident}/post-mortem", access.PredictionRead, s.postMortem)
	form("POST /incidents/{incident}/{act}", s.workIncident)
	page("GET /predictions", access.PredictionRead, s.findPrediction)
	page("GET /predictions/{prediction}", access.PredictionRead, s.prediction)
	page("GET /predictions/{prediction}/letter", access.PredictionRead, s.letter)
	form("POST /predictions/{prediction}/case", s.openCase)
	page("GET /cases", access.PredictionRead, s.cases)
	page("GET /cases/{case}", access.PredictionRead, s.oneCase)
	form("POST /cases/{case}/claim", s.claimCase)
	form("POST /cases/{case}/return", s.giveCaseBack)
	form("POST /cases/{case}/opinion", s.judgeCase)
	page("GET /lineage", access.CatalogRead, s.lineage)
	page("GET /trail", access.TrailRead, s.trail)
	page("GET /trail/{event}", access.TrailRead, s.event)
	page("GET /trail/{event}/proof", access.TrailRead, s.proof)
	page("GET /trail/{event}/leaf", access.TrailRead, s.leaf)

	open("GET /sign-in", s.signIn)
	open("POST /sign-in", s.signedIn)
	open("POST /sign-out", s.signOut)
	open("GET /enrol", s.enrol)
	open("POST /enrol", s.enrolled)
	open("POST /theme", s.theme)
	open("/", func(v *visit) error {
		return tallystick.Errorf(tallystick.NotFound, "there is no page %.200q", v.r.URL.Path).WithHint("the inventory leads to all of them")
	})

	root := http.NewServeMux()
	root.Handle("GET "+assetRoot, s.assets)
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(s.handle(func(*visit) error {
		return tallystick.Errorf(tallystick.Forbidden, "the form came from another site").WithHint("open the page here and send it again")
	}))
	root.Handle("/", origin.Handler(http.MaxBytesHandler(mux, maxForm)))
	return s.guarded(root)
}
