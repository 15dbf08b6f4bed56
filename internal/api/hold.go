package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type placeHoldInput struct {
	Request
	Body archive.NewHold
}

type releaseHoldInput struct {
	Request
	Hold string `path:"hold" maxLength:"64" doc:"id of the hold"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"why; recorded, and open only to those to whom it is disclosed"`
	}
}

// holds keep predictions from removal and erasure until they are released.
func (s *server) holds() {
	act(s, operation("place-hold", http.MethodPost, "/holds", "Keep predictions of a model, or of an incident, from removal and erasure", "predictions", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in placeHoldInput) (registry.Command, func(tx *state.Tx) (archive.Hold, error)) {
			n, err := in.Body, caller(ctx).Allows(access.HoldManage, whole)
			if err == nil && n.Incident != "" {
				n, err = s.holdOfIncident(ctx, n)
			}
			c := registry.Command{Action: access.HoldManage, Resource: modelResource(n.Model), Model: n.Model}
			switch {
			case n.Model == "" && n.Incident != "":
				c.Resource = incidentResource(n.Incident)
			case n.Model == "":
				if c.Resource = whole; err == nil {
					err = tallystick.Errorf(tallystick.Invalid, "neither a model nor an incident is named")
				}
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				if _, err := s.Catalog.ModelIn(tx, n.Model); err != nil {
					return nil, err
				}
				return archive.PlaceHold(tx, n)
			})
			return c, func(tx *state.Tx) (archive.Hold, error) {
				placed, err := archive.Holds(tx, archive.HoldFilter{Model: n.Model, Limit: 1})
				if err != nil || len(placed) == 0 {
					return archive.Hold{}, err
				}
				return placed[0], nil
			}
		})
	act(s, operation("release-hold", http.MethodPost, "/holds/{hold}/release", "Release a hold: what it kept is removed and erased as ever", "predictions", http.StatusNotFound),
		func(ctx context.Context, in releaseHoldInput) (registry.Command, func(tx *state.Tx) (archive.Hold, error)) {
			c := registry.Command{Action: access.HoldManage, Resource: trail.Resource{Type: "hold", ID: in.Hold}}
			if h, err := s.hold(ctx, in.Hold); err == nil { // what is refused stands in the model's history too
				c.Model = h.Model
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) { return archive.ReleaseHold(tx, in.Hold, in.Body.Reason) })
			return c, func(tx *state.Tx) (archive.Hold, error) { return archive.HoldIn(tx, in.Hold) }
		})
	ask(s, operation("list-holds", http.MethodGet, "/holds", "List holds, the newest first", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Model    string `query:"model" maxLength:"128"`
			Incident string `query:"incident" maxLength:"64"`
			InForce  bool   `query:"in_force" doc:"only those that are not released"`
		},
		) (p page[archive.Hold], err error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return p, err
			}
			var found []archive.Hold
			err = s.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
				found, err = archive.Holds(tx, archive.HoldFilter{Model: in.Model, Incident: in.Incident, InForce: in.InForce, Before: in.After, Limit: in.Limit + 1})
				return err
			})
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			for i := range found {
				s.veil(ctx, &found[i])
			}
			return pageOf(found, in.Limit, func(h archive.Hold) string { return utoa(h.Event) }), err
		})
	ask(s, operation("get-hold", http.MethodGet, "/holds/{hold}", "Get a hold", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Hold string `path:"hold" maxLength:"64"`
		},
		) (h archive.Hold, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return h, err
			}
			h, err = s.hold(ctx, in.Hold)
			s.veil(ctx, &h)
			return h, err
		})
}

func (s *server) hold(ctx context.Context, id string) (h archive.Hold, err error) {
	err = s.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
		h, err = archive.HoldIn(tx, id)
		return err
	})
	return h, err
}

// veil takes the reasons from a hold for those who neither place holds nor have sealed fields disclosed.
func (s *server) veil(ctx context.Context, h *archive.Hold) {
	if caller(ctx).Allows(access.HoldManage, whole) != nil && !s.discloses(ctx) {
		h.Reason, h.ReleaseReason = "", ""
	}
}

// holdOfIncident says what a hold for an incident covers, where that is not stated: its model, from where the evidence
// begins until the harm stopped, or for what is to come too if it has not.
func (s *server) holdOfIncident(ctx context.Context, n archive.NewHold) (archive.NewHold, error) {
	is, err := s.Incidents.Incident(ctx, n.Incident)
	if err != nil {
		return n, err
	}
	if n.Model != "" && n.Model != is.Model {
		return n, tallystick.Errorf(tallystick.Invalid, "incident %s is about %s, not about %s", is.ID, is.Model, n.Model).WithHint("leave one of the two out")
	}
	n.Model = is.Model
	if !n.From.IsZero() || !n.To.IsZero() {
		return n, nil
	}
	b, err := s.Incidents.Brief(ctx, is.Incident)
	if err != nil {
		return n, err
	}
	n.From, n.To = b.From, is.Mitigated
	if !n.To.IsZero() && !n.From.Before(n.To) {
		n.To = b.To
	}
	return n, nil
}
