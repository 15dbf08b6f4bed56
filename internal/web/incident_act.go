package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// incidentAct is what a form of an incident asks for. It reads what was filled in, and what takes longer than a transaction
// may, before that; an error of it is the answer of the command, so that it stands on the trail as any other refusal.
type incidentAct func(s *server, v *visit, is incident.Incident) (proposal, error)

// proposal returns what is to be changed.
type proposal func(tx *state.Tx) (trail.Change, error)

// incidentActs are the forms of an incident by the end of their address. Closing has a right of its own.
var incidentActs = map[string]incidentAct{
	"acknowledgement": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Acknowledge(tx, is.ID, v.value("note")) }, nil
	},
	"notes": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Note(tx, is.ID, v.value("note")) }, nil
	},
	"triage": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		t := incident.Triage{Lead: v.value("lead"), Severity: catalog.Severity(v.value("severity")), Note: v.value("note")}
		if t.Lead != "" {
			lead, err := s.People.ActorID(v.ctx(), t.Lead)
			if err != nil {
				return nil, err
			}
			t.Lead = lead
		}
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Triage(tx, is.ID, t) }, nil
	},
	"steps": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		step, err := strconv.ParseInt(v.value("step"), 10, 32)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "the form does not say which step it is about").WithHint("open the page again")
		}
		runbook, err := s.Incidents.Checklist(v.ctx(), is)
		if err != nil {
			return nil, err
		}
		tick := incident.Tick{Step: step, Skip: v.value("as") == "skipped", Note: v.value("note")}
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Tick(tx, is.ID, runbook, tick) }, nil
	},
	"links": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		l := incident.Link{Kind: v.value("kind"), Target: v.value("target"), Note: v.value("note")}
		if err := s.Incidents.PrepareLink(v.ctx(), l); err != nil {
			return nil, err
		}
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Link(tx, is.ID, l) }, nil
	},
	"mitigation": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) {
			return s.Incidents.Mitigate(tx, is.ID, v.value("means"), v.value("note"))
		}, nil
	},
	"resolution": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) {
			return s.Incidents.Resolve(tx, is.ID, incident.Cause(v.value("cause")), v.value("note"))
		}, nil
	},
	"reopening": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Reopen(tx, is.ID, v.value("note")) }, nil
	},
	"traces": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		t, err := s.Incidents.Trace(v.ctx(), is)
		if err != nil {
			return nil, err
		}
		change, err := s.Incidents.KeepTrace(v.ctx(), t)
		if err != nil {
			return nil, err
		}
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Add(tx, is.ID, change) }, nil
	},
	"report": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		answers, err := answersIn(v)
		if err != nil {
			return nil, err
		}
		change, err := s.Incidents.PrepareReport(v.ctx(), is.ID, answers)
		if err != nil {
			return nil, err
		}
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Report(tx, is.ID, change, v.who) }, nil
	},
	"closing": func(s *server, v *visit, is incident.Incident) (proposal, error) {
		return func(tx *state.Tx) (trail.Change, error) { return s.Incidents.Close(tx, is.ID, v.value("note"), v.who) }, nil
	},
}

// answersIn returns the answers of a post-mortem as the file that the office reads.
func answersIn(v *visit) (string, error) {
	var b strings.Builder
	for _, q := range incident.Questions() {
		answer := v.value(q.Key)
		if answer == "" {
			return "", tallystick.Errorf(tallystick.Invalid, "the question has no answer: %s", q.Text)
		}
		for line := range strings.Lines(answer) {
			if strings.HasPrefix(line, "## ") {
				return "", tallystick.Errorf(tallystick.Invalid, "a line of the answer begins with ##, as the questions do: %.60q", line).WithHint("begin it with ###")
			}
		}
		fmt.Fprintf(&b, "## %s\n%s\n\n", q.Key, answer)
	}
	return b.String(), nil
}

// workIncident carries out what a form of an incident asks for, or shows the page with what was typed and why not.
func (s *server) workIncident(v *visit) error {
	name := v.r.PathValue("act")
	do, known := incidentActs[name]
	if !known {
		return tallystick.Errorf(tallystick.NotFound, "there is no page %.200q", v.r.URL.Path)
	}
	is, err := s.Incidents.Incident(v.ctx(), v.r.PathValue("incident"))
	if err != nil {
		return err
	}
	action := access.IncidentWork
	if name == "closing" {
		action = access.IncidentClose
	}
	c := s.onIncident(v, action, is.Incident, nil)
	propose, err := proposal(nil), v.who.Allows(action, c.Resource)
	if err == nil {
		propose, err = do(s, v, is.Incident)
	}
	c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
		if err != nil {
			return nil, err
		}
		return propose(tx)
	})
	done, err := s.act(v, c)
	if err == nil {
		return s.done(v, incidentAddress(is.ID), done.Receipt)
	}
	if !refused(err) && tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	p, errPage := s.incidentPage(v)
	if errPage != nil {
		return errPage
	}
	p.Refused, p.Trouble, p.Typed = name+v.value("step"), troubleOf(err), map[string]string{}
	for field := range v.r.PostForm {
		p.Typed[field] = v.value(field)
	}
	return s.render(v, "incident", p.heading(), p.Trouble.Status, p)
}
