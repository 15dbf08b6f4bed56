package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// whole is the resource of acts that concern the installation as a whole.
var whole = trail.Resource{Type: "workspace", ID: "this"}

// resource reads TYPE/ID.
func resource(s string) (r trail.Resource) {
	r.Type, r.ID, _ = strings.Cut(s, "/")
	return r
}

// may returns a Forbidden error, which is on the trail, if the caller may not.
func (s *server) may(ctx context.Context, action access.Action, on trail.Resource, model string) error {
	return s.Registry.May(ctx, registry.Command{Principal: caller(ctx), Action: action, Resource: on, Model: model})
}

// Self is what a caller learns of itself.
type Self struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind" doc:"person, service or program"`
	Roles  []access.Role   `json:"roles"`
	Scopes []access.Action `json:"scopes,omitempty" doc:"of the token; absent: all that the roles may"`
}

func (s *server) principals() {
	ask(s, operation("get-self", http.MethodGet, "/self", "Say who asks, and what they may", "access"),
		func(ctx context.Context, _ *struct{}) (Self, error) {
			p := caller(ctx)
			return Self{ID: p.ID, Kind: p.Kind, Roles: p.Roles, Scopes: p.Scopes}, nil
		})
}
