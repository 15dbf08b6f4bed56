package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	requestsPerPage = 50
	shownDecisions  = 25
	shownChampions  = 100
)

// releasesPage is what was asked, decided and let in of a model.
type releasesPage struct {
	Model       catalog.Model
	Environment string // that it is about; empty: all
	Places      []place
	Requests    []release.Request
	More        string
	Decisions   []release.GateDecision
	Waivers     []waiverLine
	Freezes     []release.Freeze
	Titles      map[string]string // of rules, by id
	Figures     release.Figures   // of the last 90 days
	Names       names
	MayRollBack bool
}

// place is an environment, with the champion that serves there if there is one.
type place struct {
	catalog.Environment
	Champion *catalog.Assignment
	Since    string // how long, in words
	Frozen   *release.Freeze
}

func (s *server) releases(v *visit) error {
	p := releasesPage{Environment: strings.TrimSpace(v.query("environment"))}
	var err error
	if p.Model, err = s.Catalog.Model(v.ctx(), v.r.PathValue("model")); err != nil {
		return err
	}
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return err
	}
	model := p.Model.Name
	if p.Requests, err = s.Releases.Requests(v.ctx(), release.Filter{Model: model, Environment: p.Environment, Before: before, Limit: requestsPerPage + 1}); err != nil {
		return err
	}
	if len(p.Requests) > requestsPerPage {
		p.Requests = p.Requests[:requestsPerPage]
		q := v.r.URL.Query()
		q.Set("before", strconv.FormatUint(p.Requests[requestsPerPage-1].Event, 10))
		p.More = modelAddress(model) + "/releases?" + q.Encode()
	}
	if p.Decisions, err = s.Releases.Decisions(v.ctx(), release.Filter{Model: model, Environment: p.Environment, Limit: shownDecisions}); err != nil {
		return err
	}
	waivers, err := s.Releases.Waivers(v.ctx(), release.Filter{Model: model, Environment: p.Environment, Limit: shownWaivers})
	if err != nil {
		return err
	}
	p.Waivers = s.waiverLines(waivers)
	if p.Titles, err = s.titles(p.Model.Tier); err != nil {
		return err
	}
	if err := s.places(v, &p); err != nil {
		return err
	}
	if p.Figures, err = s.Releases.Figures(v.ctx(), release.FiguresQuery{Model: model, Environment: p.Environment}); err != nil && !refused(err) {
		return err // more than can be read at once is shown as none
	}
	var ids []string
	for _, w := range waivers {
		ids = append(ids, w.Owner, w.Requester, w.Reviewer)
	}
	for _, f := range p.Freezes {
		ids = append(ids, f.By)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return err
	}
	on := trail.Resource{Type: "model", ID: model}
	p.MayRollBack = v.who.Allows(access.ReleaseRequest, on) == nil && v.who.Allows(access.ReleasePromote, on) == nil
	return s.show(v, "releases", "Releases of "+model, p)
}

// places finds what serves where, and what is frozen.
func (s *server) places(v *visit, p *releasesPage) error {
	environments, err := s.Catalog.Environments(v.ctx())
	if err != nil {
		return err
	}
	serving, err := s.Catalog.Assignments(v.ctx(), catalog.AssignmentFilter{Model: p.Model.Name, Serving: true, Limit: shownChampions})
	if err != nil {
		return err
	}
	freezes, err := s.Releases.Freezes(v.ctx(), release.Filter{Open: true, Limit: shownFreezes})
	if err != nil {
		return err
	}
	for _, f := range freezes {
		if f.Model == "" || f.Model == p.Model.Name {
			p.Freezes = append(p.Freezes, f)
		}
	}
	for _, e := range environments {
		one := place{Environment: e}
		for _, a := range serving {
			if a.Environment == e.Name && a.Role == catalog.Champion {
				one.Champion, one.Since = &a, age(s.Now().Sub(a.From))
			}
		}
		for _, f := range p.Freezes {
			if f.Environment == "" || f.Environment == e.Name {
				one.Frozen = &f
			}
		}
		p.Places = append(p.Places, one)
	}
	return nil
}

// titles returns those of the rules of a tier, by their ids.
func (s *server) titles(tier tallystick.Tier) (map[string]string, error) {
	rules, err := s.Releases.Rules(tier)
	titles := map[string]string{}
	for _, r := range rules {
		titles[r.ID] = r.Title
	}
	return titles, err
}

// rollbackPage asks that the last champion that complied comes back.
type rollbackPage struct {
	Forms    forms
	Model    string
	Standing catalog.Standing
	In       string
	Reason   string
	Why      string // nothing can be rolled back, or not by this visitor
	Hint     string
	Trouble  *trouble
}

func (s *server) newRollback(v *visit, in string) (*rollbackPage, error) {
	p := &rollbackPage{Forms: s.forms(v), Model: v.r.PathValue("model"), In: in}
	var err error
	if p.Standing, err = s.Releases.Standing(v.ctx(), in, p.Model); err != nil {
		return nil, err
	}
	if p.Standing.LastCompliant == nil {
		p.Why = "No champion of " + p.Model + " in " + in + " before the present one complied: there is nothing to go back to."
		return p, nil
	}
	on := onVersion(p.Model, p.Standing.LastCompliant.Version)
	for _, action := range []access.Action{access.ReleaseRequest, access.ReleasePromote} {
		if err := v.who.Allows(action, on); err != nil {
			p.Why, p.Hint = words(err)
		}
	}
	return p, nil
}

func (p *rollbackPage) title() string { return "Roll back " + p.Model + " in " + p.In }

func (s *server) rollback(v *visit) error {
	p, err := s.newRollback(v, strings.TrimSpace(v.query("in")))
	if err != nil {
		return err
	}
	return s.show(v, "release-rollback", p.title(), p)
}

// rollBack asks for the last champion that complied, and carries that out.
func (s *server) rollBack(v *visit) error {
	p, err := s.newRollback(v, v.value("in"))
	if err != nil {
		return err
	}
	p.Reason = v.value("reason")
	receipt, id, err := s.carryBack(v, p)
	if err == nil {
		return s.done(v, releaseAddress(id), receipt.Receipt)
	}
	if !refused(err) {
		return err
	}
	p.Trouble = troubleOf(err)
	return s.render(v, "release-rollback", p.title(), p.Trouble.Status, p)
}

func (s *server) carryBack(v *visit, p *rollbackPage) (d registry.Done, id string, err error) {
	to := v.value("version") // that was on the page: what complies may be another by now
	switch {
	case p.Reason == "":
		return d, "", tallystick.Errorf(tallystick.Invalid, "a rollback says why").WithHint("write what is wrong with what serves now")
	case p.Standing.LastCompliant == nil || p.Standing.LastCompliant.Version != to:
		return d, "", tallystick.Errorf(tallystick.Conflict, "%s@%s is no longer what a rollback in %s goes to", p.Model, to, p.In).WithHint("look at what the page says now, and send it again")
	}
	a := release.Asking{Kind: release.Rollback, Model: p.Model, Version: to, Environment: p.In, Reason: p.Reason}
	// Whoever could not carry it out leaves no request behind either.
	if err := s.Registry.May(v.ctx(), registry.Command{Principal: v.who, Action: access.ReleasePromote, Resource: onVersion(p.Model, to), Model: p.Model}); err != nil {
		return d, "", err
	}
	if d, err = s.act(v, s.asking(v, a)); err != nil {
		return d, "", err
	}
	var r release.Request
	if err := json.Unmarshal(d.Answer, &r); err != nil {
		return d, "", fmt.Errorf("answer of a request: %w", err)
	}
	d, err = s.act(v, s.promoting(v, r))
	return d, r.ID, err
}
