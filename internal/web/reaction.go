package web

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/objective"
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

// reactionLine is a reaction with what it says. Its document is nil if it was removed.
type reactionLine struct {
	reaction.Reaction
	Document *reaction.Document
}

// Href is the address of its page.
func (l reactionLine) Href() string { return reactionAddress(l.Name) }

// Waits reports whether somebody else has to approve it before it acts.
func (l reactionLine) Waits() bool {
	return l.Document != nil && l.Document.Mode == reaction.Act && l.Approved.IsZero()
}

// Stands says how far it goes.
func (l reactionLine) Stands() string {
	switch {
	case l.Removed:
		return "removed"
	case l.Waits():
		return "proposes until it is approved"
	case l.Document.Mode == reaction.Act:
		return "acts by itself"
	}
	return "proposes"
}

// When says what has to be so.
func (l reactionLine) When() string {
	if c := l.Document.When.Comparison; c != nil {
		words := "the comparison " + cmp.Or(c.Name, "*") + " says rollback"
		if c.Environment != "" {
			words += " in " + c.Environment
		}
		return words
	}
	c := l.Document.When.Alert
	words := "an alert of " + cmp.Or(c.Rule, "any rule") + " fires"
	if c.For > 0 {
		words += " for " + objective.Span(c.For)
	}
	for _, part := range [][2]string{{"of the severity ", string(c.Severity)}, {"about ", strings.Join(c.Subject, " or ")}, {"where ", c.Segment}, {"of the version ", c.Version}, {"in ", c.Environment}} {
		if part[1] != "" {
			words += ", " + part[0] + part[1]
		}
	}
	return words
}

// Does says what is done then, in its order.
func (l reactionLine) Does() (all []string) {
	for _, d := range l.Document.Do {
		switch d.Kind {
		case reaction.Retrain:
			all = append(all, "ask that it be trained anew, with the predictions of "+objective.Span(d.Window)+" before")
		case reaction.Rollback:
			to := "the version before"
			if d.To != "previous" {
				to = "version " + d.To
			}
			all = append(all, "roll back to "+to+", if the gate lets it in")
		case reaction.Pause:
			all = append(all, "freeze releases for "+objective.Span(d.Lasts))
		}
	}
	return all
}

// Bounds says how often it does so.
func (l reactionLine) Bounds() string {
	return "each deed once in " + objective.Span(l.Document.Cooldown) + " at most, and " + plural(l.Document.Most, "time") + " for an incident"
}

// tryLine is what was tried, with the addresses of what came of it.
type tryLine struct{ reaction.Try }

// Where names the version and the environment.
func (l tryLine) Where() string { return subjectOf(l.Model, l.Version) }

// Did says what was done or proposed.
func (l tryLine) Did() string {
	if l.Target != "" {
		return readable(string(l.Deed)) + " to " + l.Target
	}
	return readable(string(l.Deed))
}

// CauseHref is the address of what made the condition true.
func (l tryLine) CauseHref() string {
	kind, of, _ := strings.Cut(l.Cause, "/")
	if kind == "alert" {
		return alertAddress(of)
	}
	name, _, _ := strings.Cut(of, "@")
	return comparisonAddress(name)
}

func tryLines(all []reaction.Try) (lines []tryLine) {
	for _, t := range all {
		lines = append(lines, tryLine{t})
	}
	return lines
}

// reactionsPage lists reactions, what they tried, and what trainings were asked for.
type reactionsPage struct {
	Model       string
	Reactions   []reactionLine
	Hidden      int // reactions that are not shown
	Tries       []tryLine
	More        string
	Retrainings []reaction.Retraining
}

func (s *server) listReactions(v *visit) error {
	p := &reactionsPage{Model: strings.TrimSpace(v.query("model"))}
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return err
	}
	all, err := s.Reactions.Reactions(v.ctx(), p.Model)
	if err != nil {
		return err
	}
	for _, is := range all {
		if is.Removed {
			continue
		}
		if len(p.Reactions) == shownReactions {
			p.Hidden++
			continue
		}
		line, _, err := s.reactionLine(v.ctx(), is.Name)
		if err != nil {
			return err
		}
		if line.Document != nil { // else it was removed this very moment
			p.Reactions = append(p.Reactions, line)
		}
	}
	found, err := s.Reactions.Tries(v.ctx(), reaction.TryFilter{Model: p.Model, Before: before, Limit: triesPerPage + 1})
	if err != nil {
		return err
	}
	if len(found) > triesPerPage {
		found = found[:triesPerPage]
		p.More = v.with("before", strconv.FormatUint(found[triesPerPage-1].Event, 10))
	}
	p.Tries = tryLines(found)
	if p.Retrainings, err = s.Reactions.Retrainings(v.ctx(), p.Model, 0, shownRetrainings); err != nil {
		return err
	}
	return s.show(v, "reactions", "Reactions", p)
}

func (s *server) reactionLine(ctx context.Context, name string) (l reactionLine, source []byte, err error) {
	l.Reaction, l.Document, source, err = s.Reactions.Reaction(ctx, name)
	return l, source, err
}

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
