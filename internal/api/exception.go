package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type freezeInput struct {
	Request
	Body release.Freezing
}

type waiverInput struct {
	Request
	Body release.Waiving
}

// OnException names a freeze, a waiver or a signer in the path, with why it ends.
type OnException struct {
	Request
	ID   string `path:"id" maxLength:"128"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"4096" doc:"why"`
	}
}

type reviewWaiverInput struct {
	Request
	ID   string `path:"id" maxLength:"64" doc:"id of the waiver"`
	Body struct {
		Verdict release.Opinion `json:"verdict" enum:"approve,reject" doc:"approve or reject"`
		Comment string          `json:"comment,omitempty" maxLength:"4096" doc:"why"`
	}
}

type signerInput struct {
	Request
	Body release.NewSigner
}

// freezes keep everything as it is.
func (s *server) freezes() {
	act(s, operation("declare-freeze", http.MethodPost, "/freezes", "Declare a freeze", "release", http.StatusNotFound),
		func(_ context.Context, in freezeInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			on := whole
			if in.Body.Environment != "" {
				on = environmentResource(in.Body.Environment)
			}
			return registry.Command{
				Action: access.FreezeManage, Resource: on, Model: in.Body.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Freeze(tx, in.Body) }),
			}, done
		})
	act(s, operation("lift-freeze", http.MethodPost, "/freezes/{id}/end", "Lift a freeze", "release", http.StatusNotFound),
		func(_ context.Context, in OnException) (registry.Command, func(tx *state.Tx) (release.Freeze, error)) {
			return registry.Command{
				Action: access.FreezeManage, Resource: trail.Resource{Type: "freeze", ID: in.ID},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Lift(tx, in.ID, in.Body.Reason) }),
			}, func(tx *state.Tx) (release.Freeze, error) { return s.Releases.FreezeIn(tx, in.ID) }
		})
	ask(s, operation("list-freezes", http.MethodGet, "/freezes", "List freezes, the newest first", "release", http.StatusNotFound),
		func(ctx context.Context, in *ReleasesQuery) (page[release.Freeze], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[release.Freeze]{}, err
			}
			found, err := s.Releases.Freezes(ctx, in.filter())
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(f release.Freeze) string { return utoa(f.Event) }), err
		})
}

// waivers are dated exceptions to rules.
func (s *server) waivers() {
	act(s, operation("request-waiver", http.MethodPost, "/waivers", "Ask for a dated exception to a rule", "release", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in waiverInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.WaiverRequest, Resource: versionResource(in.Body.Model, in.Body.Version), Model: in.Body.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.RequestWaiver(tx, in.Body) }),
			}, done
		})
	act(s, operation("review-waiver", http.MethodPost, "/waivers/{id}/review", "Approve or reject a waiver", "release", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in reviewWaiverInput) (registry.Command, func(tx *state.Tx) (release.Waiver, error)) {
			return registry.Command{
				Action: access.WaiverReview, Resource: trail.Resource{Type: "waiver", ID: in.ID},
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					return s.Releases.ReviewWaiver(tx, in.ID, in.Body.Verdict, in.Body.Comment, caller(ctx))
				}),
				Bypass: func(tx *state.Tx) (trail.Change, error) {
					return s.Releases.WaiverBypass(tx, in.ID, in.Body.Verdict, caller(ctx))
				},
			}, func(tx *state.Tx) (release.Waiver, error) { return s.Releases.WaiverIn(tx, in.ID) }
		})
	act(s, operation("revoke-waiver", http.MethodPost, "/waivers/{id}/revocation", "End a waiver before its time", "release", http.StatusNotFound),
		func(_ context.Context, in OnException) (registry.Command, func(tx *state.Tx) (release.Waiver, error)) {
			return registry.Command{
				Action: access.WaiverReview, Resource: trail.Resource{Type: "waiver", ID: in.ID},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.RevokeWaiver(tx, in.ID, in.Body.Reason) }),
			}, func(tx *state.Tx) (release.Waiver, error) { return s.Releases.WaiverIn(tx, in.ID) }
		})
	ask(s, operation("list-waivers", http.MethodGet, "/waivers", "List waivers, the newest first", "release", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			ReleasesQuery
			Ending bool `query:"ending" doc:"only what ends within a week, or has ended in the last 30 days"`
		},
		) (page[release.Waiver], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[release.Waiver]{}, err
			}
			f := in.filter()
			f.Ending = in.Ending
			found, err := s.Releases.Waivers(ctx, f)
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(w release.Waiver) string { return utoa(w.Event) }), err
		})
}

// signers are the keys from outside whose evidence counts.
func (s *server) signers() {
	act(s, operation("add-signer", http.MethodPost, "/signers", "Let the evidence that a key signs count", "release", http.StatusConflict),
		func(_ context.Context, in signerInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.SignerManage, Resource: trail.Resource{Type: "signer", ID: in.Body.Name},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.AddSigner(tx, in.Body) }),
			}, done
		})
	act(s, operation("revoke-signer", http.MethodPost, "/signers/{id}/revocation", "Let the evidence that a key signs count no more", "release", http.StatusNotFound),
		func(_ context.Context, in OnException) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.SignerManage, Resource: trail.Resource{Type: "signer", ID: in.ID},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.RevokeSigner(tx, in.ID, in.Body.Reason) }),
			}, done
		})
	ask(s, operation("list-signers", http.MethodGet, "/signers", "List the keys from outside whose evidence counts, or did", "release"),
		func(ctx context.Context, _ *struct{}) (page[release.Signer], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[release.Signer]{}, err
			}
			found, err := s.Releases.Signers(ctx)
			return pageOf(found, len(found), nil), err
		})
}
