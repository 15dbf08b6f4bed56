package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func environmentResource(name string) trail.Resource {
	return trail.Resource{Type: "environment", ID: name}
}

type defineEnvironmentInput struct {
	Request
	Environment string `path:"environment" maxLength:"128"`
	Body        struct {
		catalog.EnvironmentTerms
		IfRevision uint64 `json:"if_revision,omitempty" doc:"revision that the definition is based on"`
	}
}

type recordDeploymentInput struct {
	Request
	Body catalog.DeploymentReport
}

type endDeploymentInput struct {
	Request
	Deployment string `path:"deployment" maxLength:"128"`
	Body       struct {
		Reason string `json:"reason,omitempty" maxLength:"4096"`
	}
}

type recordAssignmentInput struct {
	Request
	Body catalog.AssignmentRequest
}

type endAssignmentInput struct {
	Request
	Body catalog.AssignmentEnd
}

// Recorded answers an act of which nothing is to be read but that it stands: it is on record now, or was so already.
type Recorded struct {
	Done bool `json:"done" doc:"true once it is on record"`
}

func done(*state.Tx) (Recorded, error) { return Recorded{Done: true}, nil }

// servedQuery chooses what serves, or served.
type servedQuery struct {
	Newest
	Environment string    `query:"environment" maxLength:"128"`
	Model       string    `query:"model" maxLength:"128"`
	Version     string    `query:"version" maxLength:"128"`
	Now         bool      `query:"now" doc:"only what has not ended"`
	At          time.Time `query:"at" doc:"only what was so then"`
}

func (q servedQuery) names() catalog.Names {
	return catalog.Names{Model: q.Model, Version: q.Version, Environment: q.Environment}
}

func (s *server) environments() {
	act(s, operation("define-environment", http.MethodPut, "/environments/{environment}", "Define an environment", "serving", http.StatusConflict),
		func(_ context.Context, in defineEnvironmentInput) (registry.Command, func(tx *state.Tx) (catalog.Environment, error)) {
			return registry.Command{
				Action: access.EnvironmentManage, Resource: environmentResource(in.Environment),
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					return s.Catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: in.Environment, EnvironmentTerms: in.Body.EnvironmentTerms, IfRevision: in.Body.IfRevision})
				}),
			}, func(tx *state.Tx) (catalog.Environment, error) { return s.Catalog.EnvironmentIn(tx, in.Environment) }
		})
	ask(s, operation("list-environments", http.MethodGet, "/environments", "List environments on the way to production", "serving"),
		func(ctx context.Context, _ *struct{}) (page[catalog.Environment], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[catalog.Environment]{}, err
			}
			found, err := s.Catalog.Environments(ctx)
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-standing", http.MethodGet, "/environments/{environment}/models/{model}", "Say what serves of a model, and what it could go back to", "serving", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Environment string `path:"environment" maxLength:"128"`
			Model       string `path:"model" maxLength:"128"`
		},
		) (catalog.Standing, error) {
			if err := s.may(ctx, access.CatalogRead, environmentResource(in.Environment), in.Model); err != nil {
				return catalog.Standing{}, err
			}
			return s.Releases.Standing(ctx, in.Environment, in.Model)
		})
}

func (s *server) deployments() {
	act(s, operation("record-deployment", http.MethodPost, "/deployments", "Record what runs where", "serving", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in recordDeploymentInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.DeploymentRecord, Resource: versionResource(in.Body.Model, in.Body.Version), Model: in.Body.Model,
				Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.recordDeployment(tx, in.Body) },
			}, done
		})
	act(s, operation("end-deployment", http.MethodPost, "/deployments/{deployment}/end", "Record that a deployment runs no more", "serving", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in endDeploymentInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.DeploymentRecord, Resource: trail.Resource{Type: "deployment", ID: in.Deployment},
				Propose: func(tx *state.Tx) ([]trail.Change, error) {
					return s.Catalog.EndDeployment(tx, in.Deployment, in.Body.Reason)
				},
			}, done
		})
	ask(s, operation("list-deployments", http.MethodGet, "/deployments", "List what runs, or ran, where, newest first", "serving", http.StatusNotFound),
		func(ctx context.Context, in *servedQuery) (page[catalog.Deployment], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[catalog.Deployment]{}, err
			}
			found, err := s.Catalog.Deployments(ctx, catalog.DeploymentFilter{
				Environment: in.Environment, Model: in.Model, Version: in.Version, Running: in.Now, At: in.At, After: in.from(), Limit: in.Limit + 1,
			})
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(d catalog.Deployment) string { return utoa(d.Event) }), err
		})
}

// recordDeployment adds the deployment to the lineage too, under the id that it has or gets.
func (s *server) recordDeployment(tx *state.Tx, r catalog.DeploymentReport) ([]trail.Change, error) {
	changes, err := s.Catalog.RecordDeployment(tx, r)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	for _, change := range changes {
		if recorded, ok := change.(*catalog.DeploymentRecorded); ok {
			r.ID = recorded.ID
		}
	}
	version, deployment := lineage.VersionRef(r.Model, r.Version), lineage.Ref{Kind: lineage.Deployment, ID: r.ID}
	return s.told(func(*state.Tx) ([]trail.Change, error) { return changes, nil },
		[]lineage.Node{{Ref: version, Model: r.Model}, {Ref: deployment, Model: r.Model, Facts: map[string]string{"environment": r.Environment}}},
		[]lineage.Edge{{From: version, To: deployment, Relation: lineage.Deployed}})(tx)
}

func (s *server) assignments() {
	act(s, operation("record-assignment", http.MethodPost, "/assignments", "Record which version serves where", "serving", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in recordAssignmentInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.AssignmentRecord, Resource: environmentResource(in.Body.Environment), Model: in.Body.Model,
				Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Catalog.RecordAssignment(tx, in.Body) },
				Bypass: func(tx *state.Tx) (trail.Change, error) {
					return s.Catalog.AssignmentBypass(tx, in.Body, caller(ctx).ID, caller(ctx).Minter)
				},
			}, done
		})
	act(s, operation("end-assignment", http.MethodPost, "/assignments/end", "Record that a version serves no more", "serving", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in endAssignmentInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.AssignmentRecord, Resource: environmentResource(in.Body.Environment), Model: in.Body.Model,
				Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Catalog.EndAssignment(tx, in.Body) },
				Bypass: func(tx *state.Tx) (trail.Change, error) {
					return s.Catalog.WithdrawalBypass(tx, in.Body, caller(ctx).ID, caller(ctx).Minter)
				},
			}, done
		})
	ask(s, operation("list-assignments", http.MethodGet, "/assignments", "List which version serves, or served, where, newest first", "serving", http.StatusNotFound),
		func(ctx context.Context, in *servedQuery) (page[catalog.Assignment], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[catalog.Assignment]{}, err
			}
			found, err := s.Catalog.Assignments(ctx, catalog.AssignmentFilter{
				Environment: in.Environment, Model: in.Model, Version: in.Version, Serving: in.Now, At: in.At, After: in.from(), Limit: in.Limit + 1,
			})
			err = s.nothing(ctx, len(found), err, in.names())
			return pageOf(found, in.Limit, func(a catalog.Assignment) string { return utoa(a.Event) }), err
		})
}
