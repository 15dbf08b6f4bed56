package release

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// followed puts what a judgement makes of the findings about the rules that it asked before the changes that
// it makes itself: whoever acted is told of the last, which is what they asked for.
func (o *Office) followed(tx *state.Tx, j Judgement, asked bool, changes ...trail.Change) ([]trail.Change, error) {
	g := catalog.GateRun{Model: j.Model, Version: j.Version, Environment: j.Environment, Run: j.Decision.Input, Asked: asked}
	let := j.Decision.Verdict == tallystick.Pass && j.Kind == Promotion // a rollback is not asked for everything
	for _, r := range j.Decision.Rules {
		g.Rules = append(g.Rules, catalog.RuleRun{
			ID: r.ID, Severity: r.Severity, Status: string(r.Status), Message: r.Message, Denies: r.Denies(),
			Passes: r.Status == policy.Pass || r.Status == policy.Warn || r.Status == policy.Skip && let,
		})
	}
	found, err := o.config.Catalog.FollowGate(tx, g)
	return append(found, changes...), err
}

// ReviewBypass returns the change that a refused review makes if somebody tried to approve their own
// release, and nil otherwise.
func (o *Office) ReviewBypass(tx *state.Tx, p Opining, who access.Principal) (trail.Change, error) {
	r, err := request(tx, p.Request)
	if err != nil || p.Verdict != Approve {
		return nil, ignored(err)
	}
	authors, err := o.authors(tx, r)
	if err != nil || !slices.ContainsFunc(authors, func(a policy.Person) bool { return slices.Contains([]string{who.ID, who.Minter}, a.ID) }) {
		return nil, err
	}
	return o.config.Catalog.BypassTried(tx, catalog.Bypass{
		Environment: r.Environment, Model: r.Model, Version: r.Version, What: "approval", By: who.ID, Minter: who.Minter,
		Summary: fmt.Sprintf("somebody tried to approve their own release of %s", r.Name()),
	})
}

// WaiverBypass does the same for a waiver that somebody owns or has asked for.
func (o *Office) WaiverBypass(tx *state.Tx, id string, verdict Opinion, who access.Principal) (trail.Change, error) {
	w, err := waiver(tx, id)
	if err != nil || verdict != Approve || !w.ownedBy(who) {
		return nil, ignored(err)
	}
	return o.config.Catalog.BypassTried(tx, catalog.Bypass{
		Environment: w.Environment, Model: w.Model, Version: w.Version, What: "waiver", By: who.ID, Minter: who.Minter,
		Summary: fmt.Sprintf("somebody tried to approve their own waiver of the rule %s for %s@%s in %s", w.Rule, w.Model, w.Version, w.Environment),
	})
}

// ignored leaves out that there is no such thing: nothing was tried with it.
func ignored(err error) error {
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil
	}
	return err
}

// ownedBy reports whether the principal, or who made its token, owns the waiver or has asked for it.
func (w Waiver) ownedBy(who access.Principal) bool {
	return slices.ContainsFunc([]string{who.ID, who.Name, who.Minter}, func(id string) bool { return id != "" && (id == w.Owner || id == w.Requester) })
}
