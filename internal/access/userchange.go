package access

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// linkLasts is how long a one-time link can be redeemed.
const linkLasts = 24 * time.Hour

// NewUser is who is to be added.
type NewUser struct {
	Name  string
	Roles []Role // Service alone makes a service, any others a person
	Link  Secret // NewSecret(EnrolmentSecret, ...), for a person; the caller hands it over
}

// UserAdded is the change that adds a person or a service.
type UserAdded struct {
	User         string            `json:"user"`
	Kind         string            `json:"kind"`
	Roles        []Role            `json:"roles"`
	Name         string            `json:"name"`
	Enrolment    string            `json:"enrolment,omitempty"`
	SecretDigest tallystick.Digest `json:"secret_digest,omitempty"`
	ExpiresMS    int64             `json:"expires_ms,omitempty"`
}

// Subject implements trail.Change.
func (c *UserAdded) Subject() (trail.Type, trail.Resource) {
	return trail.UserAdded, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *UserAdded) Apply(tx *state.Tx, at trail.Mark) error {
	now := at.Time.UnixMilli()
	initial := Active
	if c.Kind == KindPerson {
		initial = Invited
	}
	err := run(tx, insertUser(c.User, c.Name, c.Kind, initial, "", at))
	for _, role := range c.Roles {
		err = errors.Join(err, run(tx, insertGrant(c.User, role, at)))
	}
	if c.Enrolment != "" {
		err = errors.Join(err, run(tx, insertEnrolment(c.Enrolment, c.User, c.SecretDigest, now, c.ExpiresMS, at)))
	}
	return err
}

func insertUser(id, name, kind, initial string, credential tallystick.Digest, at trail.Mark) statement {
	return statement{
		"INSERT INTO users (id, name, kind, state, credential_digest, created_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?)",
		[]any{id, nullable(name), kind, initial, nullable(credential), at.Time.UnixMilli(), int64(at.Sequence)},
	}
}

func insertGrant(user string, role Role, at trail.Mark) statement {
	return statement{
		"INSERT INTO grants (user_id, role, granted_ms, event) VALUES (?, ?, ?, ?)",
		[]any{user, string(role), at.Time.UnixMilli(), int64(at.Sequence)},
	}
}

// AddUser proposes to add a user. A name that is taken is a Conflict.
func (s *Store) AddUser(tx *state.Tx, n NewUser) (trail.Change, error) {
	name, err := normalName(n.Name)
	if err != nil {
		return nil, err
	}
	if len(n.Roles) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "no role is given for user %s", name).
			WithHint("use --role with one of %s", join(Roles(), ", "))
	}
	c := &UserAdded{User: newID(userPrefix, tx.Now()), Kind: KindPerson, Name: name}
	for _, role := range n.Roles {
		if _, err := ParseRole(string(role)); err != nil {
			return nil, err
		}
		if !slices.Contains(c.Roles, role) {
			c.Roles = append(c.Roles, role)
		}
	}
	sortRoles(c.Roles)
	switch {
	case slices.Equal(c.Roles, []Role{Service}):
		c.Kind = KindService
	case slices.Contains(c.Roles, Service):
		return nil, mixedService(name)
	}
	if err := nameIsFree(tx, name); err != nil {
		return nil, err
	}
	if c.Kind == KindPerson {
		if err := wrongKind(n.Link, EnrolmentSecret); err != nil {
			return nil, err
		}
		c.Enrolment, c.SecretDigest, c.ExpiresMS = n.Link.ID(), n.Link.Digest(), tx.Now().Add(linkLasts).UnixMilli()
	}
	return c, nil
}

// nameIsFree returns a Conflict if there is a user of that name.
func nameIsFree(tx *state.Tx, name string) error {
	known, err := findUser(tx, name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return tallystick.Errorf(tallystick.Conflict, "there is a user %s already (%s)", name, known.State).
		WithHint("`tallystick user grant` adds a role, `tallystick user enrol` makes a new link; a disabled user does not come back, choose another name")
}

func mixedService(name string) error {
	return tallystick.Errorf(tallystick.Invalid, "%s cannot be a service and have another role: a program approves nothing and manages nobody", name).
		WithHint("add the service under a name of its own, with --role service alone")
}

// UserGranted is the change that grants a role.
type UserGranted struct {
	User string `json:"user"`
	Role Role   `json:"role"`

	cache *cache
}

// Subject implements trail.Change.
func (c *UserGranted) Subject() (trail.Type, trail.Resource) {
	return trail.UserGranted, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *UserGranted) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	return run(tx, insertGrant(c.User, c.Role, at))
}

// Grant proposes to grant a role to the user of that name or id; nil if they have it.
func (s *Store) Grant(tx *state.Tx, nameOrID string, role Role) (trail.Change, error) {
	u, err := s.userAndRole(tx, nameOrID, role)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(u.Roles, role):
		return nil, nil
	case u.State == Disabled:
		return nil, tallystick.Errorf(tallystick.Conflict, "user %s is disabled", nameOrID).
			WithHint("add them under another name")
	case (u.Kind == KindService) != (role == Service):
		return nil, mixedService(nameOrID)
	}
	return &UserGranted{User: u.ID, Role: role, cache: s.cache}, nil
}

func (s *Store) userAndRole(tx *state.Tx, nameOrID string, role Role) (User, error) {
	if _, err := ParseRole(string(role)); err != nil {
		return User{}, err
	}
	return s.UserIn(tx, nameOrID)
}

// UserRevoked is the change that takes a role away.
type UserRevoked struct {
	User string `json:"user"`
	Role Role   `json:"role"`

	cache *cache
}

// Subject implements trail.Change.
func (c *UserRevoked) Subject() (trail.Type, trail.Resource) {
	return trail.UserRevoked, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *UserRevoked) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	return run(tx, statement{"DELETE FROM grants WHERE user_id = ? AND role = ?", []any{c.User, string(c.Role)}})
}

// Revoke proposes to take a role from the user of that name or id; nil if they do not have it. The last
// admin stays one.
func (s *Store) Revoke(tx *state.Tx, nameOrID string, role Role) (trail.Change, error) {
	u, err := s.userAndRole(tx, nameOrID, role)
	if err != nil || !slices.Contains(u.Roles, role) {
		return nil, err
	}
	if role == Admin {
		if err := keepAdmin(tx, u); err != nil {
			return nil, err
		}
	}
	return &UserRevoked{User: u.ID, Role: role, cache: s.cache}, nil
}

// keepAdmin returns a Conflict if u is the last admin who can come in.
func keepAdmin(tx *state.Tx, u User) error {
	if u.State != Active {
		return nil
	}
	if other, err := hasAdmin(tx, u.ID); err != nil || other {
		return err
	}
	return tallystick.Errorf(tallystick.Conflict, "%s is the last admin", u.Name).
		WithHint("make somebody else an admin first, and wait until they have redeemed their link")
}

// UserDisabled is the change that shuts a user out.
type UserDisabled struct {
	User string `json:"user"`

	cache *cache
}

// Subject implements trail.Change.
func (c *UserDisabled) Subject() (trail.Type, trail.Resource) {
	return trail.UserDisabled, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *UserDisabled) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	now, event := at.Time.UnixMilli(), int64(at.Sequence)
	return run(tx,
		statement{"UPDATE users SET state = ?, credential_digest = NULL, event = ? WHERE id = ?", []any{Disabled, event, c.User}},
		statement{"DELETE FROM credentials WHERE user_id = ?", []any{c.User}},
		endEnrolments(c.User, at),
		closeSessions(c.User, at),
		statement{"UPDATE tokens SET revoked_ms = ?, event = ? WHERE user_id = ? AND revoked_ms IS NULL", []any{now, event, c.User}},
		// Tokens for services too: whoever made one has seen its secret.
		statement{"UPDATE tokens SET revoked_ms = ?, event = ? WHERE minter = ? AND revoked_ms IS NULL", []any{now, event, c.User}},
	)
}

// Disable proposes to shut out the user of that name or id; nil if that is so already. Tokens that they
// made for services end too. The last admin cannot be disabled.
func (s *Store) Disable(tx *state.Tx, nameOrID string) (trail.Change, error) {
	u, err := s.UserIn(tx, nameOrID)
	if err != nil || u.State == Disabled {
		return nil, err
	}
	if slices.Contains(u.Roles, Admin) {
		if err := keepAdmin(tx, u); err != nil {
			return nil, err
		}
	}
	return &UserDisabled{User: u.ID, cache: s.cache}, nil
}
