package web

import (
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
)

const incidentsPerPage = 50

// incidentsPage is the list of incidents.
type incidentsPage struct {
	Model     string
	All       bool // closed ones too
	Severity  catalog.Severity
	Incidents []incident.Incident
	Names     names
	More      string
	Filtered  bool
}

// Subject returns the name of the version that an incident is about.
func (incidentsPage) Subject(i incident.Incident) string { return subjectOf(i.Model, i.Version) }

// Severities returns what can be chosen.
func (incidentsPage) Severities() []catalog.Severity { return catalog.Severities() }

func (s *server) incidents(v *visit) (err error) {
	p := incidentsPage{Model: v.query("model"), All: v.query("state") == "all", Severity: catalog.Severity(v.query("severity"))}
	p.Filtered = p.Model != "" || p.All || p.Severity != ""
	before := uint64(0)
	if after := v.query("after"); after != "" {
		if before, err = strconv.ParseUint(after, 10, 63); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "%.40q is no place in the list", after).WithHint("follow the link of the page before")
		}
	}
	p.Incidents, err = s.Incidents.Incidents(v.ctx(), incident.Filter{Model: p.Model, Severity: p.Severity, Open: !p.All, Before: before, Limit: incidentsPerPage + 1})
	if err != nil {
		return err
	}
	if len(p.Incidents) > incidentsPerPage {
		p.Incidents = p.Incidents[:incidentsPerPage]
		if p.All {
			p.More = v.with("after", strconv.FormatUint(p.Incidents[incidentsPerPage-1].Event, 10))
		}
	}
	ids := make([]string, 0, len(p.Incidents))
	for _, i := range p.Incidents {
		ids = append(ids, i.Lead)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return err
	}
	return s.show(v, "incidents", "Incidents", p)
}

// incidentPage is one incident with its evidence.
type incidentPage struct {
	incident.Whole
	Brief    *incident.Brief
	Failing  []incident.BriefRow // of the newest bad window
	Runbook  *incident.Runbook
	Ticked   map[int64]incident.Deed
	Timeline []incident.TimelineEntry
	Times    incident.Times
	Names    names
}

// Subject returns the name of the version that the incident is about.
func (p *incidentPage) Subject() string { return subjectOf(p.Model, p.Version) }

// Tick returns what came of a step of the runbook.
func (p *incidentPage) Tick(n int) incident.Deed { return p.Ticked[int64(n)+1] }

// Took writes how long something took.
func (p *incidentPage) Took(s *float64) string { return incident.Lasted(s) }

func (s *server) incident(v *visit) (err error) {
	p := &incidentPage{}
	if p.Whole, err = s.Incidents.Incident(v.ctx(), v.r.PathValue("incident")); err != nil {
		return err
	}
	p.Times, p.Ticked = p.Whole.Times(), incident.Ticked(p.Steps)
	if p.Brief, err = s.Incidents.Brief(v.ctx(), p.Incident); err != nil {
		return err
	}
	p.Failing = p.Brief.Failing()
	if p.Runbook, err = s.Incidents.Checklist(v.ctx(), p.Incident); err != nil {
		return err
	}
	t, err := s.Incidents.Timeline(v.ctx(), p.Incident, v.discloses(), s.People)
	if err != nil {
		return err
	}
	p.Timeline = t.Lines
	ids := []string{p.Lead, p.OpenedBy, p.ClosedBy}
	for _, step := range p.Steps {
		ids = append(ids, step.By, step.Target)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return err
	}
	return s.show(v, "incident", "Incident: "+p.Title, p)
}
