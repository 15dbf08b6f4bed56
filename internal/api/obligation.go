package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/obligation"
)

// obligations are the questions about what frameworks ask of models.
func (s *server) obligations() {
	ask(s, operation("get-obligations", http.MethodGet, "/models/{model}/obligations", "Say which controls ask a model for which evidence, and what of it is there", "obligations", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model     string           `path:"model" maxLength:"128"`
			Version   string           `query:"version" maxLength:"128" doc:"absent: the latest"`
			Framework string           `query:"framework" maxLength:"64" doc:"id or alias, such as eu-ai-act; absent: only how many controls of each framework stand how"`
			State     obligation.State `query:"state" enum:"present,stale,missing,not_applicable" doc:"only evidence of this state"`
			Ahead     bool             `query:"ahead" doc:"judge controls that are not in force yet as if they were"`
		},
		) (obligation.Obligations, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return obligation.Obligations{}, err
			}
			return s.Obliged.Obligations(ctx, obligation.Query{Model: in.Model, Version: in.Version, Framework: in.Framework, State: in.State, Ahead: in.Ahead})
		})
	ask(s, operation("list-gaps", http.MethodGet, "/obligations/gaps", "Say which evidence is lacking in how many models, and who owes it, the oldest first", "obligations", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Framework string          `query:"framework" maxLength:"64" doc:"id or alias; absent: all"`
			Tier      tallystick.Tier `query:"tier" enum:"low,limited,high" doc:"of the models"`
			Owner     string          `query:"owner" maxLength:"256" doc:"only what this person or role owes"`
			Ahead     bool            `query:"ahead" doc:"count controls that are not in force yet as if they were"`
			After     string          `query:"after" maxLength:"16" doc:"next of the page before"`
			Limit     int             `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		},
		) (obligation.GapReport, error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return obligation.GapReport{}, err
			}
			found, err := s.Obliged.Gaps(ctx, obligation.GapQuery{Framework: in.Framework, Tier: in.Tier, Owner: in.Owner, Ahead: in.Ahead, After: in.After, Limit: in.Limit})
			if slices.Contains(obligation.Roles(), obligation.Role(in.Owner)) {
				in.Owner = ""
			}
			return found, s.nothing(ctx, found.Total, err, catalog.Names{Owner: in.Owner})
		})
}
