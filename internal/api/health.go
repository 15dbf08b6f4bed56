package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/health"
)

// healths say in one figure how models stand.
func (s *server) healths() {
	ask(s, operation("get-health", http.MethodGet, "/models/{model}/health", "Say in one figure how a model stands, and why", "objectives", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `path:"model" maxLength:"128" doc:"name of the model"`
		},
		) (health.Health, error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return health.Health{}, err
			}
			return s.Health.Of(ctx, in.Model)
		})
}
