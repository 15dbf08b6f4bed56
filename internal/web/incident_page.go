package web

import (
	"bytes"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// incidentPage is one incident with its evidence, and what the visitor may do about it.
type incidentPage struct {
	incident.Whole
	Brief    *incident.Brief
	Failing  []incident.BriefRow // of the newest bad window
	Runbook  *incident.Runbook
	Ticked   map[int64]incident.Deed
	Timeline []incident.TimelineEntry
	Times    incident.Times
	Written  *incident.PostMortem // that is on record; nil: there is none
	Names    names
	Tries    []tryLine // of reactions

	Forms       forms
	Work, Close deed
	Typed       map[string]string // what was filled in, by field
	Refused     string            // the form that was refused
	Trouble     *trouble
	Done        *done
}

// Subject returns the name of the version that the incident is about.
func (p *incidentPage) Subject() string { return subjectOf(p.Model, p.Version) }

// heading names the page.
func (p *incidentPage) heading() string { return "Incident: " + p.Title }

// Tick returns what came of a step of the runbook.
func (p *incidentPage) Tick(n int) incident.Deed { return p.Ticked[int64(n)+1] }

// Took writes how long something took.
func (p *incidentPage) Took(s *float64) string { return incident.Lasted(s) }

// Was returns what was filled in, in the form that was refused.
func (p *incidentPage) Was(form, field string) string {
	if p.Refused != form {
		return ""
	}
	return p.Typed[field]
}

// Number is the number of a step.
func (p *incidentPage) Number(n int) int { return n + 1 }

// Severities, Means, Causes, Kinds and Questions are what can be chosen and asked.
func (*incidentPage) Severities() []catalog.Severity { return catalog.Severities() }

// Means returns how harm is stopped.
func (*incidentPage) Means() []string { return incident.Means() }

// Causes returns the kinds of causes.
func (*incidentPage) Causes() []incident.Cause { return incident.Causes() }

// Kinds returns what can be linked.
func (*incidentPage) Kinds() []string { return incident.LinkKinds() }

// Questions returns what a post-mortem asks.
func (*incidentPage) Questions() []incident.Question { return incident.Questions() }

// Links are what belongs to it.
func (p *incidentPage) Links() (all []incident.Deed) {
	for _, step := range p.Steps {
		if step.Step == "linked" {
			all = append(all, step)
		}
	}
	return all
}

// shownElsewhere are the steps whose notes stand on the page already.
var shownElsewhere = []string{"opened", "alerted", "linked", "done", "skipped"}

// Said is what people wrote while they worked on it, the newest first. The timeline leaves that out for those to whom the
// trail does not open what people wrote.
func (p *incidentPage) Said() (all []incident.Deed) {
	for _, step := range slices.Backward(p.Steps) {
		if step.Note != "" && !slices.Contains(shownElsewhere, step.Step) {
			all = append(all, step)
		}
	}
	return all
}

func (s *server) incident(v *visit) error {
	p, err := s.incidentPage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "incident", p.heading(), p)
}

func (s *server) incidentPage(v *visit) (p *incidentPage, err error) {
	if err := s.admit(v, access.PredictionRead); err != nil { // a refused form shows the page too
		return nil, err
	}
	p = &incidentPage{Forms: s.forms(v)}
	if p.Whole, err = s.Incidents.Incident(v.ctx(), v.r.PathValue("incident")); err != nil {
		return nil, err
	}
	p.Times, p.Ticked = p.Whole.Times(), incident.Ticked(p.Steps)
	if p.Brief, err = s.Incidents.Brief(v.ctx(), p.Incident); err != nil {
		return nil, err
	}
	p.Failing = p.Brief.Failing()
	if p.Runbook, err = s.Incidents.Checklist(v.ctx(), p.Incident); err != nil {
		return nil, err
	}
	t, err := s.Incidents.Timeline(v.ctx(), p.Incident, v.discloses(), s.People)
	if err != nil {
		return nil, err
	}
	p.Timeline = t.Lines
	tried, err := s.Reactions.Tries(v.ctx(), reaction.TryFilter{Incident: p.ID, Limit: shownTries})
	if err != nil {
		return nil, err
	}
	p.Tries = tryLines(tried)
	if p.Report != "" {
		if p.Written, err = s.Incidents.PostMortem(v.ctx(), p.Incident); err != nil {
			return nil, err
		}
	}
	ids := map[string]bool{p.Lead: true, p.OpenedBy: true, p.ClosedBy: true, p.ReportedBy: true}
	for _, step := range p.Steps {
		ids[step.By], ids[step.Target] = true, true
	}
	if p.Names, err = s.names(v, slices.Sorted(maps.Keys(ids))); err != nil || !p.IsOpen() {
		return p, err
	}
	if p.Work, err = s.deed(v, s.onIncident(v, access.IncidentWork, p.Incident, func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Note(tx, p.ID, "looked at") })); err != nil {
		return nil, err
	}
	if p.State == incident.Resolved {
		p.Close, err = s.deed(v, s.onIncident(v, access.IncidentClose, p.Incident, func(tx *state.Tx) (trail.Change, error) {
			return s.Incidents.Close(tx, p.ID, "looked at", v.who)
		}))
	}
	return p, err
}

// onIncident is the command by which somebody does something in an incident.
func (s *server) onIncident(v *visit, action access.Action, is incident.Incident, propose func(tx *state.Tx) (trail.Change, error)) registry.Command {
	return registry.Command{Principal: v.who, Action: action, Resource: trail.Resource{Type: "incident", ID: is.ID}, Model: is.Model, Propose: single(propose)}
}

// postMortem hands out what is on record about an incident, or the draft of it, as a document.
func (s *server) postMortem(v *visit) error {
	is, err := s.Incidents.Incident(v.ctx(), v.r.PathValue("incident"))
	if err != nil {
		return err
	}
	p, err := s.Incidents.PostMortem(v.ctx(), is.Incident)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := p.WriteMarkdown(&b); err != nil {
		return err
	}
	return v.download("post-mortem-"+is.ID+".md", "text/markdown; charset=utf-8", b.Bytes())
}
