package release

import (
	"errors"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
)

// passing is what time changes without an event: whether something counts now.
type passing struct {
	Freezes   []policy.Freeze
	Waivers   []policy.Waiver
	Approvals []policy.Approval
	Counts    []bool // of the waivers, then of the approvals
	Budget    *policy.BudgetFact
}

// passingOf reads what time changes.
func (o *Office) passingOf(tx *state.Tx, request string, t Target) (p passing, err error) {
	freezes, errFreezes := freezesOver(tx, t.Model, t.Environment)
	waivers, errWaivers := waiversOf(tx, t)
	reviews, errReviews := reviewsOf(tx, request)
	if err := errors.Join(errFreezes, errWaivers, errReviews); err != nil {
		return p, err
	}
	if o.config.Budgets != nil {
		if p.Budget, err = o.config.Budgets.BudgetIn(tx, t.Model, t.Environment); err != nil {
			return p, err
		}
	}
	for _, f := range freezes {
		p.Freezes = append(p.Freezes, policy.Freeze{ID: f.ID, Environment: f.Environment, Model: f.Model, Reason: f.Reason, By: f.By, From: f.From, Until: whenSet(f.Until)})
	}
	for _, w := range waivers {
		p.Waivers = append(p.Waivers, policy.Waiver{
			ID: w.ID, Rule: w.Rule, Version: w.Version, Owner: w.Owner, Reason: w.Reason, Control: w.Control, Expires: w.Expires,
			Environment: w.Environment, Digest: w.Digest, ApprovedBy: []string{w.Reviewer}, Requester: w.Requester,
		})
		p.Counts = append(p.Counts, tx.Now().Before(w.Expires))
	}
	for _, r := range lastOfEach(reviews) {
		approval, err := o.approval(tx, r)
		if err != nil {
			return p, err
		}
		p.Approvals, p.Counts = append(p.Approvals, approval), append(p.Counts, tx.Now().Before(r.Expires))
	}
	return p, nil
}

// lastOfEach returns the last review of each reviewer, in the order in which they were made.
func lastOfEach(reviews []Review) (last []Review) {
	for i, r := range reviews {
		if !slices.ContainsFunc(reviews[i+1:], func(later Review) bool { return later.Reviewer == r.Reviewer }) {
			last = append(last, r)
		}
	}
	return last
}

// approval returns a review with the roles that its reviewer holds now: none, if it is nobody who is known
// or active.
func (o *Office) approval(tx *state.Tx, r Review) (policy.Approval, error) {
	a := policy.Approval{
		ID: r.ID, Approver: policy.Person{ID: r.Reviewer, Did: string(r.Verdict), Minter: r.Minter}, Verdict: string(r.Verdict),
		Digest: r.Digest, At: r.Created, Until: &r.Expires, Conflict: r.Conflict,
	}
	u, err := o.config.Access.UserIn(tx, r.Reviewer)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return a, nil
	case err != nil:
		return a, err
	}
	a.Approver.Service = u.Kind == access.KindService
	if u.State == access.Active {
		for _, role := range u.Roles {
			a.Roles = append(a.Roles, string(role))
		}
	}
	return a, nil
}
