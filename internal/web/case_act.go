package web

import (
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// caseAct is what somebody does about a case.
type caseAct struct {
	on      casework.Case
	propose func(tx *state.Tx) ([]trail.Change, error)
}

func (a caseAct) command(v *visit) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.CaseDecide, Resource: trail.Resource{Type: "case", ID: a.on.ID}, Model: a.on.Model, Propose: a.propose,
	}
}

func (s *server) claiming(v *visit, c casework.Case) caseAct {
	return caseAct{c, single(func(tx *state.Tx) (trail.Change, error) { return s.Cases.Claim(tx, c.ID, v.who) })}
}

func (s *server) givingBack(v *visit, c casework.Case) caseAct {
	return caseAct{c, single(func(tx *state.Tx) (trail.Change, error) { return s.Cases.Release(tx, c.ID, v.who) })}
}

// judging is an opinion as it would be given: whether it may be.
func (s *server) judging(v *visit, c casework.Case, j casework.Judgement) caseAct {
	return caseAct{c, single(func(tx *state.Tx) (trail.Change, error) {
		judged, err := s.Cases.Judge(tx, c.ID, j, v.who)
		if err != nil {
			return nil, err
		}
		return judged, nil
	})}
}

func (s *server) claimCase(v *visit) error {
	return s.onCase(v, func(c casework.Case) (caseAct, error) { return s.claiming(v, c), nil })
}

func (s *server) giveCaseBack(v *visit) error {
	return s.onCase(v, func(c casework.Case) (caseAct, error) { return s.givingBack(v, c), nil })
}

func (s *server) judgeCase(v *visit) error {
	return s.onCase(v, func(c casework.Case) (caseAct, error) {
		text := v.value("answer")
		if text == "" {
			return caseAct{}, tallystick.Errorf(tallystick.Invalid, "the opinion does not say what the right answer is").WithHint("write what the model should have said")
		}
		if err := tallystick.ValidateText("answer", text, maxAnswer); err != nil {
			return caseAct{}, err
		}
		j := casework.Judgement{Outcome: answerOf(text, c.Output), Rationale: v.value("rationale"), Second: v.value("second") != ""}
		if j.Rationale == "" {
			return caseAct{}, tallystick.Errorf(tallystick.Invalid, "the opinion does not say why").WithHint("write what you looked at, and what you make of it")
		}
		if err := v.who.Allows(access.CaseDecide, trail.Resource{Type: "case", ID: c.ID}); err != nil { // the command refuses it, on the trail
			return s.judging(v, c, j), nil
		}
		propose, err := s.Cases.Prepare(v.ctx(), c, j, v.who, s.Now())
		return caseAct{c, propose}, err
	})
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 256

// onCase carries out what a form asks for, or shows the page with what was typed and why not.
func (s *server) onCase(v *visit, read func(casework.Case) (caseAct, error)) error {
	c, _, err := s.Cases.Case(v.ctx(), v.r.PathValue("case"), v.who)
	if err != nil {
		return err
	}
	act, err := read(c)
	var done registry.Done
	if err == nil {
		command := act.command(v)
		command.Answer = func(tx *state.Tx) (any, error) { return s.Cases.CaseIn(tx, c.ID) }
		done, err = s.act(v, command)
	}
	if err == nil {
		if err := json.Unmarshal(done.Answer, &c); err != nil {
			return fmt.Errorf("answer of a case: %w", err)
		}
		if done.Receipt.Sequence > 0 { // which is of the label, where there is one
			done.Receipt.Sequence = c.LastEvent
		}
		return s.done(v, caseAddress(c.ID), done.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.casePage(v)
	if errPage != nil {
		return errPage
	}
	p.TypedAnswer, p.TypedRationale, p.TypedSecond, p.Trouble = v.value("answer"), v.value("rationale"), v.value("second") != "", troubleOf(err)
	return s.render(v, "case", p.heading(), p.Trouble.Status, p)
}
