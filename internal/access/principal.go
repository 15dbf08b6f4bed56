package access

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// The kinds of principals, as they stand in the public part of an event.
const (
	KindPerson  = "person"
	KindService = "service"
	KindProgram = "program" // Tallystick itself
)

// Principal is who acts, as far as that has been proved. The zero Principal is nobody.
type Principal struct {
	ID     string   `json:"id"`             // usr_..., or the name of a local user
	Name   string   `json:"name,omitempty"` // for people to read; empty once it has been erased
	Kind   string   `json:"kind"`           // KindPerson, KindService or KindProgram
	Roles  []Role   `json:"roles"`
	Scopes []Action `json:"scopes,omitempty"` // of the token; empty means all that the roles allow

	Token   string `json:"token,omitempty"`   // id of the token that was presented
	Minter  string `json:"minter,omitempty"`  // id of who made that token: it may act for this user through it
	Session string `json:"session,omitempty"` // id of the session that was presented
}

// Local returns the user of this machine in their own workspace, who has every role of a person. It is
// a claim of the local system, not a proven identity.
func Local(name string) Principal {
	return Principal{ID: name, Name: name, Kind: KindPerson, Roles: people()}
}

// Actor returns the principal as the trail names it.
func (p Principal) Actor() trail.Actor { return trail.Actor{ID: p.ID, Kind: p.Kind} }

// Allows returns nil if the principal may carry out the action on the resource. It is an
// Unauthorized error if nobody has proved who they are, and otherwise a Forbidden one that says who
// may and what to ask for.
func (p Principal) Allows(a Action, r trail.Resource) error {
	if p.ID == "" {
		return tallystick.Errorf(tallystick.Unauthorized, "%s needs a known user", a).
			WithHint("sign in, or present a token")
	}
	may := right(a)
	if !slices.ContainsFunc(p.Roles, func(role Role) bool { return slices.Contains(may.Roles, role) }) {
		return p.lacksRole(may, r)
	}
	if len(p.Scopes) > 0 && !slices.Contains(p.Scopes, a) {
		return tallystick.Errorf(tallystick.Forbidden, "the token %s was not made to %s%s: %s is not among its scopes", p.Token, may.Doc, on(r), a).
			WithHint("make one with `tallystick token create --scope %s`; this one has %s", a, join(p.Scopes, ", "))
	}
	return nil
}

func (p Principal) lacksRole(may Right, r trail.Resource) error {
	roles := "you have no role"
	if len(p.Roles) > 0 {
		roles = "you are " + join(p.Roles, ", ")
	}
	err := tallystick.Errorf(tallystick.Forbidden, "you may not %s%s: %s is not a right of your roles (%s)", may.Doc, on(r), may.Action, roles)
	switch {
	case len(may.Roles) == 0:
		return err.WithHint("no role has it")
	case p.Kind == KindService:
		return err.WithHint("a person who is %s may; a service cannot be granted it", join(may.Roles, " or "))
	}
	return err.WithHint("%s may; an admin grants a role with `tallystick user grant NAME --role %s`", join(may.Roles, ", "), may.Roles[0])
}

// on says what an action was to be done to.
func on(r trail.Resource) string {
	if r.Type == "" && r.ID == "" {
		return ""
	}
	return " (" + strings.TrimSpace(r.Type+" "+r.ID) + ")"
}

// clone returns a principal that shares nothing with p.
func (p Principal) clone() Principal {
	p.Roles, p.Scopes = slices.Clone(p.Roles), slices.Clone(p.Scopes)
	return p
}
