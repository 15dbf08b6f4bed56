package web

import (
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// findingAct is what somebody does about a finding.
type findingAct struct {
	action  access.Action
	on      trail.Resource
	model   string
	propose func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error)
}

func (a findingAct) command(v *visit) registry.Command {
	by := catalog.FindingHand{ID: v.who.ID, Minter: v.who.Minter, Reviewer: v.who.Allows(access.FindingClose, a.on) == nil}
	return registry.Command{
		Principal: v.who, Action: a.action, Resource: a.on, Model: a.model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return a.propose(tx, by) }),
	}
}

func (s *server) findingAct(v *visit, action access.Action, id string, propose func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error)) findingAct {
	a := findingAct{action: action, on: trail.Resource{Type: "finding", ID: id}, propose: propose}
	if f, err := s.Catalog.Finding(v.ctx(), id); err == nil { // what is refused stands in the model's history too
		a.model = f.Model
	}
	return a
}

func (s *server) triaging(v *visit, id string, t catalog.FindingTriage) findingAct {
	return s.findingAct(v, access.FindingWrite, id, func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error) {
		return s.Catalog.TriageFinding(tx, id, t, by)
	})
}

func (s *server) remediating(v *visit, id string, r catalog.FindingRemedy) findingAct {
	return s.findingAct(v, access.FindingWrite, id, func(tx *state.Tx, _ catalog.FindingHand) (trail.Change, error) {
		return s.Catalog.RemediateFinding(tx, id, r)
	})
}

func (s *server) ending(v *visit, id string, as catalog.FindingState, e catalog.FindingEnd) findingAct {
	return s.findingAct(v, access.FindingClose, id, func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error) {
		if as == catalog.FindingIsDismissed {
			return s.Catalog.DismissFinding(tx, id, e, by)
		}
		return s.Catalog.ResolveFinding(tx, id, e, by)
	})
}

// revision returns which revision of the finding the visitor has looked at.
func (v *visit) revision() (uint64, error) {
	revision, err := strconv.ParseUint(v.value("revision"), 10, 63)
	if err != nil {
		return 0, tallystick.Errorf(tallystick.Invalid, "the form does not say which revision it is about").WithHint("open the page again")
	}
	return revision, nil
}

func (s *server) triageFinding(v *visit) error {
	t := catalog.FindingTriage{Owner: v.value("owner"), Severity: catalog.Severity(v.value("severity")), Note: v.value("note")}
	date := v.value("due")
	return s.onFinding(v, func(p *findingPage) { p.Typed, p.Date = t, date }, func() (a findingAct, err error) {
		id, asked := v.r.PathValue("finding"), t
		if asked.Owner, err = s.ownerOf(v, t.Owner); err != nil {
			return a, err
		}
		if asked.IfRevision, err = v.revision(); err != nil {
			return a, err
		}
		if date != "" && date != v.value("was_due") { // a day that was not touched is the date that there was
			day, err := time.Parse(time.DateOnly, date)
			if err != nil {
				return a, tallystick.Errorf(tallystick.Invalid, "%.20q is no date", date).WithHint("write it as 2006-01-02")
			}
			asked.Due = day.AddDate(0, 0, 1).Add(-time.Millisecond)
		}
		return s.triaging(v, id, asked), nil
	})
}

func (s *server) remediateFinding(v *visit) error {
	r := catalog.FindingRemedy{Note: v.value("note"), Version: v.value("version"), Ticket: v.value("ticket")}
	return s.onFinding(v, func(p *findingPage) { p.Remedy = r }, func() (a findingAct, err error) {
		if r.IfRevision, err = v.revision(); err != nil {
			return a, err
		}
		return s.remediating(v, v.r.PathValue("finding"), r), nil
	})
}

func (s *server) endFinding(v *visit) error {
	e := catalog.FindingEnd{Reason: v.value("reason")}
	return s.onFinding(v, func(p *findingPage) { p.Reason = e.Reason }, func() (a findingAct, err error) {
		if e.IfRevision, err = v.revision(); err != nil {
			return a, err
		}
		return s.ending(v, v.r.PathValue("finding"), catalog.FindingState(v.value("as")), e), nil
	})
}
