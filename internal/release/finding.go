package release

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
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

// Landed returns what an audit that ran elsewhere found of each rule, once its evidence is verified; nothing of
// other evidence.
func (o *Office) Landed(ctx context.Context, model, version string, a Attached) (g catalog.GateRun, err error) {
	g = catalog.GateRun{Model: model, Version: version, Run: a.Digest}
	if a.Kind != catalog.EvaluationEvidence || a.Standing != "verified" || a.PredicateType != verify.PredicateGate {
		return g, nil
	}
	body, err := o.stored(ctx, a.Digest)
	if body == nil || err != nil {
		return g, err
	}
	envelope, err := verify.ParseEnvelope(body)
	if err != nil {
		return g, nil //nolint:nilerr // a Sigstore bundle, which no audit writes
	}
	var s struct {
		Predicate evidence.Gate `json:"predicate"`
	}
	if err := json.Unmarshal(envelope.Payload, &s); err != nil {
		return g, fmt.Errorf("gate decision %s: %w", a.Digest.Short(), err)
	}
	for _, r := range s.Predicate.Rules {
		row := policy.Rule{Blocking: r.Blocking, Status: policy.Status(r.Status)}
		g.Rules = append(g.Rules, catalog.RuleRun{
			ID: r.ID, Severity: r.Severity, Status: r.Status, Message: r.Message, Denies: row.Denies(),
			Passes: row.Status == policy.Pass || row.Status == policy.Warn || row.Status == policy.Skip && s.Predicate.Verdict == tallystick.Pass,
		})
	}
	return g, nil
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
