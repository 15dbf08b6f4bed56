package web

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/reaction"
)

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
