package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/wording"
)

// The bounds of the list of alerts.
const (
	alertsPerPage = 50
	shownResolved = 20 // beside those that are live
	resolvedSince = 24 * time.Hour
)

// alertLine is an alert in a list.
type alertLine struct {
	alert.Alert
	Incident string // id of the one that it is part of; empty: none
	Reads    bool   // the visitor may read what predictions say
}

// Name says what was judged, such as "Drift of RELP".
func (l alertLine) Name() string {
	name := readable(l.Rule[strings.LastIndexByte(l.Rule, '/')+1:])
	switch kind, of := l.source(); {
	case kind == "objective" && l.Subject != "": // a rule about a window
		name += ": error budget of " + of + " over " + l.Subject
	case kind == "objective":
		name += " of " + of
	case l.Subject != "":
		name += " of " + l.Subject
	}
	if l.Segment != "" {
		name += " where " + l.Segment
	}
	return wording.Capital(name)
}

// Where names the version and the environment.
func (l alertLine) Where() string { return subjectOf(l.Model, l.Version) }

// Since returns when its state began.
func (l alertLine) Since() time.Time {
	switch l.State {
	case alert.Firing:
		return l.Fired
	case alert.Ended:
		return l.Resolved
	case alert.Pending:
	}
	return l.Pending
}

// source returns the kind of what was judged and its name.
func (l alertLine) source() (kind, name string) {
	parts := strings.Split(l.Rule, "/")
	if len(parts) < 3 {
		return "", ""
	}
	return parts[0], parts[1]
}

// Source is the address of what judged it, empty if that has no page.
func (l alertLine) Source() string {
	switch kind, name := l.source(); kind {
	case "monitor":
		return modelAddress(l.Model) + "/behaviour?" + url.Values{"monitor": {name}}.Encode()
	case "objective":
		return objectiveAddress(name)
	}
	return ""
}

// SourceName says what judged it.
func (l alertLine) SourceName() string {
	kind, name := l.source()
	return strings.TrimSpace(kind + " " + name)
}

// Judgement is the address of the judgement that changed its state last, empty where the visitor may not read it.
func (l alertLine) Judgement() string {
	if kind, _ := l.source(); kind == "monitor" && l.Reads && l.Evidence != "" {
		return judgementAddress(l.Model, l.Evidence)
	}
	return ""
}

// KeptBy says what keeps its notifications back, and where that is told.
func (l alertLine) KeptBy() (k struct{ Words, Href string }) {
	kind, id, _ := strings.Cut(l.SuppressedBy, " ")
	switch kind {
	case "silence":
		k.Words, k.Href = "a silence", "/silences#"+id
	case "alert":
		k.Words, k.Href = "an alert about the whole window", alertAddress(id)
	}
	return k
}

// RunbookLink is the address of its runbook, empty if it is none that leads anywhere.
func (l alertLine) RunbookLink() string {
	if strings.HasPrefix(l.Runbook, "https://") || strings.HasPrefix(l.Runbook, "http://") {
		return l.Runbook
	}
	return ""
}

func alertAddress(id string) string { return "/alerts/" + url.PathEscape(id) }

func onAlert(id string) trail.Resource { return trail.Resource{Type: "alert", ID: id} }

// alertsPage lists alerts: those that fire first.
type alertsPage struct {
	Model, Environment, State string
	Severity                  alert.Severity
	Filtered                  bool
	Groups                    []alertGroup
	Silences                  int // that have not ended
}

// alertGroup is the alerts of one state.
type alertGroup struct {
	State  alert.State
	Title  string
	Alerts []alertLine
	More   string // address of the rest
}

// Quiet reports whether there is nothing to show.
func (p *alertsPage) Quiet() bool {
	for _, g := range p.Groups {
		if len(g.Alerts) > 0 {
			return false
		}
	}
	return true
}

func (s *server) alerts(v *visit) error {
	p := &alertsPage{Model: strings.TrimSpace(v.query("model")), Environment: strings.TrimSpace(v.query("environment")), State: v.query("state"), Severity: alert.Severity(v.query("severity"))}
	p.Filtered = p.Model+p.Environment+p.State+string(p.Severity) != ""
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return err
	}
	base := alert.Filter{Model: p.Model, Environment: p.Environment, Severity: p.Severity, Before: before, Limit: alertsPerPage + 1}
	groups := []struct {
		state alert.State
		title string
	}{{alert.Firing, "Firing"}, {alert.Pending, "Pending"}, {alert.Ended, "Resolved"}}
	for _, g := range groups {
		f, title := base, g.title
		f.State = g.state
		switch {
		case p.State != "" && p.State != string(g.state):
			continue
		case p.State == "" && g.state == alert.Ended:
			f.ResolvedSince, f.Limit, title = s.Now().Add(-resolvedSince), shownResolved+1, "Resolved in the last 24 hours"
		}
		found, err := s.Alerts.Alerts(v.ctx(), f)
		if err != nil {
			return err
		}
		group := alertGroup{State: g.state, Title: title}
		if len(found) == f.Limit {
			found = found[:f.Limit-1]
			group.More = v.with("state", string(g.state))
			if p.State != "" {
				group.More = v.with("before", strconv.FormatUint(found[len(found)-1].Event, 10))
			}
		}
		if group.Alerts, err = s.alertLines(v, found); err != nil {
			return err
		}
		p.Groups = append(p.Groups, group)
	}
	if len(p.Groups) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "%.20q is no state of an alert", p.State).WithHint("use firing, pending or resolved")
	}
	silences, err := s.Alerts.Silences(v.ctx(), false, 0, alert.MostCounted)
	if err != nil {
		return err
	}
	p.Silences = len(silences)
	return s.show(v, "alerts", "Alerts", p)
}

// alertLines adds to alerts which incidents they are part of, and takes out what the visitor may not read.
func (s *server) alertLines(v *visit, found []alert.Alert) ([]alertLine, error) {
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	incidents, err := s.Incidents.OfAlerts(v.ctx(), ids)
	if err != nil {
		return nil, err
	}
	lines := make([]alertLine, len(found))
	for i, a := range found {
		lines[i] = alertLine{Alert: a, Incident: incidents[a.ID], Reads: v.who.Allows(access.PredictionRead, trail.Resource{Type: "model", ID: a.Model}) == nil}
		if !lines[i].Reads {
			lines[i].Words = ""
		}
	}
	return lines, nil
}
