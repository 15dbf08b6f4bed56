package alert

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/objective"
)

// Budgets gives what objectives were judged to be. *objective.Office does.
type Budgets interface {
	Follow(ctx context.Context, after uint64, limit int) ([]objective.Step, error)
	Judgement(ctx context.Context, digest tallystick.Digest) (objective.BudgetJudgement, error)
}

// Objectives is the source of what objectives were judged to be: an observation for every rule about how fast a budget burns, and
// one for the budget itself. Rules look at two windows each, so their alerts fire and resolve at once.
type Objectives struct{ Budgets }

// Observations implements Source.
func (b Objectives) Observations(ctx context.Context, after uint64, limit int) (all []Observation, next uint64, err error) {
	steps, err := b.Follow(ctx, after, limit)
	if err != nil {
		return nil, after, err
	}
	next = after
	for _, s := range steps {
		next = s.Event
		if s.Removed {
			all = append(all, Observation{Rule: "objective/" + s.Objective + "/", Model: s.Model, Event: s.Event, Over: true})
			continue
		}
		j, err := b.Judgement(ctx, s.Judgement)
		switch code := tallystick.CodeOf(err); {
		case code == tallystick.NotFound || code == tallystick.Invalid: // damage of one document keeps nobody else's alerts back
			all = append(all, Observation{
				Rule: "objective/" + s.Objective + "/judgement", Model: s.Model, Severity: Ticket, From: s.At, To: s.At, Verdict: tallystick.Inconclusive,
				Words: fmt.Sprintf("The judgement cannot be read: %v.", err), Evidence: s.Judgement, Event: s.Event, Sole: true, Terms: AtOnce(),
			})
			continue
		case err != nil:
			return nil, after, err
		}
		o := Observation{
			Model: j.Model, Environment: j.Environment, Severity: Ticket, From: j.From, To: j.At, Words: j.Words, Evidence: s.Judgement, Event: s.Event, Terms: AtOnce(), Sole: true,
		}
		if j.Version != "champion" { // which version that is changes, and the promise does not
			o.Version = j.Version
		}
		o.Rule, o.Verdict = "objective/"+j.Objective+"/budget", j.BudgetVerdict()
		all = append(all, o)
		for _, r := range j.Rules {
			o.Rule, o.Subject, o.Severity, o.Verdict = "objective/"+j.Objective+"/"+string(r.Rule.Action), objective.Span(r.Rule.Window), Ticket, r.Verdict
			if r.Rule.Action == objective.Page {
				o.Severity = Page
			}
			o.From = j.At.Add(-r.Rule.Window)
			all = append(all, o)
		}
	}
	return all, next, nil
}
