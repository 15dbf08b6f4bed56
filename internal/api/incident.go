package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func incidentResource(id string) trail.Resource { return trail.Resource{Type: "incident", ID: id} }

type openIncidentInput struct {
	Request
	Body incident.NewIncident
}

// OnIncident names an incident in the path.
type OnIncident struct {
	Request
	Incident string `path:"incident" maxLength:"64" doc:"id of the incident"`
}

type noteInput struct {
	OnIncident
	Body IncidentNote
}

// IncidentNote is what is said with an act on an incident.
type IncidentNote struct {
	Note string `json:"note,omitempty" maxLength:"4096" doc:"what was seen or done, or why"`
}

type mitigateInput struct {
	OnIncident
	Body IncidentMitigation
}

// IncidentMitigation says how the harm was stopped.
type IncidentMitigation struct {
	Means string `json:"means" enum:"rollback,pause,traffic,fix,none_needed,other" doc:"how"`
	Note  string `json:"note" maxLength:"4096" doc:"what was done"`
}

type resolveIncidentInput struct {
	OnIncident
	Body IncidentResolution
}

// IncidentResolution says what the cause was.
type IncidentResolution struct {
	Cause incident.Cause `json:"cause" enum:"data_drift,concept_drift,feature_bug,metric_flaw,model,release,infrastructure,false_alarm,other" doc:"kind of cause"`
	Note  string         `json:"note" maxLength:"4096" doc:"what it was, and what was done"`
}

type triageIncidentInput struct {
	OnIncident
	Body incident.Triage
}

type linkIncidentInput struct {
	OnIncident
	Body incident.Link
}

type tickInput struct {
	OnIncident
	Body incident.Tick
}

// IncidentView is an incident with its evidence.
type IncidentView struct {
	incident.Whole
	Times   incident.Times    `json:"times" doc:"how long it took, from events alone"`
	Next    string            `json:"next,omitempty" doc:"what is to be done next"`
	Brief   *incident.Brief   `json:"brief,omitempty" doc:"what was on record when it was opened"`
	Runbook *incident.Runbook `json:"runbook_steps,omitempty" doc:"the runbook as it was then"`
}

// incidentsQuery chooses incidents.
type incidentsQuery struct {
	Newest
	Model       string           `query:"model" maxLength:"128"`
	Version     string           `query:"version" maxLength:"128"`
	Environment string           `query:"environment" maxLength:"128"`
	Severity    catalog.Severity `query:"severity" enum:"low,medium,high,critical"`
	State       incident.State   `query:"state" enum:"open,acknowledged,mitigated,resolved,closed"`
	Open        bool             `query:"open" doc:"only those that are not closed, the most severe first; one page of them"`
}

// incidents are models that do harm, and what becomes of it.
func (s *server) incidents() {
	act(s, operation("open-incident", http.MethodPost, "/incidents", "Open an incident, with the evidence of this moment", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in openIncidentInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			c := registry.Command{Action: access.IncidentOpen, Resource: modelResource(in.Body.Model), Model: in.Body.Model}
			change, err := (*incident.Opened)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				change, err = s.Incidents.PrepareOpen(ctx, in.Body, nil, time.Time{})
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Open(tx, change)
			})
			return c, func(tx *state.Tx) (incident.Incident, error) { return s.Incidents.Newest(tx, in.Body.Model) }
		})
	s.incidentActs()
	s.incidentEnds()
	s.incidentQuestions()
	s.incidentReports()
	s.incidentReplays()
	s.runbooks()
}

// onIncident is a command about an incident, whose answer is the incident.
func (s *server) onIncident(ctx context.Context, action access.Action, in OnIncident, propose func(tx *state.Tx) (trail.Change, error)) (
	registry.Command, func(tx *state.Tx) (incident.Incident, error),
) {
	c := registry.Command{Action: action, Resource: incidentResource(in.Incident), Propose: single(propose)}
	if is, err := s.Incidents.Incident(ctx, in.Incident); err == nil { // what is refused stands in the model's history too
		c.Model = is.Model
	}
	return c, func(tx *state.Tx) (incident.Incident, error) { return s.Incidents.IncidentIn(tx, in.Incident) }
}

func (s *server) incidentActs() {
	act(s, operation("acknowledge-incident", http.MethodPost, "/incidents/{incident}/acknowledgement", "Say that you work on an incident", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in noteInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				return s.Incidents.Acknowledge(tx, in.Incident, in.Body.Note)
			})
		})
	act(s, operation("triage-incident", http.MethodPost, "/incidents/{incident}/triage", "Say who leads an incident, and how severe it is", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in triageIncidentInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			lead, err := s.someone(ctx, in.Body.Lead)
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				if in.Body.Lead = lead; err != nil {
					return nil, err
				}
				return s.Incidents.Triage(tx, in.Incident, in.Body)
			})
		})
	act(s, operation("note-incident", http.MethodPost, "/incidents/{incident}/notes", "Write down what was seen or done in an incident", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in noteInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Note(tx, in.Incident, in.Body.Note) })
		})
	act(s, operation("tick-incident", http.MethodPost, "/incidents/{incident}/steps", "Say what came of a step of the runbook", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in tickInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			var runbook *incident.Runbook
			is, err := s.Incidents.Incident(ctx, in.Incident)
			if err == nil {
				runbook, err = s.Incidents.Checklist(ctx, is.Incident)
			}
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Tick(tx, in.Incident, runbook, in.Body)
			})
		})
	act(s, operation("link-incident", http.MethodPost, "/incidents/{incident}/links", "Say what belongs to an incident, such as the test that prevents another one", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in linkIncidentInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			err := caller(ctx).Allows(access.IncidentWork, incidentResource(in.Incident))
			if err == nil {
				err = s.Incidents.PrepareLink(ctx, in.Body)
			}
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.Link(tx, in.Incident, in.Body)
			})
		})
}

func (s *server) incidentEnds() {
	act(s, operation("mitigate-incident", http.MethodPost, "/incidents/{incident}/mitigation", "Say that the harm of an incident has stopped", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in mitigateInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				return s.Incidents.Mitigate(tx, in.Incident, in.Body.Means, in.Body.Note)
			})
		})
	act(s, operation("resolve-incident", http.MethodPost, "/incidents/{incident}/resolution", "Say that the cause of an incident is removed", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in resolveIncidentInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				return s.Incidents.Resolve(tx, in.Incident, in.Body.Cause, in.Body.Note)
			})
		})
	act(s, operation("reopen-incident", http.MethodPost, "/incidents/{incident}/reopening", "Say that an incident is not over", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in noteInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentWork, in.OnIncident, func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Reopen(tx, in.Incident, in.Body.Note) })
		})
	act(s, operation("close-incident", http.MethodPost, "/incidents/{incident}/closing", "Accept the post-mortem of an incident and close it", "incidents", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in noteInput) (registry.Command, func(tx *state.Tx) (incident.Incident, error)) {
			return s.onIncident(ctx, access.IncidentClose, in.OnIncident, func(tx *state.Tx) (trail.Change, error) {
				return s.Incidents.Close(tx, in.Incident, in.Body.Note, caller(ctx))
			})
		})
}

func (s *server) incidentQuestions() {
	ask(s, operation("list-incidents", http.MethodGet, "/incidents", "List incidents, the newest first, or of the open ones the most severe", "incidents", http.StatusNotFound),
		func(ctx context.Context, in *incidentsQuery) (page[incident.Incident], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[incident.Incident]{}, err
			}
			found, err := s.Incidents.Incidents(ctx, incident.Filter{
				Model: in.Model, Version: in.Version, Environment: in.Environment, Severity: in.Severity, State: in.State, Open: in.Open, Before: in.After, Limit: in.Limit + 1,
			})
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model, Version: in.Version, Environment: in.Environment})
			p := pageOf(found, in.Limit, func(i incident.Incident) string { return utoa(i.Event) })
			if in.Open {
				p.Next = ""
			}
			return p, err
		})
	ask(s, operation("get-incident-figures", http.MethodGet, "/incidents/figures", "Say how the incidents of a period went: how many, how long, why", "incidents", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string    `query:"model" maxLength:"128"`
			From  time.Time `query:"from" doc:"inclusive; absent: 90 days before the end"`
			To    time.Time `query:"to" doc:"exclusive; absent: now"`
		},
		) (f incident.Statistics, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return f, err
			}
			if in.To.IsZero() {
				in.To = s.Now().UTC()
			}
			if in.From.IsZero() {
				in.From = in.To.AddDate(0, 0, -90)
			}
			f, err = s.Incidents.Figures(ctx, in.Model, in.From, in.To)
			return f, s.nothing(ctx, int(f.Opened), err, catalog.Names{Model: in.Model})
		})
	ask(s, operation("get-incident", http.MethodGet, "/incidents/{incident}", "Get an incident with its evidence and what became of it", "incidents", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Incident string `path:"incident" maxLength:"64"`
		},
		) (v IncidentView, err error) {
			if err := s.may(ctx, access.PredictionRead, incidentResource(in.Incident), ""); err != nil {
				return v, err
			}
			if v.Whole, err = s.Incidents.Incident(ctx, in.Incident); err != nil {
				return v, err
			}
			v.Times, v.Next = v.Incident.Times(), v.Incident.Next()
			if v.Brief, err = s.Incidents.Brief(ctx, v.Incident); err != nil {
				return v, err
			}
			v.Runbook, err = s.Incidents.Checklist(ctx, v.Incident)
			return v, err
		})
	ask(s, operation("get-incident-timeline", http.MethodGet, "/incidents/{incident}/timeline", "Tell an incident from the trail: what happened, what was changed, who did what", "incidents", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Incident string `path:"incident" maxLength:"64"`
		},
		) (t incident.Timeline, err error) {
			if err := s.may(ctx, access.TrailRead, incidentResource(in.Incident), ""); err != nil {
				return t, err
			}
			is, err := s.Incidents.Incident(ctx, in.Incident)
			if err != nil {
				return t, err
			}
			if t, err = s.Incidents.Timeline(ctx, is.Incident, s.discloses(ctx), s.Access); err != nil {
				return t, err
			}
			return t, s.noteRead(ctx, &eventQuery{Model: is.Model}, len(t.Lines))
		})
}
