package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type retrainInput struct {
	Request
	Body reaction.NewRetrain
}

// RetrainView is a request to train a model anew with its report.
type RetrainView struct {
	reaction.Retraining
	Document reaction.RetrainReport `json:"report" doc:"what drifted, the data that the version learned from, the predictions to learn from"`
}

// retrainings are requests to train models anew.
func (s *server) retrainings() {
	act(s, operation("request-retraining", http.MethodPost, "/retrainings", "Ask that a model be trained anew, with a report of what drifted and what to learn from", "reactions", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in retrainInput) (registry.Command, func(tx *state.Tx) (reaction.Retraining, error)) {
			c := registry.Command{Action: access.RetrainRequest, Resource: modelResource(in.Body.Model), Model: in.Body.Model}
			change, err := (*reaction.RetrainRequested)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				change, err = s.Reactions.PrepareRetrain(ctx, in.Body)
			}
			c.Propose = single(func(*state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return change, nil
			})
			return c, func(tx *state.Tx) (reaction.Retraining, error) {
				return s.Reactions.NewestRetraining(tx, in.Body.Model)
			}
		})
	ask(s, operation("list-retrainings", http.MethodGet, "/retrainings", "List requests to train models anew, the newest first", "reactions"),
		func(ctx context.Context, in *struct {
			Newest
			Model string `query:"model" maxLength:"128"`
		},
		) (page[reaction.Retraining], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[reaction.Retraining]{}, err
			}
			found, err := s.Reactions.Retrainings(ctx, in.Model, in.After, in.Limit+1)
			return pageOf(found, in.Limit, func(r reaction.Retraining) string { return utoa(r.Event) }), err
		})
	ask(s, operation("get-retraining", http.MethodGet, "/retrainings/{retraining}", "Get a request to train a model anew, with its report", "reactions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Retraining string `path:"retraining" maxLength:"64"`
		},
		) (v RetrainView, err error) {
			r, report, err := s.retraining(ctx, in.Retraining)
			if err != nil {
				return v, err
			}
			v.Retraining = r
			v.Document, err = reaction.ParseReport(report)
			return v, err
		})
	op := operation("get-retraining-report", http.MethodGet, "/retrainings/{retraining}/report", "Get the report of a request to train a model anew, as it was kept: its digest is that of these bytes", "reactions", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {Description: "JSON", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}
	huma.Register(s.huma, op, func(ctx context.Context, in *struct {
		Retraining string `path:"retraining" maxLength:"64"`
	},
	) (*huma.StreamResponse, error) {
		_, report, err := s.retraining(ctx, in.Retraining)
		if err != nil {
			return nil, s.problem(err)
		}
		return send("application/json", int64(len(report)), nil, io.NopCloser(bytes.NewReader(report))), nil
	})
}

func (s *server) retraining(ctx context.Context, id string) (r reaction.Retraining, report []byte, err error) {
	if err := s.may(ctx, access.CatalogRead, trail.Resource{Type: "retraining", ID: id}, ""); err != nil {
		return r, nil, err
	}
	return s.Reactions.Retraining(ctx, id)
}
