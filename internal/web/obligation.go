package web

import (
	"net/url"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/obligation"
)

// obligationsPage is what frameworks ask of a model.
type obligationsPage struct {
	obligation.Obligations
	Asked  string // version that the address names
	States []obligation.State
}

func (s *server) obligations(v *visit) error {
	state, err := obligation.ParseState(v.query("state"))
	if err != nil {
		return err
	}
	q := obligation.Query{
		Model: v.r.PathValue("model"), Version: strings.TrimSpace(v.query("version")), Framework: v.query("framework"), State: state, Ahead: v.query("ahead") == "true",
	}
	page := obligationsPage{Asked: q.Version, States: []obligation.State{obligation.Missing, obligation.Stale, obligation.Present, obligation.NotApplicable}}
	if page.Obligations, err = s.Obliged.Obligations(v.ctx(), q); err != nil {
		return err
	}
	return s.show(v, "obligations", "Obligations of "+q.Model, page)
}

// Of returns the address of the same page for another framework.
func (p obligationsPage) Of(framework string) string { return p.address(framework, "", p.Ahead) }

// Only returns the address of the same page with evidence of one state.
func (p obligationsPage) Only(state obligation.State) string {
	return p.address(p.Framework.ID, state, p.Ahead)
}

// Everything returns the address of the same page with evidence of every state.
func (p obligationsPage) Everything() string { return p.Only("") }

// Other returns the address of the same page as things will stand, or as they stand now.
func (p obligationsPage) Other() string {
	framework := ""
	if p.Framework != nil {
		framework = p.Framework.ID
	}
	return p.address(framework, p.State, !p.Ahead)
}

func (p obligationsPage) address(framework string, state obligation.State, ahead bool) string {
	q := url.Values{}
	for name, value := range map[string]string{"version": p.Asked, "framework": framework, "state": string(state), "ahead": map[bool]string{true: "true"}[ahead]} {
		if value != "" {
			q.Set(name, value)
		}
	}
	address := "/models/" + url.PathEscape(p.Model) + "/obligations"
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}

// Counted returns how many kinds of evidence are in a state.
func (p obligationsPage) Counted(state obligation.State) int {
	n := p.Evidence
	return map[obligation.State]int{obligation.Present: n.Present, obligation.Stale: n.Stale, obligation.Missing: n.Missing, obligation.NotApplicable: n.NotApplicable}[state]
}

const gapsPerPage = 50

// gapsPage is what is lacking in all models.
type gapsPage struct {
	obligation.GapReport
	Tiers    []string
	More     string
	Filtered bool
}

func (s *server) gaps(v *visit) error {
	q := obligation.GapQuery{
		Framework: v.query("framework"), Tier: tallystick.Tier(v.query("tier")), Owner: strings.TrimSpace(v.query("owner")), Ahead: v.query("ahead") == "true",
		After: v.query("after"), Limit: gapsPerPage,
	}
	r, err := s.Obliged.Gaps(v.ctx(), q)
	if err != nil {
		return err
	}
	page := gapsPage{
		GapReport: r, Filtered: q.Framework+string(q.Tier)+q.Owner != "" || q.Ahead,
		Tiers: []string{string(tallystick.TierHigh), string(tallystick.TierLimited), string(tallystick.TierLow)},
	}
	if r.Next != "" {
		to := v.r.URL.Query()
		to.Set("after", r.Next)
		page.More = "/obligations?" + to.Encode()
	}
	return s.show(v, "gaps", "Gaps in the evidence", page)
}
