package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/replay"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type reportInput struct {
	OnIncident
	Body IncidentAnswers
}

// IncidentAnswers are what people learn from an incident.
type IncidentAnswers struct {
	Answers string `json:"answers" minLength:"1" maxLength:"131072" doc:"Markdown with a heading for each question: harm, why, noticed, response, prevention"`
}

type replayInput struct {
	OnIncident
	Body incident.AskedAgain
}

// incidentReplays put on record what another version answered to inputs of an incident, and give evidence out.
func (s *server) incidentReplays() {
	act(s, operation("replay-incident", http.MethodPost, "/incidents/{incident}/replays", "Hold the answers of another version against what was recorded, and keep what came of it", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in replayInput) (registry.Command, func(tx *state.Tx) (replay.Report, error)) {
			var report *replay.Report
			var change *incident.EvidenceAdded
			err := errors.Join(caller(ctx).Allows(access.IncidentWork, incidentResource(in.Incident)), caller(ctx).Allows(access.PredictionRead, incidentResource(in.Incident)))
			if err == nil {
				var is incident.Whole
				if is, err = s.Incidents.Incident(ctx, in.Incident); err == nil {
					report, change, err = s.Incidents.PrepareReplay(ctx, is.Incident, in.Body)
				}
			}
			c, _ := s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Add(tx, in.Incident, change)
			})
			return c, func(*state.Tx) (replay.Report, error) { return *report, nil }
		})
	op := operation("get-incident-evidence", http.MethodGet, "/incidents/{incident}/evidence/{digest}", "Get a document that an incident names: brief, trace, replay, post-mortem, runbook", "incidents", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "the document as it was kept",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *struct {
		Incident string            `path:"incident" maxLength:"64"`
		Digest   tallystick.Digest `path:"digest" maxLength:"80"`
	},
	) (*huma.StreamResponse, error) {
		if err := s.may(ctx, access.PredictionRead, incidentResource(in.Incident), ""); err != nil {
			return nil, s.problem(err)
		}
		data, err := s.Incidents.Document(ctx, in.Incident, in.Digest)
		if err != nil {
			return nil, s.problem(err)
		}
		return send("application/octet-stream", int64(len(data)), map[string]string{"X-Content-Type-Options": "nosniff"}, io.NopCloser(bytes.NewReader(data))), nil
	})
}

// incidentReports are the cause and the post-mortem of incidents.
func (s *server) incidentReports() {
	act(s, operation("trace-incident", http.MethodPost, "/incidents/{incident}/traces", "Compare the first bad window of an incident with the last good one, and keep what speaks for which cause", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in OnIncident) (registry.Command, func(tx *state.Tx) (incident.Trace, error)) {
			var t *incident.Trace
			var change *incident.EvidenceAdded
			err := caller(ctx).Allows(access.IncidentWork, incidentResource(in.Incident))
			if err == nil {
				var is incident.Whole
				if is, err = s.Incidents.Incident(ctx, in.Incident); err == nil {
					if t, err = s.Incidents.Trace(ctx, is.Incident); err == nil {
						change, err = s.Incidents.KeepTrace(ctx, t)
					}
				}
			}
			c, _ := s.onIncident(ctx, access.IncidentWork, in, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Add(tx, in.Incident, change)
			})
			return c, func(*state.Tx) (incident.Trace, error) { return *t, nil }
		})
	act(s, operation("report-incident", http.MethodPost, "/incidents/{incident}/report", "Write the post-mortem of an incident: the facts are the program's, the answers yours", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in reportInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			var change *incident.Reported
			err := caller(ctx).Allows(access.IncidentWork, incidentResource(in.Incident))
			if err == nil {
				change, err = s.Incidents.PrepareReport(ctx, in.Incident, in.Body.Answers)
			}
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Report(tx, in.Incident, change, caller(ctx))
			})
		})
	op := operation("get-incident-report", http.MethodGet, "/incidents/{incident}/report", "Get the post-mortem of an incident, or the draft of it", "incidents", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Markdown or HTML; the draft says that it is one",
		Content: map[string]*huma.MediaType{
			"text/markdown": {Schema: &huma.Schema{Type: huma.TypeString}}, "text/html": {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *struct {
		Incident string `path:"incident" maxLength:"64"`
		Format   string `query:"format" enum:"markdown,html" default:"markdown"`
	},
	) (*huma.StreamResponse, error) {
		if err := s.may(ctx, access.PredictionRead, incidentResource(in.Incident), ""); err != nil {
			return nil, s.problem(err)
		}
		is, err := s.Incidents.Incident(ctx, in.Incident)
		var p *incident.PostMortem
		if err == nil {
			p, err = s.Incidents.PostMortem(ctx, is.Incident)
		}
		var page bytes.Buffer
		kind, write := "text/markdown; charset=utf-8", (*incident.PostMortem).WriteMarkdown
		if in.Format == "html" {
			kind, write = "text/html; charset=utf-8", (*incident.PostMortem).WriteHTML
		}
		if err == nil {
			err = write(p, &page)
		}
		if err != nil {
			return nil, s.problem(err)
		}
		return send(kind, int64(page.Len()), nil, io.NopCloser(&page)), nil
	})
}
