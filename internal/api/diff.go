package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
)

type attachModelEvidenceInput struct {
	Request
	Model string `path:"model" maxLength:"128"`
	Body  catalog.EvidenceDetails
}

// diffs compares versions.
func (s *server) diffs() {
	ask(s, operation("diff-versions", http.MethodGet, "/models/{model}/diff", "Say how one version differs from another", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `path:"model" maxLength:"128"`
			From  string `query:"from" required:"true" maxLength:"128" doc:"the version before"`
			To    string `query:"to" required:"true" maxLength:"128" doc:"the version after"`
		},
		) (catalog.Diff, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return catalog.Diff{}, err
			}
			return s.Catalog.Diff(ctx, in.Model+"@"+in.From, in.Model+"@"+in.To)
		})
}

// modelEvidence takes evidence about a model as a whole.
func (s *server) modelEvidence() {
	act(s, operation("attach-model-evidence", http.MethodPost, "/models/{model}/evidence", "Put evidence of a model as a whole on record", "evidence", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in attachModelEvidenceInput) (registry.Command, func(tx *state.Tx) (release.Attached, error)) {
			found, propose := s.attested(ctx, modelResource(in.Model), catalog.EvidenceAttachment{Model: in.Model, Details: in.Body})
			return onModel(access.EvidenceAttach, in.Model, propose), func(*state.Tx) (release.Attached, error) { return *found, nil }
		})
}
