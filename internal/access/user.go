package access

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// The states of a user.
const (
	Invited  = "invited"  // a person who has not redeemed a link yet
	Active   = "active"   // may come in
	Disabled = "disabled" // for good
)

// User is a person or a service.
type User struct {
	ID      string    `json:"id" doc:"Id of the user, by which the trail names it."`
	Name    string    `json:"name,omitempty" doc:"Name to sign in by; absent once it has been erased."`
	Kind    string    `json:"kind" enum:"person,service" doc:"Whether it is a person or a service."`
	State   string    `json:"state" enum:"invited,active,disabled" doc:"Invited until a person has set a passphrase; disabled for good."`
	Roles   []Role    `json:"roles" doc:"What the user was granted."`
	Created time.Time `json:"created" doc:"When the user was added."`
}

// UserFilter chooses users. Zero fields choose all.
type UserFilter struct {
	Role  Role
	State string
	After string // id, exclusive
	Limit int    // 0 means 100; at most 1,000
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,127}$`)

// normalName returns name in lower case, or an Invalid error. Only what cannot be mistaken for another
// name is one.
func normalName(name string) (string, error) {
	lower := strings.ToLower(name)
	if !userName.MatchString(lower) || isID(userPrefix, lower) || lower == localMinter {
		return "", tallystick.Errorf(tallystick.Invalid, "user name %.140q is not usable", name).
			WithHint("use 1 to 128 letters, digits, '.', '-', '_', '+' or '@', beginning with a letter or digit, such as ada@example.org")
	}
	return lower, nil
}

// User returns the user of that name or id, or a NotFound error.
func (s *Store) User(ctx context.Context, nameOrID string) (u User, err error) {
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		u, err = s.UserIn(tx, nameOrID)
		return err
	})
	return u, err
}

// UserIn does the same in a transaction.
func (s *Store) UserIn(tx *state.Tx, nameOrID string) (User, error) {
	u, err := findUser(tx, nameOrID)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, unknownUser(tx, nameOrID)
	}
	return u, err
}

// findUser returns sql.ErrNoRows if there is no such user.
func findUser(tx *state.Tx, nameOrID string) (User, error) {
	column, value := "name", strings.ToLower(nameOrID)
	if isID(userPrefix, nameOrID) {
		column = "id"
	}
	var u User
	var created int64
	err := tx.QueryRow("SELECT id, coalesce(name, ''), kind, state, created_ms FROM users WHERE "+column+" = ?", value).
		Scan(&u.ID, &u.Name, &u.Kind, &u.State, &created)
	if err != nil {
		if !errors.Is(err, sql.ErrNoRows) {
			err = fmt.Errorf("read user: %w", err)
		}
		return User{}, err
	}
	u.Created = fromMillis(created)
	u.Roles, err = rolesOf(tx, u.ID)
	return u, err
}

func rolesOf(tx *state.Tx, id string) ([]Role, error) {
	rows, err := tx.Query("SELECT role FROM grants WHERE user_id = ?", id)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	roles := []Role{}
	for rows.Next() {
		var r Role
		if err := rows.Scan(&r); err != nil {
			return nil, fmt.Errorf("read roles: %w", err)
		}
		roles = append(roles, r)
	}
	sortRoles(roles)
	return roles, rows.Err()
}

// sortRoles puts roles in the order of the table.
func sortRoles(roles []Role) {
	order := Roles()
	slices.SortFunc(roles, func(a, b Role) int { return cmp.Compare(slices.Index(order, a), slices.Index(order, b)) })
}

// unknownUser names those whose names are nearest.
func unknownUser(tx *state.Tx, name string) error {
	err := tallystick.Errorf(tallystick.NotFound, "there is no user %.140q", name)
	rows, queryErr := tx.Query("SELECT name FROM users WHERE name IS NOT NULL ORDER BY name LIMIT ?", maxPage)
	if queryErr != nil {
		return queryErr
	}
	var near []string
	for rows.Next() {
		var known string
		if err := rows.Scan(&known); err != nil {
			return err
		}
		if len(near) < 3 && resembles(strings.ToLower(name), known) {
			near = append(near, known)
		}
	}
	if rows.Err() != nil {
		return rows.Err()
	}
	if len(near) == 0 {
		return err.WithHint("`tallystick user list` lists them")
	}
	return err.WithHint("did you mean %s?", strings.Join(near, " or "))
}

// resembles reports whether what remains of both words, without the beginning and the end that they
// share, is two letters at most, or one begins the other.
func resembles(a, b string) bool {
	if a == "" || len(a) > 128 {
		return false
	}
	if len(a) > 2 && strings.HasPrefix(b, a) || strings.HasPrefix(a, b) {
		return true
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return max(len(a), len(b)) <= 2
}

// Users returns the users that f chooses, in the order in which they were added.
func (s *Store) Users(ctx context.Context, f UserFilter) (users []User, err error) {
	query, args := "SELECT u.id, coalesce(u.name, ''), u.kind, u.state, u.created_ms FROM users u WHERE u.id > ?", []any{f.After}
	if f.Role != "" {
		query, args = query+" AND u.id IN (SELECT g.user_id FROM grants g WHERE g.role = ?)", append(args, string(f.Role))
	}
	if f.State != "" {
		query, args = query+" AND u.state = ?", append(args, f.State)
	}
	args = append(args, page(f.Limit))
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		users = []User{}
		rows, err := tx.Query(query+" ORDER BY u.id LIMIT ?", args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var u User
			var created int64
			if err := rows.Scan(&u.ID, &u.Name, &u.Kind, &u.State, &created); err != nil {
				return err
			}
			u.Created = fromMillis(created)
			users = append(users, u)
		}
		if rows.Err() != nil {
			return rows.Err()
		}
		for i := range users {
			if users[i].Roles, err = rolesOf(tx, users[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	return users, nil
}

// Names returns the names of those of the ids, at most 1,000, that are of users and have not been
// erased: so the trail can be read by people.
func (s *Store) Names(ctx context.Context, ids []string) (names map[string]string, err error) {
	if len(ids) > maxPage {
		return nil, tallystick.Errorf(tallystick.Invalid, "%d names are asked for at once, the limit is %d", len(ids), maxPage)
	}
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		names = make(map[string]string)
		var users []any
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if isID(userPrefix, id) {
				users = append(users, id)
			}
		}
		if len(users) == 0 {
			return nil
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(users)), ", ")
		found, err := state.Collect(tx, func(row state.Scanner) (u [2]string, err error) {
			return u, row.Scan(&u[0], &u[1])
		}, "SELECT id, name FROM users WHERE name IS NOT NULL AND id IN ("+marks+")", users...)
		for _, u := range found {
			names[u[0]] = u[1]
		}
		if err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("names: %w", err)
	}
	return names, nil
}

// ActorID returns the id by which the trail knows a user of that name or id. What is neither is
// returned as it is: the user of a machine acts there by a name of its own.
func (s *Store) ActorID(ctx context.Context, nameOrID string) (string, error) {
	if nameOrID == "" {
		return "", nil
	}
	u, err := s.User(ctx, nameOrID)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nameOrID, nil
	}
	return u.ID, err
}

// hasAdmin reports whether an admin other than that user could come in.
func hasAdmin(tx *state.Tx, besides string) (has bool, err error) {
	err = tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id
		WHERE g.role = ? AND u.state = ? AND u.id <> ?)`, string(Admin), Active, besides).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for an admin: %w", err)
	}
	return has, nil
}
