package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// OnRunbook names a runbook in the path.
type OnRunbook struct {
	Request
	Runbook string `path:"runbook" maxLength:"128" doc:"name of the runbook"`
}

type applyRunbookInput struct {
	OnRunbook
	Body RunbookDocument
}

// RunbookDocument is a runbook as it is written.
type RunbookDocument struct {
	Document string `json:"document" maxLength:"262144" doc:"Markdown that begins with YAML between two lines of three dashes; docs/incidents.md says what can stand in it"`
}

// RunbookView is a runbook with what was written.
type RunbookView struct {
	incident.RunbookRevision
	Source string `json:"document,omitempty" doc:"Markdown; absent if the runbook was removed"`
}

// runbooks say what is to be done in incidents, and who decides.
func (s *server) runbooks() {
	act(s, operation("apply-runbook", http.MethodPut, "/runbooks/{runbook}", "Say what is to be done in incidents of a kind, and who decides", "incidents"),
		func(ctx context.Context, in applyRunbookInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.RunbookManage, Resource: trail.Resource{Type: "runbook", ID: in.Runbook}}
			change, err := (*incident.RunbookApplied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				change, err = s.Incidents.PrepareRunbook(ctx, in.Runbook, []byte(in.Body.Document))
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Incidents.ApplyRunbook(tx, change)
			})
			return c, done
		})
	act(s, operation("remove-runbook", http.MethodDelete, "/runbooks/{runbook}", "Give a runbook to no more incidents", "incidents", http.StatusNotFound),
		func(_ context.Context, in OnRunbook) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.RunbookManage, Resource: trail.Resource{Type: "runbook", ID: in.Runbook},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Incidents.RemoveRunbook(tx, in.Runbook) }),
			}, done
		})
	ask(s, operation("list-runbooks", http.MethodGet, "/runbooks", "List runbooks by name, those that came with the program too", "incidents"),
		func(ctx context.Context, _ *struct{}) (page[incident.RunbookRevision], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[incident.RunbookRevision]{}, err
			}
			found, err := s.Incidents.Runbooks(ctx)
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-runbook", http.MethodGet, "/runbooks/{runbook}", "Get a runbook as it was written", "incidents", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Runbook string            `path:"runbook" maxLength:"128"`
			Digest  tallystick.Digest `query:"digest" pattern:"^sha256:[0-9a-f]{64}$" doc:"as it was; absent: as it is in force"`
		},
		) (v RunbookView, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return v, err
			}
			is, source, err := s.Incidents.Runbook(ctx, in.Runbook, in.Digest)
			v.RunbookRevision, v.Source = is, string(source)
			return v, err
		})
}
