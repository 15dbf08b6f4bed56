package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const incidentsPerPage = 50

func incidentAddress(id string) string { return "/incidents/" + id }

// incidentsPage is the list of incidents, and opens one.
type incidentsPage struct {
	Model, Environment string
	State              string // empty: those that are not closed
	Severity           catalog.Severity
	Incidents          []incident.Incident
	Names              names
	More               string
	Filtered           bool
	Forms              forms
	Typed              incident.NewIncident
	Why, Hint          string // the visitor may not open one
	Trouble            *trouble
}

// Subject returns the name of the version that an incident is about.
func (incidentsPage) Subject(i incident.Incident) string { return subjectOf(i.Model, i.Version) }

// Severities returns what can be chosen.
func (incidentsPage) Severities() []catalog.Severity { return catalog.Severities() }

// States returns the states by which incidents are chosen, beside those that are not closed.
func (incidentsPage) States() []incident.State {
	return []incident.State{incident.Open, incident.Acknowledged, incident.Mitigated, incident.Resolved, incident.Closed}
}

// allIncidents chooses closed ones too.
const allIncidents = "all"

func (s *server) incidents(v *visit) error {
	p, err := s.incidentsPage(v)
	if err != nil {
		return err
	}
	return s.show(v, "incidents", "Incidents", p)
}

func (s *server) incidentsPage(v *visit) (p *incidentsPage, err error) {
	q := func(name string) string { return strings.TrimSpace(v.query(name)) }
	p = &incidentsPage{Model: q("model"), Environment: q("environment"), State: q("state"), Severity: catalog.Severity(q("severity")), Forms: s.forms(v)}
	p.Filtered = p.Model+p.Environment+p.State+string(p.Severity) != ""
	p.Typed = incident.NewIncident{Model: p.Model, Environment: p.Environment, Severity: catalog.SeverityHigh}
	before, err := readSequence("after", v.query("after"))
	if err != nil {
		return nil, err
	}
	f := incident.Filter{Model: p.Model, Environment: p.Environment, Severity: p.Severity, Before: before, Limit: incidentsPerPage + 1}
	switch p.State {
	case "":
		f.Open = true
	case allIncidents:
	default:
		f.State = incident.State(p.State)
	}
	if p.Incidents, err = s.Incidents.Incidents(v.ctx(), f); err != nil {
		return nil, err
	}
	if len(p.Incidents) > incidentsPerPage {
		p.Incidents = p.Incidents[:incidentsPerPage]
		if !f.Open {
			p.More = v.with("after", strconv.FormatUint(p.Incidents[incidentsPerPage-1].Event, 10))
		}
	}
	ids := make([]string, 0, len(p.Incidents))
	for _, i := range p.Incidents {
		ids = append(ids, i.Lead)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	if err := v.who.Allows(access.IncidentOpen, whole); err != nil {
		p.Why, p.Hint = words(err)
	}
	return p, nil
}

// openIncident opens an incident, with the evidence of this moment.
func (s *server) openIncident(v *visit) error {
	asked := incident.NewIncident{
		Model: v.value("model"), Version: v.value("version"), Environment: v.value("environment"), Title: v.value("title"),
		Severity: catalog.Severity(v.value("severity")), Runbook: v.value("runbook"),
	}
	c := registry.Command{Principal: v.who, Action: access.IncidentOpen, Resource: trail.Resource{Type: "model", ID: asked.Model}, Model: asked.Model}
	change, err := (*incident.Opened)(nil), v.who.Allows(c.Action, c.Resource)
	if err == nil { // it reads much, which is not for a transaction
		change, err = s.Incidents.PrepareOpen(v.ctx(), asked, nil, time.Time{})
	}
	c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
		if err != nil {
			return nil, err
		}
		return s.Incidents.Open(tx, change)
	})
	c.Answer = func(tx *state.Tx) (any, error) { return s.Incidents.Newest(tx, asked.Model) }
	done, err := s.act(v, c)
	if err == nil {
		var is incident.Incident
		if err := json.Unmarshal(done.Answer, &is); err != nil {
			return fmt.Errorf("answer of an incident: %w", err)
		}
		if v.who.Allows(access.PredictionRead, whole) != nil { // who may open it and may not read its evidence
			return s.done(v, "/incidents", done.Receipt)
		}
		return s.done(v, incidentAddress(is.ID), done.Receipt)
	}
	if !refused(err) && tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	p, errPage := s.incidentsPage(v)
	if errPage != nil {
		return errPage
	}
	p.Typed, p.Trouble = asked, troubleOf(err)
	return s.render(v, "incidents", "Incidents", p.Trouble.Status, p)
}
