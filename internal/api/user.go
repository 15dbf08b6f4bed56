package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// userResource names a user by id. Names are personal, and resources are not sealed.
func userResource(nameOrID string) trail.Resource {
	if strings.HasPrefix(nameOrID, "usr_") {
		return trail.Resource{Type: "user", ID: nameOrID}
	}
	return whole
}

// Invitation is a user, and what lets the person in for the first time. It is shown once.
type Invitation struct {
	User access.User `json:"user"`
	Link string      `json:"link,omitempty" doc:"single-use secret, for a day, by which the person sets a passphrase; absent for a service"`
}

type addUserInput struct {
	Request
	Body struct {
		Name  string        `json:"name" minLength:"1" maxLength:"128"`
		Roles []access.Role `json:"roles" minItems:"1" maxItems:"8" doc:"service alone makes a service"`
	}
}

type OnUser struct {
	User string `path:"user" maxLength:"128" doc:"name or id"`
}

type grantInput struct {
	Request
	OnUser
	Role access.Role `path:"role" maxLength:"32"`
}

type userInput struct {
	Request
	OnUser
}

type userQuery struct {
	Paging
	Role  access.Role `query:"role" maxLength:"32"`
	State string      `query:"state" enum:"invited,active,disabled"`
}

func (s *server) users() {
	huma.Register(s.huma, operation("add-user", http.MethodPost, "/users", "Add a person or a service", "access", http.StatusConflict),
		func(ctx context.Context, in *addUserInput) (*reply[Invitation], error) {
			link := access.NewSecret(access.EnrolmentSecret, s.Now())
			n := access.NewUser{Name: in.Body.Name, Roles: in.Body.Roles}
			if len(n.Roles) != 1 || n.Roles[0] != access.Service {
				n.Link = link
			}
			return s.invite(ctx, "add-user", *in, in.Body.Name, n.Link, func(tx *state.Tx) (trail.Change, error) { return s.Access.AddUser(tx, n) })
		})
	huma.Register(s.huma, operation("enrol-user", http.MethodPost, "/users/{user}/enrolment", "Make another link for a person", "access", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *userInput) (*reply[Invitation], error) {
			link := access.NewSecret(access.EnrolmentSecret, s.Now())
			return s.invite(ctx, "enrol-user", *in, in.User, link, func(tx *state.Tx) (trail.Change, error) { return s.Access.Enrol(tx, in.User, link) })
		})
	act(s, operation("grant-role", http.MethodPut, "/users/{user}/roles/{role}", "Grant a role", "access", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in grantInput) (registry.Command, func(tx *state.Tx) (access.User, error)) {
			return s.onUser(in.User, func(tx *state.Tx) (trail.Change, error) { return s.Access.Grant(tx, in.User, in.Role) })
		})
	act(s, operation("revoke-role", http.MethodDelete, "/users/{user}/roles/{role}", "Revoke a role", "access", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in grantInput) (registry.Command, func(tx *state.Tx) (access.User, error)) {
			return s.onUser(in.User, func(tx *state.Tx) (trail.Change, error) { return s.Access.Revoke(tx, in.User, in.Role) })
		})
	act(s, operation("disable-user", http.MethodPost, "/users/{user}/disablement", "Disable a user for good", "access", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in userInput) (registry.Command, func(tx *state.Tx) (access.User, error)) {
			return s.onUser(in.User, func(tx *state.Tx) (trail.Change, error) { return s.Access.Disable(tx, in.User) })
		})
	ask(s, operation("list-users", http.MethodGet, "/users", "List people and services", "access"),
		func(ctx context.Context, in *userQuery) (page[access.User], error) {
			if err := s.may(ctx, access.UserRead, whole, ""); err != nil {
				return page[access.User]{}, err
			}
			found, err := s.Access.Users(ctx, access.UserFilter{Role: in.Role, State: in.State, After: in.After, Limit: in.Limit + 1})
			return pageOf(found, in.Limit, func(u access.User) string { return u.ID }), err
		})
}

func (s *server) onUser(name string, propose func(tx *state.Tx) (trail.Change, error)) (registry.Command, func(tx *state.Tx) (access.User, error)) {
	return registry.Command{Action: access.UserManage, Resource: userResource(name), Propose: single(propose)},
		func(tx *state.Tx) (access.User, error) { return s.Access.UserIn(tx, name) }
}

// invite carries out a command of which the answer holds a secret. The secret is in no store, so that
// a repetition is told that it was done, and cannot be given it again.
func (s *server) invite(ctx context.Context, operation string, in acting, name string, link access.Secret, propose func(tx *state.Tx) (trail.Change, error)) (*reply[Invitation], error) {
	c, _ := s.onUser(name, propose)
	c.Principal, c.Purpose = caller(ctx), in.asked().Purpose
	var err error
	if c.Retry, err = retry(operation, in); err != nil {
		return nil, s.problem(err)
	}
	done, err := s.Registry.Do(ctx, c)
	if err != nil {
		return nil, s.problem(err)
	}
	if done.Repeated && link.Kind() == access.EnrolmentSecret {
		return nil, s.problem(tallystick.Errorf(tallystick.Conflict, "the link was made before, for the same idempotency key, and is shown once").
			WithHint("make another: `tallystick user enrol %s`", name))
	}
	u, err := s.Access.User(ctx, name)
	if err != nil {
		return nil, s.problem(err)
	}
	out := replied[Invitation](done)
	out.Body.User = u
	if link.Kind() == access.EnrolmentSecret {
		out.Body.Link = link.Reveal()
	}
	return out, nil
}

// Minted is a token with its secret, which is shown once.
type Minted struct {
	Token  access.Token `json:"token"`
	Secret string       `json:"secret" doc:"send it as Authorization: Bearer SECRET"`
}

type createTokenInput struct {
	Request
	Body struct {
		User   string          `json:"user,omitempty" maxLength:"128" doc:"service for which it acts, by name or id; absent: whoever asks"`
		Scopes []access.Action `json:"scopes,omitempty" maxItems:"64" doc:"what it is for; absent: all that the roles allow"`
		Days   int             `json:"days,omitempty" minimum:"1" maximum:"366" doc:"for how long; absent: 90"`
		Label  string          `json:"label,omitempty" maxLength:"256" doc:"what it is for, in words"`
	}
}

type tokenInput struct {
	Request
	Token string `path:"token" pattern:"^tok_[0-9a-z]{1,32}$" doc:"id"`
}

func (s *server) tokens() {
	huma.Register(s.huma, operation("create-token", http.MethodPost, "/tokens", "Make a token", "access", http.StatusConflict),
		func(ctx context.Context, in *createTokenInput) (*reply[Minted], error) {
			secret := access.NewSecret(access.TokenSecret, s.Now())
			who := caller(ctx)
			again, err := retry("create-token", *in)
			if err != nil {
				return nil, s.problem(err)
			}
			done, err := s.Registry.Do(ctx, registry.Command{
				Principal: who, Action: access.TokenCreate, Resource: trail.Resource{Type: "token", ID: secret.ID()}, Purpose: in.Purpose, Retry: again,
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					return s.Access.CreateToken(tx, who, access.NewToken{
						User: in.Body.User, Scopes: in.Body.Scopes, Lasts: time.Duration(in.Body.Days) * 24 * time.Hour, Label: in.Body.Label, Secret: secret,
					})
				}),
				Answer: func(tx *state.Tx) (any, error) { return s.Access.TokenIn(tx, secret.ID()) },
			})
			out := replied[Minted](done)
			out.Body.Secret = secret.Reveal()
			if err == nil {
				err = json.Unmarshal(done.Answer, &out.Body.Token)
			}
			if err == nil && done.Repeated {
				err = tallystick.Errorf(tallystick.Conflict, "token %s was made before, for the same idempotency key, and its secret is shown once", out.Body.Token.ID).
					WithHint("revoke it and make another: `tallystick token revoke %s`", out.Body.Token.ID)
			}
			if err != nil {
				return nil, s.problem(err)
			}
			return out, nil
		})
	act(s, operation("revoke-token", http.MethodDelete, "/tokens/{token}", "Revoke a token", "access", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in tokenInput) (registry.Command, func(tx *state.Tx) (access.Token, error)) {
			return registry.Command{
				Action: access.TokenRevoke, Resource: trail.Resource{Type: "token", ID: in.Token},
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Access.RevokeToken(tx, caller(ctx), in.Token) }),
			}, func(tx *state.Tx) (access.Token, error) { return s.Access.TokenIn(tx, in.Token) }
		})
	ask(s, operation("list-tokens", http.MethodGet, "/tokens", "List tokens: one's own, or all for who may read users", "access"),
		func(ctx context.Context, in *struct {
			Paging
			Live bool `query:"live" doc:"without those that have ended"`
		},
		) (page[access.Token], error) {
			f := access.TokenFilter{Live: in.Live, After: in.After, Limit: in.Limit + 1}
			if who := caller(ctx); who.Allows(access.UserRead, whole) != nil {
				f.User = who.ID
			}
			found, err := s.Access.Tokens(ctx, f)
			return pageOf(found, in.Limit, func(t access.Token) string { return t.ID }), err
		})
}
