package api

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxLabelBody  = 16 << 20 // bytes of a batch
	labelBodyWait = time.Minute
)

// LabelBatch is what POST .../labels takes as JSON.
type LabelBatch struct {
	Batch  string      `json:"batch,omitempty" maxLength:"128" doc:"name of the batch, unique among those of the model: sent again with the same labels it is kept once. It stands in the open on the trail"`
	Labels []SentLabel `json:"labels" maxItems:"10000"`
}

// SentLabel is a label as it is sent.
type SentLabel struct {
	Prediction string    `json:"prediction,omitempty" format:"uuid" doc:"id of the prediction; or trace_id or subject, if one prediction alone has it"`
	TraceID    string    `json:"trace_id,omitempty" pattern:"^[0-9a-f]{32}$"`
	Subject    string    `json:"subject,omitempty" maxLength:"256"`
	Value      any       `json:"value" doc:"number, text or boolean; null takes back what was said before"`
	Time       time.Time `json:"time" doc:"when the outcome was"`
	Stated     time.Time `json:"stated,omitempty" doc:"when the source said so; the time of receipt if left out. Of several labels the one stated last counts"`
	Source     string    `json:"source,omitempty" maxLength:"128" doc:"who or what said so"`
	Note       string    `json:"note,omitempty" maxLength:"1024"`
}

type recordLabelsInput struct {
	Request
	Model       string `path:"model" maxLength:"128"`
	ContentType string `header:"Content-Type" maxLength:"256" doc:"application/json, application/x-ndjson or text/csv"`
	Batch       string `header:"Batch-Id" maxLength:"128" doc:"name of the batch, for lines and CSV"`
	RawBody     []byte `contentType:"application/json"`
}

// KnownLabel is a label on record.
type KnownLabel struct {
	Value    any             `json:"value"`
	Time     prediction.Time `json:"time" doc:"when the outcome was"`
	Stated   prediction.Time `json:"stated" doc:"when the source said so"`
	Recorded time.Time       `json:"recorded"`
	Source   string          `json:"source,omitempty"`
	Note     string          `json:"note,omitempty"`
	Event    uint64          `json:"event" doc:"sequence of the event that recorded it"`
	Counts   bool            `json:"counts" doc:"of all labels of the prediction this one counts"`
}

// LabelHistory is what was said of the outcome of a prediction.
type LabelHistory struct {
	Model      string          `json:"model"`
	Prediction string          `json:"prediction"`
	Labels     []KnownLabel    `json:"labels" doc:"in the order in which they were recorded"`
	Watermark  label.Watermark `json:"watermark"`
}

func (s *server) labelling() {
	registry := s.huma.OpenAPI().Components.Schemas
	record := operation("record-labels", http.MethodPost, "/models/{model}/labels", "Record how predictions turned out", "predictions", http.StatusNotFound, http.StatusConflict)
	record.MaxBodyBytes, record.BodyReadTimeout = maxLabelBody, labelBodyWait
	record.Description = "Takes up to 10,000 labels as a JSON object, as lines of JSON, or as CSV with a header. One bad label costs the others nothing: it is rejected by its place."
	text := &huma.Schema{Type: huma.TypeString}
	record.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		label.JSON:   {Schema: registry.Schema(reflect.TypeFor[LabelBatch](), true, "LabelBatch")},
		label.NDJSON: {Schema: text}, label.CSV: {Schema: text},
	}}
	record.SkipValidateBody = true // one bad label is no reason to refuse the others
	huma.Register(s.huma, record, func(ctx context.Context, in *recordLabelsInput) (*reply[label.BatchOutcome], error) {
		out, err := s.recordLabels(ctx, record.OperationID, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return out, nil
	})
	ask(s, operation("get-label-coverage", http.MethodGet, "/models/{model}/labels/coverage", "Say how many predictions have labels, and how long those took", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model  string    `path:"model" maxLength:"128"`
			Since  time.Time `query:"since" doc:"of the prediction, inclusive"`
			Until  time.Time `query:"until" doc:"exclusive"`
			AsOf   time.Time `query:"as_of" doc:"labels as they were known then; now, if absent"`
			Mature int64     `query:"mature_seconds" minimum:"0" maximum:"3153600000" doc:"age from which a prediction should have a label"`
		},
		) (query.LabelCoverage, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return query.LabelCoverage{}, err
			}
			if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
				return query.LabelCoverage{}, err
			}
			return s.asker.Coverage(ctx, query.Selection{Model: in.Model, From: in.Since, To: in.Until, AsOf: in.AsOf}, time.Duration(in.Mature)*time.Second)
		})
	ask(s, operation("get-labels", http.MethodGet, "/models/{model}/labels/{prediction}", "Say what is known of the outcome of a prediction, and was before", "predictions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model      string    `path:"model" maxLength:"128"`
			Prediction string    `path:"prediction" maxLength:"64"`
			AsOf       time.Time `query:"as_of" doc:"as it was known then; now, if absent"`
			Purpose    string    `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
		},
		) (LabelHistory, error) {
			reading := asking{model: in.Model, purpose: in.Purpose, form: "labels"}
			if err := s.mayQuery(ctx, reading); err != nil {
				return LabelHistory{}, err
			}
			out, err := s.labelHistory(ctx, in.Model, in.Prediction, in.AsOf)
			if err != nil {
				return out, err
			}
			one := int64(1)
			reading.predictions, reading.question = &one, map[string]any{"prediction": in.Prediction}
			return out, s.noteQuery(ctx, reading)
		})
}

func (s *server) labelHistory(ctx context.Context, model, name string, asOf time.Time) (LabelHistory, error) {
	id, err := prediction.ParseID(name)
	if err != nil {
		return LabelHistory{}, err
	}
	w, err := s.labels.Watermark(ctx, model, asOf)
	if err != nil {
		return LabelHistory{}, err
	}
	history, err := s.labels.History(ctx, model, id, w)
	if err != nil {
		return LabelHistory{}, err
	}
	if len(history) == 0 {
		return LabelHistory{}, tallystick.Errorf(tallystick.NotFound, "nothing is known of the outcome of prediction %s of %s", id, model)
	}
	out := LabelHistory{Model: model, Prediction: id.String(), Watermark: w}
	for _, k := range history {
		out.Labels = append(out.Labels, KnownLabel{query.Plain(k.Value), k.Time, k.Stated, k.Recorded, k.Source, k.Note, k.Event, k.Counts})
	}
	return out, nil
}

func (s *server) recordLabels(ctx context.Context, operation string, in *recordLabelsInput) (*reply[label.BatchOutcome], error) {
	c := registry.Command{Principal: caller(ctx), Action: access.LabelRecord, Resource: modelResource(in.Model), Model: in.Model, Purpose: in.Purpose}
	if err := s.Registry.May(ctx, c); err != nil {
		return nil, err
	}
	if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
		return nil, err
	}
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if err != nil && in.ContentType != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "Content-Type %.100q is none", in.ContentType)
	}
	batch, err := label.Parse(kind, in.RawBody)
	if err != nil {
		return nil, err
	}
	if batch.ID == "" {
		batch.ID = in.Batch
	}
	if c.Retry, err = retry(operation, *in); err != nil {
		return nil, err
	}
	ready, err := s.labels.Prepare(ctx, in.Model, batch, s.Now(), s.asker.Resolve)
	if err != nil {
		return nil, err
	}
	var out label.BatchOutcome
	c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
		change, outcome, err := ready.Propose(tx)
		out = outcome
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
	c.Answer = func(*state.Tx) (any, error) { return out, nil }
	done, err := s.Registry.Do(ctx, c)
	if err != nil {
		return nil, err
	}
	answer := replied[label.BatchOutcome](done)
	if err := json.Unmarshal(done.Answer, &answer.Body); err != nil {
		return nil, fmt.Errorf("answer of %s: %w", operation, err)
	}
	return answer, nil
}
