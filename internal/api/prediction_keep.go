package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type retentionInput struct {
	Request
	Model string `path:"model" maxLength:"128"`
	Body  struct {
		Days   int64  `json:"days" minimum:"0" maximum:"36500" doc:"for how many days predictions are kept, from the last record of a file on; 0: for ever"`
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"why; recorded, and open only to those to whom it is disclosed"`
	}
}

type erasureInput struct {
	Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
	Body    struct {
		IDs    []string `json:"ids" minItems:"1" maxItems:"100" nullable:"false" doc:"ids of predictions"`
		Reason string   `json:"reason" minLength:"1" maxLength:"1000" doc:"why; recorded, and open only to those to whom it is disclosed"`
	}
}

// predictionKeeping says how long predictions are kept, and erases some.
func (s *server) predictionKeeping() {
	act(s, operation("set-retention", http.MethodPut, "/models/{model}/retention", "Say for how long predictions of a model are kept", "predictions", http.StatusNotFound),
		func(_ context.Context, in retentionInput) (registry.Command, func(tx *state.Tx) (archive.Retention, error)) {
			return registry.Command{
				Action: access.PredictionRetain, Resource: modelResource(in.Model), Model: in.Model,
				Propose: func(tx *state.Tx) ([]trail.Change, error) {
					if _, err := s.Catalog.ModelIn(tx, in.Model); err != nil {
						return nil, err
					}
					return s.Archive.Retain(tx, in.Model, in.Body.Days, in.Body.Reason)
				},
			}, func(tx *state.Tx) (archive.Retention, error) { return s.Archive.RetentionIn(tx, in.Model) }
		})
	ask(s, operation("get-retention", http.MethodGet, "/models/{model}/retention", "Say for how long predictions of a model are kept", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `path:"model" maxLength:"128"`
		},
		) (r archive.Retention, err error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return r, err
			}
			err = s.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
				if _, err := s.Catalog.ModelIn(tx, in.Model); err != nil {
					return err
				}
				r, err = s.Archive.RetentionIn(tx, in.Model)
				return err
			})
			return r, err
		})
	huma.Register(s.huma, operation("erase-predictions", http.MethodPost, "/predictions/erasures", "Erase predictions; the proofs of all others hold", "predictions", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *erasureInput) (*answer[archive.Erased], error) {
			c := registry.Command{Principal: caller(ctx), Action: access.PredictionErase, Resource: trail.Resource{Type: "prediction", ID: "some"}, Purpose: in.Purpose}
			if err := s.Registry.May(ctx, c); err != nil {
				return nil, s.problem(err)
			}
			e := archive.Erasure{Reason: in.Body.Reason, Purpose: in.Purpose}
			for _, text := range in.Body.IDs {
				id, err := prediction.ParseID(text)
				if err != nil {
					return nil, s.problem(err)
				}
				e.IDs = append(e.IDs, id)
			}
			done, err := s.Archive.Erase(ctx, s.Registry, c.Principal, e)
			if err != nil {
				return nil, s.problem(err)
			}
			return &answer[archive.Erased]{Body: done}, nil
		})
}
