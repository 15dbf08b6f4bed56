package objective

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
)

// BudgetIn tells the gate of the objectives of a model that are about an environment or about all: how the one stands that lets
// least be tried. It is nil if there is none. One that was never judged, or not for three hours, is stale: nobody knows then.
func (o *Office) BudgetIn(tx *state.Tx, model, environment string) (worst *policy.BudgetFact, err error) {
	all, err := state.Collect(tx, revision.Scan, "SELECT "+kept.Columns()+` FROM objective_revisions m WHERE model = ? AND (environment = ? OR environment = '') AND removed = 0
		AND event = (SELECT max(event) FROM objective_revisions WHERE name = m.name) ORDER BY name `+state.Limit, model, environment, maxObjectives)
	if err != nil {
		return nil, err
	}
	standing, err := standingIn(tx, model)
	if err != nil {
		return nil, err
	}
	last := make(map[string]*BudgetStanding, len(standing))
	for i := range standing {
		last[standing[i].Objective] = &standing[i]
	}
	for _, is := range all {
		fact := &policy.BudgetFact{Name: is.Name, Remaining: 1, Stale: true, Verdict: string(tallystick.Insufficient)}
		if l := last[is.Name]; l != nil {
			fact = &policy.BudgetFact{
				Name: is.Name, Remaining: max(0, l.Left), Window: l.Period, Paused: l.Paused, Stale: l.Event < is.Event || tx.Now().Sub(l.At) > Stale, Verdict: string(l.Verdict),
			}
			if l.Verdict == tallystick.Insufficient {
				fact.Remaining = 1 // of too few events nothing is known to be gone
			}
		}
		if worst == nil || graver(fact, worst) {
			worst = fact
		}
	}
	return worst, nil
}

// graver reports whether a lets less be tried than b.
func graver(a, b *policy.BudgetFact) bool {
	rank := func(f *policy.BudgetFact) int {
		switch {
		case f.Paused, f.Remaining <= 0:
			return 3
		case f.Stale:
			return 2
		case f.Verdict == string(tallystick.Insufficient):
			return 1
		}
		return 0
	}
	if rank(a) != rank(b) {
		return rank(a) > rank(b)
	}
	return a.Remaining < b.Remaining
}
