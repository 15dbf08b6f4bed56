package reaction

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
)

// Run carries on what was begun, sees what came of what was proposed, and tries what has become due. It says what it did.
// A fault of one reaction keeps no other back.
func (o *Office) Run(ctx context.Context) (outcome string, err error) {
	counts := map[State]int{}
	var faults []error
	add := func(name string, s State, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("reaction %s: %w", name, err))
		}
		if s != "" {
			counts[s]++
		}
	}
	waiting, err := o.tries(ctx, "awaits = 1 ORDER BY event", nil, maxListed)
	if err != nil {
		return "", err
	}
	for _, t := range waiting {
		s, err := o.settle(ctx, t)
		add(t.Reaction, s, err)
	}
	all, err := o.Reactions(ctx, "")
	if err != nil {
		return "", err
	}
	l := o.look()
	for i := range all {
		if r := &all[i]; !r.Removed && ctx.Err() == nil {
			err := o.react(ctx, l, r, func(s State) { add(r.Name, s, nil) })
			add(r.Name, "", err)
		}
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var parts []string
	for _, s := range []State{Done, Begun, Proposed, Refused, Lapsed, Skipped} {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(parts, ", "), errors.Join(faults...)
}

// react tries each deed of a reaction for each cause that it was not tried for.
func (o *Office) react(ctx context.Context, l *look, r *Reaction, tell func(State)) error {
	source, err := o.config.Evidence.Get(ctx, r.Document)
	if err != nil {
		return err
	}
	doc, err := Parse(source, r.Name)
	if err != nil {
		return err
	}
	causes, err := l.causes(ctx, doc, r.Applied)
	if err != nil {
		return err
	}
	var faults []error
	for i := range causes {
		for _, deed := range doc.Do {
			s, err := o.try(ctx, doc, deed, &causes[i])
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				faults = append(faults, fmt.Errorf("%s for %s: %w", deed.Kind, causes[i].Name, err))
			}
			tell(s)
		}
	}
	return errors.Join(faults...)
}

// attempt is one try as it is being decided.
type attempt struct {
	tx    *state.Tx
	doc   *Document
	deed  Deed
	cause *Cause
	by    agent
	tried Tried
}

// try tries a deed for a cause, once. The state is empty if it was tried before, or is not due.
func (o *Office) try(ctx context.Context, doc *Document, deed Deed, c *Cause) (did State, err error) {
	open := false
	due := func(tx *state.Tx) (a *attempt, r Reaction, err error) {
		is, err := known(tx, doc.Name, deed.Kind, c.Name)
		if err != nil || is {
			return nil, r, err
		}
		if r, err = o.reactionIn(tx, doc.Name); err != nil || r.Removed {
			return nil, r, err
		}
		in, wait, err := o.incidentOf(tx, c)
		if err != nil || wait {
			return nil, r, err
		}
		a = &attempt{doc: doc, deed: deed, cause: c, tx: tx}
		if a.by, err = o.agentOf(tx, &r, doc); err != nil {
			return nil, r, err
		}
		a.tried = Tried{
			Reaction: doc.Name, Document: r.Document, Model: doc.Model, Version: c.Version, Environment: c.Environment, Deed: deed.Kind, Mode: a.by.mode, Cause: c.Name, Rule: c.Rule,
			Incident: in.ID, Reason: a.by.why,
		}
		b, err := o.before(tx, doc, deed.Kind, in.ID)
		if err == nil {
			if why := doc.withheld(b, in.ID, o.config.Now()); why != "" {
				a.tried.State, a.tried.Reason = Skipped, why
			}
		}
		return a, r, err
	}
	var first *attempt
	err = o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		first, _, err = due(tx)
		return err
	})
	if err != nil || first == nil {
		return "", err
	}
	var ready *prepared
	if first.tried.State != Skipped {
		if ready, err = o.prepare(ctx, first); err != nil {
			return "", err
		}
	}
	var id string
	err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
		did, open = "", false
		a, r, err := due(tx)
		if err != nil || a == nil || r.Document != first.tried.Document || (a.tried.State == Skipped) != (first.tried.State == Skipped) || a.by.mode != first.by.mode {
			return err // it was decided otherwise meanwhile: the next run looks again
		}
		if a.tried.State != Skipped {
			if err := o.decide(a, ready); err != nil {
				return err
			}
		}
		receipt, err := o.config.Recorder.Commit(tx, a.by.act(), &a.tried)
		if err != nil {
			return err
		}
		id, did, open = receipt.ID, a.tried.State, a.tried.State == Begun
		return o.mark(a)
	})
	if err != nil || !open {
		return did, err
	}
	t, err := o.Try(ctx, id)
	if err != nil {
		return did, err
	}
	return o.carry(ctx, t)
}

// settle sees what came of the request of a try, and carries on what was begun.
func (o *Office) settle(ctx context.Context, t Try) (State, error) {
	r, _, err := o.config.Releases.Request(ctx, t.Release)
	if err != nil {
		return "", err
	}
	switch {
	case r.State == release.Done:
		return o.end(ctx, t, Done, "")
	case r.State != release.Open:
		return o.end(ctx, t, Lapsed, "the request was "+string(r.State))
	case !o.config.Now().Before(r.Expires):
		return o.end(ctx, t, Lapsed, "the request has expired")
	case t.State == Begun:
		return o.carry(ctx, t)
	}
	return "", nil
}

// end puts the end of a try on record, if it is as far as the caller saw.
func (o *Office) end(ctx context.Context, t Try, as State, reason string) (did State, err error) {
	err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
		did = ""
		a, err := o.resumed(tx, t)
		if err != nil || a == nil {
			return err
		}
		did = as
		return o.ended(tx, a, t, as, reason)
	})
	return did, err
}

// resumed returns who goes on with a try, nil if it is not as the caller saw it.
func (o *Office) resumed(tx *state.Tx, t Try) (*agent, error) {
	is, err := tryIn(tx, t.ID)
	if err != nil || is.State != t.State || is.LastEvent != t.LastEvent {
		return nil, err
	}
	r, err := o.reactionIn(tx, t.Reaction)
	if err != nil {
		return nil, err
	}
	a, err := o.agentOf(tx, &r, &Document{Mode: t.Mode})
	if r.Removed || r.Document != t.Document { // what was written since does not vouch for what was begun before
		a.mode, a.why = Propose, "the reaction was changed since"
	}
	return &a, err
}

func (o *Office) ended(tx *state.Tx, a *agent, t Try, as State, reason string) error {
	_, err := o.config.Recorder.Commit(tx, a.act(), &Ended{
		Try: t.ID, Reaction: t.Reaction, Model: t.Model, Version: t.Version, Environment: t.Environment, Deed: t.Deed, Incident: t.Incident, State: as, Target: t.Target, Request: t.Release, Reason: reason,
	})
	if err != nil {
		return err
	}
	return o.markEnd(tx, a, t, as, reason)
}

// carries is how often a rollback is put to the gate when facts change while it decides.
const carries = 3

// carry carries out a rollback that was begun: the gate judges, and what it says is done. What it refuses stays a request, which
// people can go on with; it is not put to the gate again.
func (o *Office) carry(ctx context.Context, t Try) (did State, err error) {
	for left := carries; ; left-- {
		j, errJudge := o.config.Releases.Judge(ctx, t.Release)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		var changed error
		err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
			did, changed = "", nil
			a, err := o.resumed(tx, t)
			if err != nil || a == nil {
				return err
			}
			did = Refused
			switch {
			case a.mode != Act:
				return o.ended(tx, a, t, Refused, a.why)
			case tallystick.CodeOf(errJudge) == tallystick.Conflict:
				return o.ended(tx, a, t, Refused, words(errJudge))
			case errJudge != nil:
				return errJudge
			}
			changes, err := o.config.Releases.Promote(tx, j)
			if tallystick.CodeOf(err) == tallystick.Conflict {
				if changed = err; left > 1 {
					return nil
				}
				return o.ended(tx, a, t, Refused, words(err))
			}
			if err != nil {
				return err
			}
			for _, change := range changes {
				if _, err := o.config.Recorder.Commit(tx, a.act(), change); err != nil {
					return err
				}
			}
			if j.Decision.Verdict == tallystick.Pass {
				did = Done
				return o.ended(tx, a, t, Done, "")
			}
			return o.ended(tx, a, t, Refused, "the gate denied: "+strings.Join(denied(j), ", "))
		})
		if err != nil || changed == nil || left <= 1 {
			return did, err
		}
	}
}

func denied(j release.Judgement) (rules []string) {
	for _, rule := range j.Decision.Rules {
		if rule.Denies() {
			rules = append(rules, rule.ID)
		}
	}
	return rules
}

// words is an error as it stands on the trail.
func words(err error) string {
	message, _ := tallystick.Words(err)
	if len(message) > 1000 {
		message = strings.ToValidUTF8(message[:1000], "")
	}
	return message
}
