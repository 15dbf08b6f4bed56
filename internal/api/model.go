package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func modelResource(name string) trail.Resource { return trail.Resource{Type: "model", ID: name} }

// onModel is a command about one model that proposes at most one change.
func onModel(action access.Action, model string, propose func(tx *state.Tx) (trail.Change, error)) registry.Command {
	return registry.Command{Action: action, Resource: modelResource(model), Model: model, Propose: single(propose)}
}

// single makes the proposals of a command from one that may be nil.
func single(propose func(tx *state.Tx) (trail.Change, error)) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
}

type registerModelInput struct {
	Request
	Body catalog.ModelRegistration
}

type updateModelInput struct {
	Request
	Model   string `path:"model" maxLength:"128"`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"revision that the change was made for, as in ETag; a 409 says that somebody changed the model since"`
	Body    ModelPatch
}

// ModelPatch is a body of which the members that are there count, an empty one too, and no others.
type ModelPatch struct {
	catalog.ModelDetails
	members map[string]any
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *ModelPatch) UnmarshalJSON(body []byte) error {
	return errors.Join(json.Unmarshal(body, &p.members), json.Unmarshal(body, &p.ModelDetails))
}

// MarshalJSON writes the members that were there, by which a repetition is known.
func (p ModelPatch) MarshalJSON() ([]byte, error) { return json.Marshal(p.members) }

func (in updateModelInput) revision() (int64, error) {
	tag := strings.Trim(in.IfMatch, `"`)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	revision, err := strconv.ParseInt(tag, 10, 64)
	if err != nil || revision < 1 {
		return 0, tallystick.Errorf(tallystick.Invalid, "If-Match %q is no revision", in.IfMatch).WithHint("send the ETag of the model as it was read")
	}
	return revision, nil
}

type retireModelInput struct {
	Request
	Model string `path:"model" maxLength:"128"`
	Body  struct {
		Reason      string `json:"reason" minLength:"1" maxLength:"4096" doc:"why the model is retired"`
		Replacement string `json:"replacement,omitempty" maxLength:"128" doc:"registered model that takes its place"`
	}
}

// tagged is the output of a question about something that has a revision.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func (s *server) models() {
	act(s, operation("register-model", http.MethodPost, "/models", "Register a model", "catalog", http.StatusConflict),
		func(ctx context.Context, in registerModelInput) (registry.Command, func(tx *state.Tx) (catalog.Model, error)) {
			fresh, err := catalog.NewModel(in.Body, caller(ctx).ID)
			c := onModel(access.ModelRegister, in.Body.Name, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Catalog.RegisterNew(tx, fresh, in.Body.Reason)
			})
			if err == nil {
				c.Likely = fresh
			}
			return c, s.readModel(in.Body.Name)
		})
	act(s, operation("update-model", http.MethodPatch, "/models/{model}", "Change what is said of a model", "catalog", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in updateModelInput) (registry.Command, func(tx *state.Tx) (catalog.Model, error)) {
			return onModel(access.ModelUpdate, in.Model, func(tx *state.Tx) (trail.Change, error) {
				revision, err := in.revision()
				if err != nil {
					return nil, err
				}
				return s.Catalog.UpdateModel(tx, catalog.ModelUpdate{Model: in.Model, Fields: slices.Sorted(maps.Keys(in.Body.members)), Details: in.Body.ModelDetails, IfRevision: revision})
			}), s.readModel(in.Model)
		})
	act(s, operation("retire-model", http.MethodPost, "/models/{model}/retirement", "Retire a model", "catalog", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in retireModelInput) (registry.Command, func(tx *state.Tx) (catalog.Model, error)) {
			return onModel(access.ModelRetire, in.Model, func(tx *state.Tx) (trail.Change, error) {
				return s.Catalog.RetireModel(tx, in.Model, in.Body.Reason, in.Body.Replacement)
			}), s.readModel(in.Model)
		})
	huma.Register(s.huma, operation("get-model", http.MethodGet, "/models/{model}", "Get a model", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `path:"model" maxLength:"128"`
		},
		) (*tagged[catalog.Model], error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return nil, s.problem(err)
			}
			m, err := s.Catalog.Model(ctx, in.Model)
			if err != nil {
				return nil, s.problem(err)
			}
			return &tagged[catalog.Model]{ETag: strconv.Quote(strconv.FormatInt(m.Revision, 10)), Body: m}, nil
		})
}

func (s *server) readModel(name string) func(tx *state.Tx) (catalog.Model, error) {
	return func(tx *state.Tx) (catalog.Model, error) { return s.Catalog.ModelIn(tx, name) }
}
