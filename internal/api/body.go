package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// SentBody is a body of a prediction as it is sent; a record that is read has its type and its digest.
type SentBody struct {
	Type   string            `json:"type,omitempty" maxLength:"128" doc:"media type"`
	Text   string            `json:"text,omitempty" doc:"what was sent, if it is text; this or base64"`
	Base64 string            `json:"base64,omitempty" doc:"what was sent, in base64; 262,144 bytes at most"`
	Digest tallystick.Digest `json:"digest,omitempty" doc:"SHA-256 of the bytes; of a record that is read, never sent" pattern:"^sha256:[0-9a-f]{64}$"`
}

// OnBodyRule names a rule in the path.
type OnBodyRule struct {
	Request
	Model string `path:"model" maxLength:"128" doc:"name of the model"`
	Rule  string `path:"rule" maxLength:"128" doc:"name of the rule"`
}

type bodyRuleInput struct {
	OnBodyRule
	Body BodyRuling
}

// BodyRuling says which bodies of predictions of a model are kept.
type BodyRuling struct{ selection.Terms }

type bodyInput struct {
	Prediction string `path:"prediction" maxLength:"64" doc:"id of the prediction, a UUID of version 7"`
	Purpose    string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
	Part       string `path:"part" enum:"request,response" doc:"what was sent to the model, or what came from it"`
}

// describeValues says to those who write records how values, features and bodies are written.
func (s *server) describeValues() {
	schemas := s.huma.OpenAPI().Components.Schemas
	schemas.RegisterTypeAlias(reflect.TypeFor[prediction.Value](), reflect.TypeFor[any]())
	schemas.RegisterTypeAlias(reflect.TypeFor[prediction.Features](), reflect.TypeFor[map[string]any]())
	schemas.RegisterTypeAlias(reflect.TypeFor[prediction.Body](), reflect.TypeFor[SentBody]())
}

// bodies are the rules that keep bodies of predictions, and what they kept.
func (s *server) bodies() {
	act(s, operation("define-body-rule", http.MethodPut, "/models/{model}/body-rules/{rule}", "Say which bodies of predictions are kept", "predictions", http.StatusNotFound),
		func(_ context.Context, in bodyRuleInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.BodyRuleManage, Resource: modelResource(in.Model), Model: in.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					if _, err := s.Catalog.ModelIn(tx, in.Model); err != nil {
						return nil, err
					}
					return body.Define(tx, body.KeepRule{Model: in.Model, Name: in.Rule, Terms: in.Body.Terms})
				}),
			}, done
		})
	act(s, operation("remove-body-rule", http.MethodDelete, "/models/{model}/body-rules/{rule}", "Let a rule keep no more bodies", "predictions", http.StatusNotFound),
		func(_ context.Context, in OnBodyRule) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.BodyRuleManage, Resource: modelResource(in.Model), Model: in.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return body.Remove(tx, in.Model, in.Rule) }),
			}, done
		})
	ask(s, operation("list-body-rules", http.MethodGet, "/body-rules", "List the rules that keep bodies of predictions", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[body.KeepRule], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[body.KeepRule]{}, err
			}
			found, err := body.All(ctx, s.Workspace.DB, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("measure-body-coverage", http.MethodGet, "/models/{model}/body-coverage", "See which share of the bodies that were sent was kept", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model   string    `path:"model" maxLength:"128" doc:"name of the model"`
			By      []string  `query:"by" maxItems:"4" doc:"columns by which records are told apart: f_region, environment, day; tier is the risk tier that the model has now"`
			Since   time.Time `query:"since" doc:"predictions made from this time on"`
			Until   time.Time `query:"until" doc:"predictions made before this time"`
			Purpose string    `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
		},
		) (body.Coverage, error) {
			reading := asking{model: in.Model, purpose: in.Purpose, form: "body coverage"}
			if err := s.mayQuery(ctx, reading); err != nil {
				return body.Coverage{}, err
			}
			of := body.Question{Selection: query.Selection{Model: in.Model, From: in.Since, To: in.Until}, By: in.By}
			if slices.Contains(in.By, selection.Tier) {
				m, err := s.Catalog.Model(ctx, in.Model)
				if err != nil {
					return body.Coverage{}, err
				}
				of.Tier = m.Tier
			}
			out, err := body.Measure(ctx, s.asker, of)
			if err != nil {
				return out, err
			}
			reading.predictions, reading.question = &out.Predictions, asked(of.Selection)
			if len(in.By) > 0 {
				reading.question["by"] = in.By
			}
			return out, s.noteQuery(ctx, reading)
		})
	op := operation("get-prediction-body", http.MethodGet, "/predictions/{prediction}/bodies/{part}", "Get what was sent to the model, or what came from it, if it was kept", "predictions", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "the bytes as they were; " + headerBodyType + " is the media type that their sender named",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *bodyInput) (*huma.StreamResponse, error) {
		found, err := s.readBody(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		headers := map[string]string{"Content-Disposition": `attachment; filename="` + in.Prediction + "." + in.Part + `"`, "X-Content-Type-Options": "nosniff"}
		if found.Type != "" {
			headers[headerBodyType] = found.Type
		}
		// Whoever sent it chose its type: a browser is to make nothing of it.
		return send("application/octet-stream", int64(len(found.Data)), headers, io.NopCloser(bytes.NewReader(found.Data))), nil
	})
}

// headerBodyType has the media type of a body that is given out.
const headerBodyType = "Tallystick-Body-Type"

// readBody returns a body that was kept. That it was read is recorded first.
func (s *server) readBody(ctx context.Context, in *bodyInput) (*prediction.Body, error) {
	c, id, err := s.reading(ctx, &predictionInput{in.Prediction, in.Purpose})
	if err != nil {
		return nil, err
	}
	found, err := s.Archive.FindWithBodies(ctx, id)
	if err != nil {
		return nil, err
	}
	is := found.Record.RequestBody
	if in.Part == "response" {
		is = found.Record.ResponseBody
	}
	if is == nil || is.Data == nil {
		none := tallystick.Errorf(tallystick.NotFound, "the %s body of prediction %s is not kept", in.Part, id)
		switch found.Record.BodyRule {
		case "":
			return nil, none.WithHint("none was sent")
		case prediction.Dropped:
			return nil, none.WithHint("no rule of %s kept it; `tallystick body rule list --model %s` shows them", found.Record.Model, found.Record.Model)
		}
		return nil, none.WithHint("the other one may be: nothing was sent for this one")
	}
	return is, s.notePrediction(ctx, c, found, shown{body: in.Part})
}
