package reaction

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// prepared is what a deed needs that is read before the transaction.
type prepared struct {
	retrain *RetrainRequested
	asking  release.Asking
	state   State // how it ends at once; empty: it goes on
	reason  string
}

// prepare reads what a deed needs.
func (o *Office) prepare(ctx context.Context, a *attempt) (p *prepared, err error) {
	p = &prepared{}
	switch {
	case a.deed.Kind == Retrain && a.by.mode == Act:
		p.retrain, err = o.gather(ctx, training{
			Model: a.doc.Model, Version: a.cause.Version, Environment: a.cause.Environment, Cause: a.cause, Window: a.deed.Window, Reaction: a.doc.Name, Incident: a.tried.Incident,
		})
	case a.deed.Kind == Rollback:
		err = o.prepareRollback(ctx, a, p)
	case a.deed.Kind == Pause:
		err = o.preparePause(ctx, a, p)
	}
	return p, err
}

// prepareRollback finds where and to what version a rollback would go.
func (o *Office) prepareRollback(ctx context.Context, a *attempt, p *prepared) error {
	environment, err := o.place(ctx, a)
	if err != nil {
		return err
	}
	if environment == "" {
		p.state, p.reason = Refused, "the cause names no environment, and "+a.doc.Model+" is not champion in just one"
		return nil
	}
	standing, err := o.config.Releases.Standing(ctx, environment, a.doc.Model)
	if err != nil {
		return err
	}
	to := a.deed.To
	if to == previous {
		to = ""
		if standing.LastCompliant != nil {
			to = standing.LastCompliant.Version
		}
	}
	switch {
	case standing.Champion == nil:
		p.state, p.reason = Refused, fmt.Sprintf("no version of %s is champion in %s", a.doc.Model, environment)
	case a.cause.Version != "" && a.cause.Version != standing.Champion.Version:
		p.state, p.reason = Skipped, fmt.Sprintf("the champion in %s is %s@%s, and the cause is about %s", environment, a.doc.Model, standing.Champion.Version, a.cause.Version)
	case to == "":
		p.state, p.reason = Refused, fmt.Sprintf("no champion of %s in %s before the present one complied", a.doc.Model, environment)
	case to == standing.Champion.Version:
		p.state, p.reason = Skipped, fmt.Sprintf("%s@%s is champion in %s already", a.doc.Model, to, environment)
	}
	p.asking = release.Asking{
		Kind: release.Rollback, Model: a.doc.Model, Version: to, Environment: environment, Reason: fmt.Sprintf("reaction %s to %s: %s", a.doc.Name, a.cause.Name, a.cause.About),
	}
	return nil
}

// place is the environment that a deed is about: that of the cause, or the only one in which the model is champion.
func (o *Office) place(ctx context.Context, a *attempt) (string, error) {
	if a.cause.Environment != "" {
		return a.cause.Environment, nil
	}
	all, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Model: a.doc.Model, Serving: true, Limit: maxListed})
	if err != nil {
		return "", err
	}
	only := ""
	for _, s := range all {
		if s.Role != catalog.Champion || s.Environment == only {
			continue
		}
		if only != "" {
			return "", nil
		}
		only = s.Environment
	}
	return only, nil
}

// preparePause looks whether a freeze holds already.
func (o *Office) preparePause(ctx context.Context, a *attempt, p *prepared) error {
	all, err := o.config.Releases.Freezes(ctx, release.Filter{Open: true, Limit: maxListed})
	if err != nil {
		return err
	}
	for _, f := range all {
		if (f.Model == "" || f.Model == a.doc.Model) && (f.Environment == "" || f.Environment == a.cause.Environment) {
			p.state, p.reason = Skipped, "a freeze holds already: "+f.ID
		}
	}
	return nil
}

// decide fills in what becomes of an attempt and commits what it does, but for the try itself.
func (o *Office) decide(a *attempt, p *prepared) error {
	if p.state != "" {
		a.tried.State, a.tried.Reason = p.state, p.reason
		return nil
	}
	a.tried.State = Proposed
	switch a.deed.Kind {
	case Retrain:
		return o.retrain(a, p)
	case Rollback:
		return o.rollback(a, p)
	}
	return o.pause(a)
}

func (o *Office) retrain(a *attempt, p *prepared) error {
	if a.by.mode != Act {
		a.tried.Command = "tallystick retrain request " + named(a.doc.Model, a.cause.Version)
		if a.cause.Environment != "" {
			a.tried.Command += " --env " + a.cause.Environment
		}
		if a.cause.Alert != "" {
			a.tried.Command += " --alert " + a.cause.Alert
		}
		a.tried.Command += " --reason TEXT"
		return nil
	}
	receipt, err := o.config.Recorder.Commit(a.tx, a.by.act(), p.retrain)
	a.tried.State, a.tried.Retrain = Done, receipt.ID
	return err
}

func named(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}

// rollback asks for the release; whether it is carried out by itself says the mode.
func (o *Office) rollback(a *attempt, p *prepared) error {
	a.tried.Environment = p.asking.Environment
	a.tried.Target = p.asking.Version
	change, err := o.config.Releases.Ask(a.tx, p.asking, a.by.Principal)
	switch code := tallystick.CodeOf(err); {
	case code == tallystick.Conflict || code == tallystick.NotFound || code == tallystick.Invalid:
		a.tried.State, a.tried.Reason = Refused, words(err)
		return nil
	case err != nil:
		return err
	case change != nil:
		receipt, err := o.config.Recorder.Commit(a.tx, a.by.act(), change)
		if err != nil {
			return err
		}
		a.tried.Request = receipt.ID
	default: // the same is being asked already
		r, err := o.config.Releases.OpenRequestIn(a.tx, p.asking)
		if err != nil {
			return err
		}
		a.tried.Request = r.ID
	}
	if a.by.mode == Act {
		a.tried.State = Begun
		return nil
	}
	a.tried.Command = "tallystick release promote " + a.tried.Request
	return nil
}

func (o *Office) pause(a *attempt) error {
	until := a.tx.Now().Add(a.deed.Lasts)
	if a.by.mode != Act {
		a.tried.Command = "tallystick release freeze --model " + a.doc.Model
		if a.cause.Environment != "" {
			a.tried.Command += " --env " + a.cause.Environment
		}
		a.tried.Command += " --until " + stamp(until) + " --reason TEXT"
		return nil
	}
	change, err := o.config.Releases.Freeze(a.tx, release.Freezing{
		Model: a.doc.Model, Environment: a.cause.Environment, Until: until, Reason: fmt.Sprintf("reaction %s to %s: %s", a.doc.Name, a.cause.Name, a.cause.About),
	})
	if tallystick.CodeOf(err) == tallystick.NotFound || tallystick.CodeOf(err) == tallystick.Invalid {
		a.tried.State, a.tried.Reason = Refused, words(err)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = o.config.Recorder.Commit(a.tx, a.by.act(), change)
	a.tried.State, a.tried.Reason = Done, "until "+stamp(until)
	return err
}

// mark makes what was tried part of the incident.
func (o *Office) mark(a *attempt) error {
	if a.tried.Incident == "" || a.tried.State == Skipped {
		return nil
	}
	var change trail.Change
	var err error
	switch {
	case a.tried.Request != "":
		change, err = o.config.Incidents.Link(a.tx, a.tried.Incident, incident.Link{Kind: "release", Target: a.tried.Request, Note: fmt.Sprintf("reaction %s: rollback to %s@%s, %s", a.doc.Name, a.doc.Model, a.tried.Target, a.tried.State)})
	case a.tried.Retrain != "":
		var r Retraining
		if r, err = retrainIn(a.tx, a.tried.Retrain); err == nil {
			change, err = o.config.Incidents.Add(a.tx, a.tried.Incident, &incident.EvidenceAdded{Kind: "retraining", Evidence: r.Report, Note: fmt.Sprintf("reaction %s asked that the model be trained anew: %s", a.doc.Name, r.ID)})
		}
	default:
		note := fmt.Sprintf("reaction %s: %s %s", a.doc.Name, a.deed.Kind, a.tried.State)
		if a.tried.Reason != "" {
			note += ", " + a.tried.Reason
		}
		if a.tried.Command != "" {
			note += "; `" + a.tried.Command + "`"
		}
		change, err = o.config.Incidents.Note(a.tx, a.tried.Incident, note)
	}
	return o.marked(a.tx, a.by, change, err)
}

// marked commits a mark. An incident that was closed meanwhile gets none: the trail has it all the same.
func (o *Office) marked(tx *state.Tx, a agent, change trail.Change, err error) error {
	if tallystick.CodeOf(err) == tallystick.Conflict || err == nil && change == nil {
		return nil
	}
	if err == nil {
		_, err = o.config.Recorder.Commit(tx, a.act(), change)
	}
	return err
}

// markEnd makes the end of a try part of the incident: a rollback that was carried out stopped the harm.
func (o *Office) markEnd(tx *state.Tx, a *agent, t Try, as State, reason string) error {
	if t.Incident == "" {
		return nil
	}
	if as == Done && t.Deed == Rollback {
		change, err := o.config.Incidents.Mitigate(tx, t.Incident, "rollback", fmt.Sprintf("reaction %s: %s@%s is champion in %s again", t.Reaction, t.Model, t.Target, t.Environment))
		return o.marked(tx, *a, change, err)
	}
	change, err := o.config.Incidents.Note(tx, t.Incident, fmt.Sprintf("reaction %s: %s %s, %s; the request is %s", t.Reaction, t.Deed, as, reason, t.Release))
	return o.marked(tx, *a, change, err)
}
