package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// publicKey marks operations for people who are not known yet.
const publicKey = "public"

// open makes an operation one for people who are not known yet.
func open(op huma.Operation) huma.Operation {
	op.Metadata = map[string]any{publicKey: true}
	op.Security = []map[string][]string{}
	return op
}

// known lets nobody pass who is not known, but to operations that are open.
func (s *server) known(ctx huma.Context, next func(huma.Context)) {
	public, _ := ctx.Operation().Metadata[publicKey].(bool)
	cause := unknown(ctx.Context())
	if public || cause == nil {
		next(ctx)
		return
	}
	err := s.explain(cause)
	for name := range err.headers {
		ctx.SetHeader(name, err.headers.Get(name))
	}
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(err.Status)
	_ = s.huma.Marshal(ctx.BodyWriter(), "application/json", err) // the caller may have gone
}

// unknown returns an Unauthorized error unless it is known who asks.
func unknown(ctx context.Context) error {
	if caller(ctx).ID != "" {
		return nil
	}
	return tallystick.Errorf(tallystick.Unauthorized, "no token was sent").
		WithHint("send the header Authorization: Bearer TOKEN; `tallystick token create` makes one")
}

// Opened is a session with its secret, which is shown once.
type Opened struct {
	Secret string `json:"secret" doc:"send it as Authorization: Bearer SECRET"`
	User   string `json:"user" doc:"id"`
}

// entered returns the answer to an act by which somebody comes in.
func entered[T any](s *server, receipt trail.Receipt, body T, err error) (*reply[T], error) {
	if err != nil {
		return nil, s.problem(err)
	}
	out := replied[T](registry.Done{Receipt: receipt})
	out.Body = body
	return out, nil
}

func (s *server) doors() {
	huma.Register(s.huma, open(operation("exchange-bootstrap", http.MethodPost, "/bootstrap", "Become the first administrator", "access", http.StatusConflict)),
		func(ctx context.Context, in *struct {
			Body struct {
				Secret     string `json:"secret" maxLength:"256" doc:"from the file bootstrap-secret of the workspace"`
				Name       string `json:"name" maxLength:"128"`
				Passphrase string `json:"passphrase" maxLength:"1024"`
			}
		},
		) (*reply[access.User], error) {
			u, err := s.Access.Exchange(ctx, in.Body.Secret, in.Body.Name, in.Body.Passphrase)
			return entered(s, u.Receipt, u.User, err)
		})
	huma.Register(s.huma, open(operation("redeem-enrolment", http.MethodPost, "/enrolments/redemption", "Set a passphrase by a link", "access", http.StatusConflict)),
		func(ctx context.Context, in *struct {
			Body struct {
				Link       string `json:"link" maxLength:"256"`
				Passphrase string `json:"passphrase" maxLength:"1024"`
			}
		},
		) (*reply[access.User], error) {
			u, err := s.Access.Redeem(ctx, in.Body.Link, in.Body.Passphrase)
			return entered(s, u.Receipt, u.User, err)
		})
	huma.Register(s.huma, open(operation("open-session", http.MethodPost, "/sessions", "Sign in", "access")),
		func(ctx context.Context, in *struct {
			Body struct {
				Name       string `json:"name" maxLength:"128"`
				Passphrase string `json:"passphrase" maxLength:"1024"`
			}
		},
		) (*reply[Opened], error) {
			secret, who, err := s.Access.Login(ctx, in.Body.Name, in.Body.Passphrase)
			if err != nil {
				return nil, s.problem(err)
			}
			return entered(s, who.Receipt, Opened{Secret: secret.Reveal(), User: who.ID}, nil)
		})
	huma.Register(s.huma, operation("close-session", http.MethodDelete, "/sessions/current", "Sign out", "access", http.StatusConflict),
		func(ctx context.Context, _ *struct{}) (*reply[Recorded], error) {
			who, on := caller(ctx), whole
			if who.Session != "" { // a token has none
				on = trail.Resource{Type: "session", ID: who.Session}
			}
			done, err := s.Registry.Do(ctx, registry.Command{
				Principal: who, Action: access.SessionClose, Resource: on,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Access.CloseSession(tx, who, who.Session) }),
			})
			if err != nil {
				return nil, s.problem(err)
			}
			out := replied[Recorded](done)
			out.Body.Done = true
			return out, nil
		})
}
