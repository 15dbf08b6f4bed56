package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func findingResource(id string) trail.Resource { return trail.Resource{Type: "finding", ID: id} }

type observeInput struct {
	Request
	Body catalog.Observation
}

// OnFinding names a finding in the path.
type OnFinding struct {
	Request
	Finding string `path:"finding" maxLength:"64" doc:"id of the finding"`
}

type triageInput struct {
	OnFinding
	Body catalog.FindingTriage
}

type remedyInput struct {
	OnFinding
	Body catalog.FindingRemedy
}

type endFindingInput struct {
	OnFinding
	Body catalog.FindingEnd
}

// findingsQuery chooses findings.
type findingsQuery struct {
	Paging
	Model       string               `query:"model" maxLength:"128"`
	Environment string               `query:"environment" maxLength:"128"`
	Owner       string               `query:"owner" maxLength:"256" doc:"name or id of who is to put it right"`
	Severity    catalog.Severity     `query:"severity" enum:"low,medium,high,critical"`
	State       catalog.FindingState `query:"state" enum:"open,triaged,remediated,verified,resolved,dismissed"`
	Kind        catalog.FindingKind  `query:"kind" maxLength:"32"`
	Open        bool                 `query:"open" doc:"only those that nobody has settled, what presses most first"`
	Overdue     bool                 `query:"overdue" doc:"only those of them that are overdue"`
}

func (q findingsQuery) filter() catalog.FindingFilter {
	f := catalog.FindingFilter{
		Model: q.Model, Environment: q.Environment, Severity: q.Severity, State: q.State, Open: q.Open, Overdue: q.Overdue, After: q.After, Limit: q.Limit + 1,
	}
	if q.Kind != "" {
		f.Kinds = []catalog.FindingKind{q.Kind}
	}
	return f
}

// FindingView is a finding with what became of it.
type FindingView struct {
	catalog.Finding
	Steps []catalog.FindingStep `json:"steps" doc:"what became of it, the oldest first"`
}

// findings are what was found to be wrong, and what becomes of it.
func (s *server) findings() {
	act(s, operation("reconcile", http.MethodPost, "/observations", "Compare what runs with what is on record", "serving", http.StatusNotFound),
		func(_ context.Context, in observeInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.FindingWrite, Resource: environmentResource(in.Body.Environment),
				Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Catalog.Reconcile(tx, in.Body) },
			}, done
		})
	act(s, operation("triage-finding", http.MethodPost, "/findings/{finding}/triage", "Say who is to put a finding right, and until when", "finding", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in triageInput) (registry.Command, func(tx *state.Tx) (catalog.Finding, error)) {
			owner, err := s.someone(ctx, in.Body.Owner)
			return s.onFinding(ctx, access.FindingWrite, in.OnFinding, func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error) {
				if in.Body.Owner = owner; err != nil {
					return nil, err
				}
				return s.Catalog.TriageFinding(tx, in.Finding, in.Body, by)
			})
		})
	act(s, operation("remediate-finding", http.MethodPost, "/findings/{finding}/remedy", "Say that a finding is put right", "finding", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in remedyInput) (registry.Command, func(tx *state.Tx) (catalog.Finding, error)) {
			return s.onFinding(ctx, access.FindingWrite, in.OnFinding, func(tx *state.Tx, _ catalog.FindingHand) (trail.Change, error) {
				return s.Catalog.RemediateFinding(tx, in.Finding, in.Body)
			})
		})
	act(s, operation("dismiss-finding", http.MethodPost, "/findings/{finding}/dismissal", "Answer for it that nothing is to be done about a finding", "finding", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in endFindingInput) (registry.Command, func(tx *state.Tx) (catalog.Finding, error)) {
			return s.onFinding(ctx, access.FindingClose, in.OnFinding, func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error) {
				return s.Catalog.DismissFinding(tx, in.Finding, in.Body, by)
			})
		})
	act(s, operation("resolve-finding", http.MethodPost, "/findings/{finding}/resolution", "Settle a finding", "finding", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in endFindingInput) (registry.Command, func(tx *state.Tx) (catalog.Finding, error)) {
			return s.onFinding(ctx, access.FindingClose, in.OnFinding, func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error) {
				return s.Catalog.ResolveFinding(tx, in.Finding, in.Body, by)
			})
		})
	ask(s, operation("list-findings", http.MethodGet, "/findings", "List findings: open ones by what presses most, all of them newest first", "finding", http.StatusNotFound),
		func(ctx context.Context, in *findingsQuery) (page[catalog.Finding], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[catalog.Finding]{}, err
			}
			f := in.filter()
			var err error
			if f.Owner, err = s.someone(ctx, in.Owner); err != nil {
				return page[catalog.Finding]{}, err
			}
			found, err := s.Catalog.Findings(ctx, f)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: f.Model, Environment: f.Environment, Owner: in.Owner})
			return pageOf(found, in.Limit, catalog.Finding.Place), err
		})
	ask(s, operation("get-finding", http.MethodGet, "/findings/{finding}", "Get a finding with what became of it", "finding", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Finding string `path:"finding" maxLength:"64"`
		},
		) (v FindingView, err error) {
			if err := s.may(ctx, access.CatalogRead, findingResource(in.Finding), ""); err != nil {
				return v, err
			}
			if v.Finding, err = s.Catalog.Finding(ctx, in.Finding); err != nil {
				return v, err
			}
			v.Steps, err = s.Catalog.FindingSteps(ctx, v.ID)
			return v, err
		})
}

// onFinding is a command about a finding, whose answer is the finding.
func (s *server) onFinding(ctx context.Context, action access.Action, on OnFinding, propose func(tx *state.Tx, by catalog.FindingHand) (trail.Change, error)) (
	registry.Command, func(tx *state.Tx) (catalog.Finding, error),
) {
	who, resource := caller(ctx), findingResource(on.Finding)
	by := catalog.FindingHand{ID: who.ID, Minter: who.Minter, Reviewer: who.Allows(access.FindingClose, resource) == nil}
	c := registry.Command{Action: action, Resource: resource, Propose: single(func(tx *state.Tx) (trail.Change, error) { return propose(tx, by) })}
	if f, err := s.Catalog.Finding(ctx, on.Finding); err == nil { // what is refused stands in the model's history too
		c.Model = f.Model
	}
	return c, func(tx *state.Tx) (catalog.Finding, error) { return s.Catalog.FindingIn(tx, on.Finding) }
}

// someone returns the id of a user of that name, and any other name as it is: owners need no account.
func (s *server) someone(ctx context.Context, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	return s.Access.ActorID(ctx, name)
}
