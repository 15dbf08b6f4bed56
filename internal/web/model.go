package web

import (
	"net/url"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/health"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of the lists on the page of one model.
const (
	shownVersions = 20
	shownPlaces   = 50
	shownFindings = 10
	shownLines    = 12
	shownTroubles = 5
)

// modelPage is one model.
type modelPage struct {
	catalog.Model
	Deciding    []decided
	Status      release.Status
	Versions    []catalog.Version
	MoreThan    bool // there are older versions
	Assignments []catalog.Assignment
	Deployments []catalog.Deployment
	Findings    []catalog.Finding
	Lines       []catalog.Line
	Health      *health.Health // nil: it is not told of
	Objectives  []objectiveLine
	Firing      []alertLine
	Pending     bool // alerts are, besides
	Incidents   []incident.Incident
	Answers     []answerLine // about two of its versions, the last ones
	Reads       bool         // the visitor may read what predictions say
}

// decided is an answer about risk, in words.
type decided struct {
	Question, Answer string
	Asks             tallystick.Tier
	Decides          bool
}

func (s *server) model(v *visit) error {
	name := v.r.PathValue("model")
	var page modelPage
	var err error
	if page.Status, err = s.Releases.Status(v.ctx(), name, ""); err != nil {
		return err
	}
	page.Model, page.Reads = page.Status.Model, v.who.Allows(access.PredictionRead, whole) == nil
	page.Deciding = answersOf(page.Model)
	if page.Versions, err = s.Catalog.Versions(v.ctx(), catalog.VersionFilter{Model: name, Limit: shownVersions + 1}); err != nil {
		return err
	}
	if page.MoreThan = len(page.Versions) > shownVersions; page.MoreThan {
		page.Versions = page.Versions[:shownVersions]
	}
	if page.Assignments, err = s.Catalog.Assignments(v.ctx(), catalog.AssignmentFilter{Model: name, Serving: true, Limit: shownPlaces}); err != nil {
		return err
	}
	if page.Deployments, err = s.Catalog.Deployments(v.ctx(), catalog.DeploymentFilter{Model: name, Running: true, Limit: shownPlaces}); err != nil {
		return err
	}
	if page.Findings, err = s.Catalog.Findings(v.ctx(), catalog.FindingFilter{Model: name, Open: true, Limit: shownFindings}); err != nil {
		return err
	}
	if s.Health != nil {
		h, err := s.Health(v.ctx(), name)
		if err != nil {
			return err
		}
		page.Health = &h
	}
	if err := s.troubles(v, name, &page); err != nil {
		return err
	}
	if page.Lines, err = s.latest(v, name); err != nil {
		return err
	}
	return s.show(v, "model", name, page)
}

// troubles finds what is wrong with a model now, what it is held to, and how its versions compare.
func (s *server) troubles(v *visit, name string, page *modelPage) error {
	live, err := s.Alerts.Alerts(v.ctx(), alert.Filter{Model: name, State: alert.Firing, Limit: shownTroubles + 1})
	if err != nil {
		return err
	}
	if page.Firing, err = s.alertLines(v, live); err != nil {
		return err
	}
	pending, err := s.Alerts.Alerts(v.ctx(), alert.Filter{Model: name, State: alert.Pending, Limit: 1})
	if err != nil {
		return err
	}
	page.Pending = len(pending) > 0
	if page.Incidents, err = s.Incidents.Incidents(v.ctx(), incident.Filter{Model: name, Open: true, Limit: shownTroubles + 1}); err != nil {
		return err
	}
	if page.Objectives, err = s.objectivesOf(v.ctx(), name); err != nil {
		return err
	}
	answers, err := s.Comparisons.Judged(v.ctx(), comparison.Filter{Model: name, Limit: shownTroubles})
	page.Answers = answerLines(answers)
	return err
}

// latelySince is how far back the page looks for what people did among what programs judge all the time.
const latelySince = 30 * 24 * time.Hour

// routine are the types of events that would fill the last touches of a model that is watched.
var routine = []trail.Type{trail.WindowJudged, trail.ObjectiveJudged, trail.TrailRead, trail.PredictionRead}

// latest returns the last touches of a model but those of readers and of judgements; where there are none of late, the last
// of all kinds.
func (s *server) latest(v *visit, model string) ([]catalog.Line, error) {
	f := catalog.HistoryFilter{Newest: true, Limit: shownLines, Personal: v.discloses(), People: s.People, Without: routine, Since: s.Now().Add(-latelySince)}
	h, err := s.Catalog.History(v.ctx(), model, f)
	if err != nil || len(h.Lines) > 0 {
		return h.Lines, err
	}
	f.Without, f.Since = nil, time.Time{}
	h, err = s.Catalog.History(v.ctx(), model, f)
	return h.Lines, err
}

// answersOf returns what was answered about the risk of a model.
func answersOf(m catalog.Model) (all []decided) {
	for _, q := range catalog.Questions() {
		d := decided{Question: q.Text}
		for _, o := range q.Options {
			if o.ID == m.Answers[q.ID] {
				d.Answer, d.Asks = o.Text, o.Asks
			}
		}
		for _, by := range m.TierDecision.Deciding {
			if by == q.ID+"="+m.Answers[q.ID] {
				d.Decides = true
			}
		}
		all = append(all, d)
	}
	return all
}

// versionsPage is the list of the versions of a model.
type versionsPage struct {
	Model    string
	Versions []catalog.Version
	More     string
}

func (s *server) versions(v *visit) error {
	page := versionsPage{Model: v.r.PathValue("model")}
	if _, err := s.Catalog.Model(v.ctx(), page.Model); err != nil {
		return err
	}
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return err
	}
	if page.Versions, err = s.Catalog.Versions(v.ctx(), catalog.VersionFilter{Model: page.Model, Before: before, Limit: modelsPerPage + 1}); err != nil {
		return err
	}
	if len(page.Versions) > modelsPerPage {
		page.Versions = page.Versions[:modelsPerPage]
		last := page.Versions[modelsPerPage-1].First
		page.More = modelAddress(page.Model) + "/versions?" + url.Values{"before": {strconv.FormatUint(last, 10)}}.Encode()
	}
	return s.show(v, "versions", "Versions of "+page.Model, page)
}

func readSequence(name, text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, tallystick.Errorf(tallystick.Invalid, "%s is no number of an event", name)
	}
	return n, nil
}

// historyPage is what anybody did to a model, and what served at a moment.
type historyPage struct {
	Model    string
	Outcomes []string
	Filter   trailFilter
	At       string // as it was asked for
	Moment   *catalog.Moment
	Quiet    bool // what programs judge all the time, and reads, are left out
	Lines    []catalog.Line
	Open     bool
	Older    string
	Newer    string
}

func (s *server) history(v *visit) error {
	page := historyPage{Outcomes: outcomes(), Model: v.r.PathValue("model"), At: v.query("at"), Open: v.discloses()}
	chosen, asked, err := s.readTrailFilter(v)
	if err != nil {
		return err
	}
	page.Filter = asked
	if page.At != "" {
		at, err := readDay("at", page.At)
		if err != nil {
			return err
		}
		q := catalog.AtQuery{From: at, Personal: page.Open, People: s.People}
		if len(page.At) == len(time.DateOnly) {
			q.Until = at.AddDate(0, 0, 1)
		}
		moment, err := s.Catalog.At(v.ctx(), page.Model, q)
		if err != nil {
			return err
		}
		page.Moment = &moment
	}
	var without []trail.Type
	if page.Quiet = v.query("quiet") != ""; page.Quiet {
		without = routine
	}
	h, err := s.Catalog.History(v.ctx(), page.Model, catalog.HistoryFilter{
		Without: without, Version: v.query("version"), Type: chosen.Type, Actor: chosen.Actor, Outcome: chosen.Outcome, Since: chosen.Since, Until: chosen.Until,
		Before: chosen.Before, Newest: true, Limit: eventsPerPage, Personal: page.Open, People: s.People,
	})
	if err != nil {
		return err
	}
	page.Lines = h.Lines
	here := modelAddress(page.Model) + "/history"
	if h.Next > 0 {
		q := v.r.URL.Query()
		q.Set("before", strconv.FormatUint(h.Next, 10))
		page.Older = here + "?" + q.Encode()
	}
	if chosen.Before > 0 {
		page.Newer = here
	}
	chosen.Model = page.Model
	if err := s.noteRead(v, chosen, asked, len(h.Lines)); err != nil {
		return err
	}
	return s.show(v, "history", "History of "+page.Model, page)
}
