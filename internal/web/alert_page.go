package web

import (
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of the page of one alert.
const (
	shownAgain      = 50  // alerts about the same thing
	shownHappenings = 100 // events of it
	alertsReach     = 30 * 24 * time.Hour
	spansWidth      = 560 // of what is drawn over time: a telephone shows most of it
)

// alertPage is one alert, with what became of the thing that it is about.
type alertPage struct {
	alertLine
	Forms     forms
	Labels    []string // name=value
	Receivers []string // whom routes tell; nil: it is over, kept back, or nobody knows here
	Again     int      // alerts about the same thing, this one too
	History   []alert.Happening
	Picture   template.HTML
	Silence   deed
	Resolving deed
	Typed     silenceForm
	Reason    string // why it was to be resolved
	Refused   string // the form that was refused
	Trouble   *trouble
	Done      *done
}

// heading names the page.
func (p *alertPage) heading() string { return "Alert: " + p.Name() }

// Live reports whether it is pending or fires.
func (p *alertPage) Live() bool { return p.State != alert.Ended }

func (s *server) alert(v *visit) error {
	p, err := s.alertPage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "alert", p.heading(), p)
}

func (s *server) alertPage(v *visit) (*alertPage, error) {
	a, err := s.Alerts.Alert(v.ctx(), v.r.PathValue("alert"))
	if err != nil {
		return nil, err
	}
	lines, err := s.alertLines(v, []alert.Alert{a})
	if err != nil {
		return nil, err
	}
	p := &alertPage{alertLine: lines[0], Forms: s.forms(v), Typed: silenceForm{Conditions: strings.Join(a.Conditions(), "\n"), For: usualSilence}}
	known := a.All()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		p.Labels = append(p.Labels, name+"="+known[name])
	}
	again, err := s.Alerts.Alerts(v.ctx(), alert.Filter{Fingerprint: a.Fingerprint, Limit: shownAgain})
	if err != nil {
		return nil, err
	}
	p.Again = len(again)
	if p.History, err = s.Alerts.History(v.ctx(), a.ID, 0, shownHappenings); err != nil {
		return nil, err
	}
	if a.State == alert.Firing && a.SuppressedBy == "" {
		if p.Receivers, err = s.receivers(v.ctx(), a); err != nil {
			return nil, err
		}
	}
	p.Picture = statesOver(p.Name(), again, p.History, s.Now())
	if p.Silence, err = s.deed(v, s.silencing(v, alert.Silencing{Matchers: a.Conditions(), Reason: "looked at", Until: s.Now().Add(time.Hour)})); err != nil || !p.Live() {
		return p, err
	}
	p.Resolving, err = s.deed(v, s.resolvingAlert(v, a, "looked at"))
	return p, err
}

// statesOver draws what the thing was, and whether anybody was told, as far back as 30 days.
func statesOver(name string, again []alert.Alert, history []alert.Happening, now time.Time) template.HTML {
	states, first := chart.SpanRow{Label: "state"}, now
	add := func(from, to time.Time, state alert.State, mark chart.Mark) {
		if from.IsZero() {
			return
		}
		if to.IsZero() {
			to = now
		}
		states.Spans = append(states.Spans, chart.Span{From: from, To: to, Name: string(state), Mark: mark})
		if from.Before(first) {
			first = from
		}
	}
	for _, a := range slices.Backward(again) {
		ends := a.Fired
		if ends.IsZero() {
			ends = a.Resolved
		}
		add(a.Pending, ends, alert.Pending, chart.Caution)
		add(a.Fired, a.Resolved, alert.Firing, chart.Bad)
	}
	kept, since := chart.SpanRow{Label: "told"}, time.Time{}
	for _, h := range slices.Backward(history) {
		switch {
		case h.Type == trail.AlertSuppressed.Short() && since.IsZero():
			since = h.Time
		case (h.Type == trail.AlertUnsuppressed.Short() || h.Type == trail.AlertResolved.Short()) && !since.IsZero():
			kept.Spans = append(kept.Spans, chart.Span{From: since, To: h.Time, Name: "kept back", Mark: chart.Unclear})
			since = time.Time{}
		}
	}
	if !since.IsZero() {
		kept.Spans = append(kept.Spans, chart.Span{From: since, To: now, Name: "kept back", Mark: chart.Unclear})
	}
	c := chart.Spans{Header: chart.Header{Title: "States of " + name, Width: spansWidth}, To: now, Rows: []chart.SpanRow{states}}
	if len(kept.Spans) > 0 {
		c.Rows = append(c.Rows, kept)
	}
	if first.Before(now.Add(-alertsReach)) {
		first = now.Add(-alertsReach)
	}
	c.From = first.Add(-max(time.Minute, now.Sub(first)/30))
	return c.SVG()
}

// resolvingAlert is the command by which somebody ends an alert by hand.
func (s *server) resolvingAlert(v *visit, a alert.Alert, reason string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.AlertManage, Resource: onAlert(a.ID), Model: a.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) {
			change, err := s.Alerts.Resolve(tx, a.ID, reason)
			if change == nil {
				return nil, err
			}
			return change, err
		}),
	}
}

func (s *server) resolveAlert(v *visit) error {
	a, err := s.Alerts.Alert(v.ctx(), v.r.PathValue("alert"))
	if err != nil {
		return err
	}
	reason := v.value("reason")
	receipt, err := s.act(v, s.resolvingAlert(v, a, reason))
	if err == nil {
		return s.done(v, alertAddress(a.ID), receipt.Receipt)
	}
	return s.alertRefused(v, err, func(p *alertPage) { p.Refused, p.Reason = "resolve", reason })
}

func (s *server) silenceAlert(v *visit) error {
	a, err := s.Alerts.Alert(v.ctx(), v.r.PathValue("alert"))
	if err != nil {
		return err
	}
	typed := v.silenceForm()
	asked, err := typed.read(s.Now())
	if err == nil {
		command := s.silencing(v, asked)
		command.Model = a.Model
		receipt, errAct := s.act(v, command)
		if errAct == nil {
			return s.done(v, alertAddress(a.ID), receipt.Receipt)
		}
		err = errAct
	}
	return s.alertRefused(v, err, func(p *alertPage) { p.Refused, p.Typed = "silence", typed })
}

// alertRefused shows the alert with what was typed, and why it was refused.
func (s *server) alertRefused(v *visit, err error, keep func(*alertPage)) error {
	if !refused(err) {
		return err
	}
	p, errPage := s.alertPage(v)
	if errPage != nil {
		return errPage
	}
	keep(p)
	p.Trouble = troubleOf(err)
	return s.render(v, "alert", p.heading(), p.Trouble.Status, p)
}
