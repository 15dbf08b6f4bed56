package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/explanation"
	"github.com/tallystick/tallystick/internal/trail"
)

// explanations are answers about single decisions.
func (s *server) explanations() {
	ask(s, operation("explain-prediction", http.MethodGet, "/predictions/{prediction}/explanation", "Say everything that is on record about one decision", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *predictionInput) (explanation.Explanation, error) {
			return s.explainPrediction(ctx, in)
		})
	op := operation("draft-letter", http.MethodGet, "/predictions/{prediction}/letter", "Draft a letter to the person whom a decision is about", "predictions", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Markdown; what somebody has to fill in stands in square brackets",
		Content:     map[string]*huma.MediaType{"text/markdown": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *predictionInput) (*huma.StreamResponse, error) {
		x, err := s.explainPrediction(ctx, in)
		var letter bytes.Buffer
		if err == nil {
			err = x.WriteLetter(&letter)
		}
		if err != nil {
			return nil, s.problem(err)
		}
		return send("text/markdown; charset=utf-8", int64(letter.Len()), nil, io.NopCloser(&letter)), nil
	})
}

// explainPrediction answers for a prediction, which is recorded as reading it.
func (s *server) explainPrediction(ctx context.Context, in *predictionInput) (x explanation.Explanation, err error) {
	c, id, err := s.reading(ctx, in)
	if err != nil {
		return x, err
	}
	x, model, err := s.Explained.Explain(ctx, id, s.Access, s.discloses(ctx))
	if err != nil {
		return x, err
	}
	c.Resource, c.Model = trail.Resource{Type: "segment", ID: x.Proof.Segment}, model
	return x, s.Registry.Note(ctx, c, trail.Entry{Type: trail.PredictionRead, Data: map[string]any{
		"model": model, "segment": x.Proof.Segment, "proof": false, "prediction": x.Prediction,
	}})
}
