package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// KeptPrediction is a prediction as it travels, with its place on the record.
type KeptPrediction struct {
	Record  json.RawMessage   `json:"record" doc:"the record, in its canonical form"`
	Leaf    tallystick.Digest `json:"leaf_digest" doc:"SHA-256 over a zero byte and the record's encoding"`
	Segment string            `json:"segment" doc:"segment in which the record is"`
	Index   uint64            `json:"index" doc:"place of the record in the segment, from 0"`
	Size    uint64            `json:"size" doc:"records of the segment"`
	Root    tallystick.Digest `json:"root_digest" doc:"root of the segment, against which the record was held"`
	Event   uint64            `json:"event" doc:"sequence of the event that registered the segment with its root"`
	File    tallystick.Digest `json:"file_digest" doc:"file in which the segment lives now"`
}

type predictionInput struct {
	Prediction string `path:"prediction" maxLength:"64" doc:"id of the prediction, a UUID of version 7"`
	Purpose    string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
}

func (s *server) predictionReads() {
	ask(s, operation("get-prediction", http.MethodGet, "/predictions/{prediction}", "Get one prediction", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *predictionInput) (KeptPrediction, error) {
			c, id, err := s.reading(ctx, in)
			if err != nil {
				return KeptPrediction{}, err
			}
			found, err := s.Archive.Find(ctx, id)
			if err != nil {
				return KeptPrediction{}, err
			}
			return KeptPrediction{
				Record: found.Record.AppendJSON(nil), Leaf: found.Leaf, Segment: found.Segment, Index: found.Inclusion.Index, Size: found.Inclusion.Size,
				Root: found.Root, Event: found.Event, File: found.File,
			}, s.notePrediction(ctx, c, found, shown{})
		})
	op := operation("prove-prediction", http.MethodGet, "/predictions/{prediction}/proof", "Get the proof of one prediction, which holds the prediction", "predictions", http.StatusNotFound, http.StatusConflict)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "the proof, one line of JSON; `tallystick verify` checks it",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *predictionInput) (*huma.StreamResponse, error) {
		file, err := s.provePrediction(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return send("application/json", int64(len(file)), map[string]string{
			"Content-Disposition": `attachment; filename="` + in.Prediction + `.prediction-proof"`,
		}, io.NopCloser(bytes.NewReader(file))), nil
	})
}

func (s *server) provePrediction(ctx context.Context, in *predictionInput) ([]byte, error) {
	c, id, err := s.reading(ctx, in)
	if err != nil {
		return nil, err
	}
	found, proof, err := s.Archive.Prove(ctx, id)
	if err != nil {
		return nil, err
	}
	file, err := proof.Marshal()
	if err != nil {
		return nil, err
	}
	return file, s.notePrediction(ctx, c, found, shown{proof: true})
}

// reading returns the command of somebody who asks for a prediction, which he may, and the id.
func (s *server) reading(ctx context.Context, in *predictionInput) (registry.Command, prediction.ID, error) {
	c := registry.Command{Principal: caller(ctx), Action: access.PredictionRead, Resource: trail.Resource{Type: "prediction", ID: "one"}, Purpose: in.Purpose}
	if err := s.Registry.May(ctx, c); err != nil {
		return c, prediction.ID{}, err
	}
	id, err := prediction.ParseID(in.Prediction)
	return c, id, err
}

// shown is what of a prediction somebody sees beside the record.
type shown struct {
	proof bool
	body  string // request or response
}

// notePrediction records that somebody is shown a prediction.
func (s *server) notePrediction(ctx context.Context, c registry.Command, found *archive.Found, what shown) error {
	c.Resource, c.Model = trail.Resource{Type: "segment", ID: found.Segment}, found.Record.Model
	data := map[string]any{"model": found.Record.Model, "segment": found.Segment, "proof": what.proof, "prediction": found.Record.ID.String()}
	if what.body != "" {
		data["body"] = what.body
	}
	return s.Registry.Note(ctx, c, trail.Entry{Type: trail.PredictionRead, Data: data})
}
