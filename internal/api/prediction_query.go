package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// PredictionFilter chooses predictions of a model.
type PredictionFilter struct {
	Model     string    `query:"model" required:"true" minLength:"1" maxLength:"128"`
	Version   string    `query:"version" maxLength:"128"`
	Since     time.Time `query:"since" doc:"inclusive"`
	Until     time.Time `query:"until" doc:"exclusive"`
	Subject   string    `query:"subject" maxLength:"256" doc:"whom it is about, as a pseudonym"`
	Trace     string    `query:"trace_id" maxLength:"32"`
	Status    string    `query:"status" maxLength:"64" doc:"ok, error, timeout or fallback"`
	DecidedBy string    `query:"decided_by" maxLength:"64" doc:"automated or human"`
	Flag      string    `query:"flag" maxLength:"64"`
	Where     []string  `query:"where,explode" maxItems:"64" maxLength:"5000" doc:"conditions COLUMN OP VALUE, as in: f_income >= 30000; all must hold"`
	AsOf      time.Time `query:"as_of" doc:"labels as they were known then; now, if absent"`
	// Registered is a sequence of the trail.
	Registered uint64 `query:"registered" doc:"only what came on record up to the event of this sequence; absent: all"`
	Purpose    string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
}

// selection returns what the filter chooses, and the question as it is recorded.
func (in *PredictionFilter) selection() (s query.Selection, question map[string]any, err error) {
	s = query.Selection{Model: in.Model, From: in.Since, To: in.Until, AsOf: in.AsOf, Registered: in.Registered}
	for _, equal := range []struct{ column, text string }{
		{"version", in.Version}, {"subject", in.Subject}, {"trace_id", in.Trace}, {"status", in.Status}, {"decided_by", in.DecidedBy}, {"flags", in.Flag},
	} {
		if equal.text != "" {
			s.Where = append(s.Where, query.Equals(equal.column, equal.text))
		}
	}
	if s.Where, err = conditions(s.Where, in.Where); err != nil {
		return s, nil, err
	}
	return s, asked(s), nil
}

func conditions(all []query.Condition, texts []string) ([]query.Condition, error) {
	for _, text := range texts {
		c, err := query.ParseCondition(text)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// asked returns a selection as it is recorded.
func asked(s query.Selection) map[string]any {
	question := map[string]any{}
	var where []string
	for _, c := range s.Where {
		where = append(where, c.String())
	}
	if where != nil {
		question["where"] = where
	}
	for name, at := range map[string]time.Time{"since": s.From, "until": s.To, "as_of": s.AsOf} {
		if !at.IsZero() {
			question[name] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	if s.Registered > 0 {
		question["registered"] = s.Registered
	}
	return question
}

// ListedPrediction is a prediction of a list, with what is known of its outcome.
type ListedPrediction struct {
	Record json.RawMessage `json:"record" doc:"the record, in its canonical form"`
	Label  any             `json:"label" doc:"the outcome; null if none is known"`
	Labels int             `json:"labels,omitempty" doc:"how many are on record"`
}

// FigureQuestion is a question for figures of predictions.
type FigureQuestion struct {
	Model      string              `json:"model" minLength:"1" maxLength:"128"`
	Since      time.Time           `json:"since,omitempty" doc:"inclusive"`
	Until      time.Time           `json:"until,omitempty" doc:"exclusive"`
	Where      []string            `json:"where,omitempty" maxItems:"64" doc:"conditions COLUMN OP VALUE, as in: f_income >= 30000; all must hold"`
	AsOf       time.Time           `json:"as_of,omitempty" doc:"labels as they were known then; now, if absent"`
	By         []string            `json:"by,omitempty" maxItems:"4" doc:"columns whose values make the groups; hour, day and month too"`
	Rates      []string            `json:"rates,omitempty" maxItems:"16" doc:"conditions of which the share is wanted"`
	Means      []string            `json:"means,omitempty" maxItems:"16" doc:"columns of numbers"`
	Quantiles  []QuantileQuestion  `json:"quantiles,omitempty" maxItems:"16"`
	Histograms []HistogramQuestion `json:"histograms,omitempty" maxItems:"16"`
	Groups     int                 `json:"groups,omitempty" minimum:"0" maximum:"10000" doc:"groups to tell, those with most predictions; 100, if absent"`
}

// QuantileQuestion asks for quantiles of a column.
type QuantileQuestion struct {
	Column string    `json:"column" maxLength:"140"`
	At     []float64 `json:"at" minItems:"1" maxItems:"16" doc:"each from 0 to 1"`
}

// HistogramQuestion asks for a histogram of a column.
type HistogramQuestion struct {
	Column string  `json:"column" maxLength:"140"`
	Bins   int     `json:"bins,omitempty" minimum:"0" maximum:"200" doc:"of equal width; 20, if absent"`
	Low    float64 `json:"low,omitempty" doc:"with high: the range; else from the smallest to the greatest"`
	High   float64 `json:"high,omitempty"`
}

func (q *FigureQuestion) figures() (f query.Figures, err error) {
	f = query.Figures{Selection: query.Selection{Model: q.Model, From: q.Since, To: q.Until, AsOf: q.AsOf}, By: q.By, Means: q.Means, Groups: q.Groups}
	if f.Where, err = conditions(nil, q.Where); err != nil {
		return f, err
	}
	if f.Rates, err = conditions(nil, q.Rates); err != nil {
		return f, err
	}
	for _, k := range q.Quantiles {
		f.Quantiles = append(f.Quantiles, query.Quantiles(k))
	}
	for _, h := range q.Histograms {
		f.Histograms = append(f.Histograms, query.Histogram(h))
	}
	return f, nil
}

func (s *server) predictionQueries() {
	ask(s, operation("list-predictions", http.MethodGet, "/predictions", "List predictions of a model, newest first", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			PredictionFilter
			After string `query:"after" maxLength:"100" doc:"next of the page before"`
			Limit int    `query:"limit" default:"100" minimum:"1" maximum:"999"`
		},
		) (page[ListedPrediction], error) {
			return s.listPredictions(ctx, &in.PredictionFilter, in.After, in.Limit)
		})
	ask(s, operation("aggregate-predictions", http.MethodPost, "/predictions/aggregate", "Count predictions, and tell of their numbers", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
			Body    FigureQuestion
		},
		) (query.Figured, error) {
			reading := asking{model: in.Body.Model, purpose: in.Purpose, form: "aggregate"}
			if err := s.mayQuery(ctx, reading); err != nil {
				return query.Figured{}, err
			}
			f, err := in.Body.figures()
			if err != nil {
				return query.Figured{}, err
			}
			out, err := s.asker.Aggregate(ctx, f)
			if err != nil {
				return out, err
			}
			reading.predictions, reading.question = &out.Predictions, asked(f.Selection)
			if len(f.By) > 0 {
				reading.question["by"] = f.By
			}
			return out, s.noteQuery(ctx, reading)
		})
	export := operation("export-predictions", http.MethodGet, "/predictions/export", "Export predictions of a model", "predictions", http.StatusNotFound)
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	export.Responses = map[string]*huma.Response{"200": {
		Description: "the predictions, in the order in which they came in; one that breaks off is not all",
		Content:     map[string]*huma.MediaType{"application/x-ndjson": binary, "text/csv": binary, "application/vnd.apache.parquet": binary},
	}}
	huma.Register(s.huma, export, func(ctx context.Context, in *struct {
		PredictionFilter
		Form   query.Form `query:"form" default:"ndjson" enum:"ndjson,csv,parquet"`
		Bodies bool       `query:"bodies" doc:"with the bodies that are kept; not in CSV"`
	},
	) (*huma.StreamResponse, error) {
		out, err := s.exportPredictions(ctx, &in.PredictionFilter, query.Layout{Form: in.Form, Bodies: in.Bodies})
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
	ask(s, operation("list-prediction-files", http.MethodGet, "/predictions/files", "Say which files have the predictions of a model", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string    `query:"model" required:"true" minLength:"1" maxLength:"128"`
			Since time.Time `query:"since" doc:"inclusive"`
			Until time.Time `query:"until" doc:"exclusive"`
		},
		) (page[query.KeptFile], error) {
			if err := s.mayQuery(ctx, asking{model: in.Model}); err != nil {
				return page[query.KeptFile]{}, err
			}
			found, err := s.asker.Kept(ctx, in.Model, in.Since, in.Until)
			return pageOf(found, len(found), nil), err
		})
}

func (s *server) listPredictions(ctx context.Context, in *PredictionFilter, after string, limit int) (out page[ListedPrediction], err error) {
	reading := asking{model: in.Model, purpose: in.Purpose, form: "list"}
	if err := s.mayQuery(ctx, reading); err != nil {
		return out, err
	}
	selection, question, err := in.selection()
	if err != nil {
		return out, err
	}
	var place query.Place
	if after != "" {
		if place, err = query.ParsePlace(after); err != nil {
			return out, err
		}
	}
	found, err := s.asker.List(ctx, selection, place, limit+1)
	if err != nil {
		return out, err
	}
	out.Items = []ListedPrediction{}
	for i, f := range found[:min(len(found), limit)] {
		r, err := prediction.Decode(f.Encoding)
		if err != nil {
			return out, fmt.Errorf("prediction %s: %w", f.ID, err)
		}
		out.Items = append(out.Items, ListedPrediction{Record: r.AppendJSON(nil), Label: query.Plain(f.Held.Value), Labels: f.Held.Labels})
		if i == limit-1 && len(found) > limit {
			out.Next = f.Place.String()
		}
	}
	n := int64(len(out.Items))
	reading.predictions, reading.question = &n, question
	return out, s.noteQuery(ctx, reading)
}

// asking is a question about predictions, as it is recorded.
type asking struct {
	model, purpose, form string
	predictions          *int64 // nil: nobody knows yet
	question             map[string]any
}

func (a asking) command(ctx context.Context) registry.Command {
	return registry.Command{Principal: caller(ctx), Action: access.PredictionRead, Resource: modelResource(a.model), Model: a.model, Purpose: a.purpose}
}

// mayQuery returns an error unless the caller may ask about the predictions of a model, which is registered.
func (s *server) mayQuery(ctx context.Context, a asking) error {
	if err := s.Registry.May(ctx, a.command(ctx)); err != nil {
		return err
	}
	_, err := s.Catalog.Model(ctx, a.model)
	return err
}

// noteQuery records that somebody is told of predictions.
func (s *server) noteQuery(ctx context.Context, a asking) error {
	data := map[string]any{"model": a.model, "form": a.form}
	if a.predictions != nil {
		data["predictions"] = *a.predictions
	}
	if len(a.question) > 0 {
		data["question"] = a.question
	}
	return s.Registry.Note(ctx, a.command(ctx), trail.Entry{Type: trail.PredictionQueried, Data: data})
}

// exportPredictions gives predictions out, once it is on the trail that it does.
func (s *server) exportPredictions(ctx context.Context, in *PredictionFilter, layout query.Layout) (*huma.StreamResponse, error) {
	reading := asking{model: in.Model, purpose: in.Purpose, form: "export"}
	if layout.Bodies {
		reading.form = "export with bodies"
	}
	if err := s.mayQuery(ctx, reading); err != nil {
		return nil, err
	}
	selection, question, err := in.selection()
	if err != nil {
		return nil, err
	}
	if reading.question = question; len(question) == 0 {
		reading.question = map[string]any{"all": true}
	}
	if err := s.noteQuery(ctx, reading); err != nil {
		return nil, err
	}
	kind := map[query.Form]string{query.NDJSON: "application/x-ndjson", query.CSV: "text/csv; charset=utf-8", query.Parquet: "application/vnd.apache.parquet"}[layout.Form]
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		out := &patient{w: w, conn: http.NewResponseController(w), kind: kind, name: "predictions." + string(layout.Form)}
		buffered := bufio.NewWriterSize(out, 128<<10)
		_, err := s.asker.Export(ctx.Context(), buffered, selection, layout)
		if err == nil {
			err = buffered.Flush()
			out.begin()
		}
		switch {
		case err != nil && !out.begun:
			s.write(w, s.explain(err))
		case err != nil: // nobody must take a part for the whole
			if tallystick.CodeOf(err) == tallystick.Internal && ctx.Context().Err() == nil {
				s.Logger.ErrorContext(ctx.Context(), "an export of predictions broke off", slog.Any("error", err))
			}
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// patient writes an answer of unknown length to somebody who must keep reading. Its headers go out with the first
// bytes, so that an error before them is told as one.
type patient struct {
	w          http.ResponseWriter
	conn       *http.ResponseController
	kind, name string
	begun      bool
}

func (p *patient) begin() {
	if p.begun {
		return
	}
	p.begun = true
	h := p.w.Header()
	h.Set("Content-Type", p.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+p.name+`"`)
	p.w.WriteHeader(http.StatusOK)
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	p.begin()
	_ = p.conn.SetWriteDeadline(time.Now().Add(readWait)) // a connection that cannot is one without a network
	return p.w.Write(b)
}
