package web

import (
	"net/url"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of the pages of reactions.
const (
	shownReactions   = 100
	triesPerPage     = 50
	shownTries       = 10 // on the page of an incident
	shownRetrainings = 20
)

func reactionAddress(name string) string { return "/reactions/" + url.PathEscape(name) }

func onReaction(name string) trail.Resource { return trail.Resource{Type: "reaction", ID: name} }

// reactionPage is one reaction: what it says, whether it may act, and what it tried.
type reactionPage struct {
	reactionLine
	Source  string
	Names   names
	Tries   []tryLine
	More    bool
	Forms   forms
	Approve deed
	Remove  deed
	Comment string
	Refused string // the form that was refused
	Trouble *trouble
	Done    *done
}

func (s *server) reaction(v *visit) error {
	p, err := s.reactionPage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "reaction", "Reaction "+p.Name, p)
}

func (s *server) reactionPage(v *visit) (*reactionPage, error) {
	p := &reactionPage{Forms: s.forms(v)}
	line, source, err := s.reactionLine(v.ctx(), v.r.PathValue("reaction"))
	if err != nil {
		return nil, err
	}
	p.reactionLine, p.Source = line, string(source)
	found, err := s.Reactions.Tries(v.ctx(), reaction.TryFilter{Reaction: p.Name, Limit: triesPerPage + 1})
	if err != nil {
		return nil, err
	}
	if p.More = len(found) > triesPerPage; p.More {
		found = found[:triesPerPage]
	}
	p.Tries = tryLines(found)
	if p.Names, err = s.names(v, []string{p.AppliedBy, p.ApprovedBy}); err != nil || p.Removed {
		return p, err
	}
	if p.Waits() {
		if p.Approve, err = s.deed(v, s.approvingReaction(v, p.Name, p.Model, p.Reaction.Document, "")); err != nil {
			return nil, err
		}
	}
	p.Remove, err = s.deed(v, s.removingReaction(v, p.Name, p.Model))
	return p, err
}

// approvingReaction is the command by which somebody lets a reaction act.
func (s *server) approvingReaction(v *visit, name, model string, document tallystick.Digest, comment string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.ReactionApprove, Resource: onReaction(name), Model: model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) {
			return s.Reactions.Approve(tx, name, document, comment, v.who)
		}),
	}
}

func (s *server) removingReaction(v *visit, name, model string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.ReactionManage, Resource: onReaction(name), Model: model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Reactions.ProposeRemove(tx, name) }),
	}
}

func (s *server) approveReaction(v *visit) error {
	comment := v.value("comment")
	return s.onReaction(v, "approval", comment, func(l reactionLine) (registry.Done, error) {
		return s.act(v, s.approvingReaction(v, l.Name, l.Model, tallystick.Digest(v.value("digest")), comment))
	})
}

func (s *server) removeReaction(v *visit) error {
	return s.onReaction(v, "removal", "", func(l reactionLine) (registry.Done, error) { return s.act(v, s.removingReaction(v, l.Name, l.Model)) })
}

// onReaction does something to the reaction that the address names. What is refused shows its page as it is by now.
func (s *server) onReaction(v *visit, form, comment string, do func(reactionLine) (registry.Done, error)) error {
	line, _, err := s.reactionLine(v.ctx(), v.r.PathValue("reaction"))
	if err != nil {
		return err
	}
	did, err := do(line)
	if err == nil {
		return s.done(v, reactionAddress(line.Name), did.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.reactionPage(v)
	if errPage != nil {
		return errPage
	}
	p.Refused, p.Comment, p.Trouble = form, comment, troubleOf(err)
	return s.render(v, "reaction", "Reaction "+p.Name, p.Trouble.Status, p)
}
