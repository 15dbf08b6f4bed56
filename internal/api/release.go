package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func releaseResource(id string) trail.Resource { return trail.Resource{Type: "release", ID: id} }

type askReleaseInput struct {
	Request
	Body struct {
		release.Asking
		Days int `json:"days,omitempty" minimum:"1" maximum:"90" doc:"for how long it can be carried out; 14 if absent"`
	}
}

func (in askReleaseInput) asking() release.Asking {
	a := in.Body.Asking
	a.Lasts = time.Duration(in.Body.Days) * 24 * time.Hour
	return a
}

// OnRelease names a request in the path.
type OnRelease struct {
	Request
	Release string `path:"release" maxLength:"64" doc:"id of the request"`
}

type reviewInput struct {
	OnRelease
	Body release.Opining
}

type reasonInput struct {
	OnRelease
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"4096" doc:"why"`
	}
}

// ReleaseView is a request with what was said of it.
type ReleaseView struct {
	release.Request
	Reviews []release.Review    `json:"reviews" doc:"what was said of it, the oldest first"`
	Rival   *catalog.Assignment `json:"rival,omitempty" doc:"what it is measured against: the champion that serves there, or of a release that was carried out the one that served until then"`
}

// Carried tells how a promotion ended.
type Carried struct {
	Promoted  bool              `json:"promoted" doc:"false: the gate denied, and nothing serves that did not before"`
	Judgement release.Judgement `json:"judgement" doc:"what the gate decided"`
}

// ReleasesQuery chooses rows of a list about releases.
type ReleasesQuery struct {
	Newest
	Model       string `query:"model" maxLength:"128"`
	Version     string `query:"version" maxLength:"128"`
	Environment string `query:"environment" maxLength:"128"`
	Open        bool   `query:"open" doc:"only what is open, or counts now"`
}

func (q ReleasesQuery) filter() release.Filter {
	return release.Filter{Model: q.Model, Version: q.Version, Environment: q.Environment, Open: q.Open, Before: q.After, Limit: q.Limit + 1}
}

func (q ReleasesQuery) names() catalog.Names {
	return catalog.Names{Model: q.Model, Version: q.Version, Environment: q.Environment}
}

// releases are the requests to let versions in, and their reviews.
func (s *server) releases() {
	act(s, operation("request-release", http.MethodPost, "/releases", "Ask that a version be let into an environment", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in askReleaseInput) (registry.Command, func(tx *state.Tx) (release.Request, error)) {
			return registry.Command{
				Action: access.ReleaseRequest, Resource: versionResource(in.Body.Model, in.Body.Version), Model: in.Body.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Ask(tx, in.asking(), caller(ctx)) }),
			}, func(tx *state.Tx) (release.Request, error) { return s.Releases.OpenRequestIn(tx, in.asking()) }
		})
	act(s, operation("review-release", http.MethodPost, "/releases/{release}/reviews", "Approve or reject a request", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in reviewInput) (registry.Command, func(tx *state.Tx) (release.Request, error)) {
			in.Body.Request = in.Release
			return registry.Command{
				Action: access.ReleaseReview, Resource: releaseResource(in.Release), Model: s.modelOf(ctx, in.Release),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Review(tx, in.Body, caller(ctx)) }),
				Bypass:  func(tx *state.Tx) (trail.Change, error) { return s.Releases.ReviewBypass(tx, in.Body, caller(ctx)) },
			}, s.readRelease(in.OnRelease)
		})
	act(s, operation("withdraw-release", http.MethodPost, "/releases/{release}/withdrawal", "Take a request back", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in reasonInput) (registry.Command, func(tx *state.Tx) (release.Request, error)) {
			return registry.Command{
				Action: access.ReleaseRequest, Resource: releaseResource(in.Release), Model: s.modelOf(ctx, in.Release),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Withdraw(tx, in.Release, in.Body.Reason) }),
			}, s.readRelease(in.OnRelease)
		})
	act(s, operation("promote-release", http.MethodPost, "/releases/{release}/promotion", "Carry out a request, if the gate lets it in", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in OnRelease) (registry.Command, func(tx *state.Tx) (Carried, error)) {
			j, judge := s.judged(ctx, access.ReleasePromote, releaseResource(in.Release), func() (release.Judgement, error) { return s.Releases.Judge(ctx, in.Release) })
			return registry.Command{
					Action: access.ReleasePromote, Resource: releaseResource(in.Release), Model: s.modelOf(ctx, in.Release),
					Propose: func(tx *state.Tx) ([]trail.Change, error) {
						if err := judge(); err != nil {
							return nil, err
						}
						return s.Releases.Promote(tx, *j)
					},
				}, func(tx *state.Tx) (Carried, error) {
					r, err := s.Releases.RequestIn(tx, in.Release)
					return Carried{Promoted: r.State == release.Done, Judgement: *j}, err
				}
		})
	ask(s, operation("list-releases", http.MethodGet, "/releases", "List requests, the newest first", "release", http.StatusNotFound),
		func(ctx context.Context, in *ReleasesQuery) (page[release.Request], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[release.Request]{}, err
			}
			found, err := s.Releases.Requests(ctx, in.filter())
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(r release.Request) string { return utoa(r.Event) }), err
		})
	ask(s, operation("get-release-figures", http.MethodGet, "/releases/figures", "Say how the release process went in a period: how much, how long, what denied", "release", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model       string    `query:"model" maxLength:"128"`
			Environment string    `query:"environment" maxLength:"128"`
			From        time.Time `query:"from" doc:"inclusive; absent: 90 days before the end"`
			To          time.Time `query:"to" doc:"exclusive; absent: now"`
		},
		) (f release.Figures, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return f, err
			}
			f, err = s.Releases.Figures(ctx, release.FiguresQuery{Model: in.Model, Environment: in.Environment, From: in.From, To: in.To})
			return f, s.nothing(ctx, int(f.Requests+f.Decisions), err, catalog.Names{Model: in.Model, Environment: in.Environment})
		})
	ask(s, operation("get-release", http.MethodGet, "/releases/{release}", "Get a request with its reviews", "release", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Release string `path:"release" maxLength:"64"`
		},
		) (v ReleaseView, err error) {
			if err := s.may(ctx, access.CatalogRead, releaseResource(in.Release), ""); err != nil {
				return v, err
			}
			v.Request, v.Reviews, err = s.Releases.Request(ctx, in.Release)
			if err != nil {
				return v, err
			}
			if v.Reviews == nil {
				v.Reviews = []release.Review{}
			}
			v.Rival, err = s.Releases.Rival(ctx, v.Request)
			return v, err
		})
}

// modelOf returns the model of a request, so that what is refused stands in the model's history too; empty if
// there is no such request, which the act itself says.
func (s *server) modelOf(ctx context.Context, id string) string {
	r, _, err := s.Releases.Request(ctx, id)
	if err != nil {
		return ""
	}
	return r.Model
}

func (s *server) readRelease(in OnRelease) func(tx *state.Tx) (release.Request, error) {
	return func(tx *state.Tx) (release.Request, error) { return s.Releases.RequestIn(tx, in.Release) }
}

// judged asks the gate before the transaction of the act that carries it out, if the caller may. The error
// waits for the act, which records it.
func (s *server) judged(ctx context.Context, action access.Action, on trail.Resource, ask func() (release.Judgement, error)) (*release.Judgement, func() error) {
	var j release.Judgement
	err := caller(ctx).Allows(action, on)
	if err == nil {
		j, err = ask()
	}
	return &j, func() error { return err }
}

type askGateInput struct {
	Request
	Body struct {
		release.Asking
		RequestID string `json:"request,omitempty" maxLength:"64" doc:"id of a request; what else is asked then does not count"`
	}
}

// gate are the questions to the gate and what it decided before.
func (s *server) gate() {
	act(s, operation("ask-gate", http.MethodPost, "/gate", "Ask the gate whether a version may be let into an environment", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in askGateInput) (registry.Command, func(tx *state.Tx) (release.Judgement, error)) {
			on := versionResource(in.Body.Model, in.Body.Version)
			if in.Body.RequestID != "" {
				on = releaseResource(in.Body.RequestID)
			}
			j, judge := s.judged(ctx, access.GateAsk, on, func() (release.Judgement, error) {
				if in.Body.RequestID != "" {
					return s.Releases.Judge(ctx, in.Body.RequestID)
				}
				return s.Releases.Ponder(ctx, in.Body.Asking)
			})
			return registry.Command{
				Action: access.GateAsk, Resource: on, Model: j.Model,
				Propose: func(tx *state.Tx) ([]trail.Change, error) {
					if err := judge(); err != nil {
						return nil, err
					}
					return s.Releases.Record(tx, *j)
				},
			}, func(*state.Tx) (release.Judgement, error) { return *j, nil }
		})
	ask(s, operation("list-decisions", http.MethodGet, "/decisions", "List what the gate decided, the newest first", "release", http.StatusNotFound),
		func(ctx context.Context, in *ReleasesQuery) (page[release.GateDecision], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[release.GateDecision]{}, err
			}
			found, err := s.Releases.Decisions(ctx, in.filter())
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(d release.GateDecision) string { return utoa(d.Event) }), err
		})
	ask(s, operation("get-decision", http.MethodGet, "/decisions/{decision}", "Get a decision", "release", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Decision string `path:"decision" maxLength:"64"`
		},
		) (release.GateDecision, error) {
			if err := s.may(ctx, access.CatalogRead, trail.Resource{Type: "decision", ID: in.Decision}, ""); err != nil {
				return release.GateDecision{}, err
			}
			return s.Releases.Decision(ctx, in.Decision)
		})
	ask(s, operation("replay-decision", http.MethodGet, "/decisions/{decision}/replay", "Take a decision again from its stored input", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *struct {
			Decision string `path:"decision" maxLength:"64"`
		},
		) (release.Replayed, error) {
			if err := s.may(ctx, access.CatalogRead, trail.Resource{Type: "decision", ID: in.Decision}, ""); err != nil {
				return release.Replayed{}, err
			}
			return s.Releases.Again(ctx, in.Decision)
		})
}
