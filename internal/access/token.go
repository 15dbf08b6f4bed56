package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	tokenLasts    = 90 * 24 * time.Hour
	tokenLastsMax = 365 * 24 * time.Hour
	maxTokens     = 100 // of one user, at one time
	maxLabel      = 256 // bytes
	localMinter   = "local"
)

// Token is what is known of a token besides its secret, which is not kept.
type Token struct {
	ID       string     `json:"id" doc:"Id of the token."`
	User     string     `json:"user" doc:"Id of the user for whom it acts."`
	Minter   string     `json:"minter" doc:"Id of the user who made it, or local for the user of the server's machine."`
	Parent   string     `json:"parent,omitempty" doc:"Id of the token by which it was made, if not in person."`
	Label    string     `json:"label,omitempty" doc:"What it is for."`
	Scopes   []Action   `json:"scopes" doc:"Actions that it is for; empty: all that the user's roles allow."`
	Created  time.Time  `json:"created" doc:"When it was made."`
	Expires  time.Time  `json:"expires" doc:"When it ends."`
	Revoked  *time.Time `json:"revoked,omitempty" doc:"When it was revoked."`
	LastUsed *time.Time `json:"last_used,omitempty" doc:"When it was last presented, to within some minutes."`
}

// TokenFilter chooses tokens. Zero fields choose all.
type TokenFilter struct {
	User  string // id, for whom they act
	Live  bool   // without those that have ended
	After string // id, exclusive
	Limit int    // 0 means 100; at most 1,000
}

// Tokens returns the tokens that f chooses, in the order in which they were made.
func (s *Store) Tokens(ctx context.Context, f TokenFilter) (tokens []Token, err error) {
	query, args := selectTokens+" WHERE t.id > ?", []any{f.After}
	if f.User != "" {
		query, args = query+" AND t.user_id = ?", append(args, f.User)
	}
	if f.Live {
		query, args = query+" AND t.revoked_ms IS NULL AND t.expires_ms > ?", append(args, s.config.Now().UnixMilli())
	}
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		tokens, err = readTokens(tx, query+" ORDER BY t.id LIMIT ?", append(args, page(f.Limit))...)
		return err
	})
	return tokens, err
}

//nolint:gosec // G101: a query
const selectTokens = `SELECT t.id, t.user_id, t.minter, coalesce(t.parent, ''), coalesce(t.label, ''), t.scopes, t.created_ms, t.expires_ms,
	coalesce(t.revoked_ms, 0), coalesce(l.used_ms, 0) FROM tokens t LEFT JOIN last_uses l ON l.id = t.id`

func readTokens(tx *state.Tx, query string, args ...any) ([]Token, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	tokens := []Token{}
	for rows.Next() {
		var t Token
		var scopes string
		var created, expires, revoked, used int64
		if err := rows.Scan(&t.ID, &t.User, &t.Minter, &t.Parent, &t.Label, &scopes, &created, &expires, &revoked, &used); err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		t.Scopes = splitScopes(scopes)
		t.Created, t.Expires, t.Revoked, t.LastUsed = fromMillis(created), fromMillis(expires), optionalTime(revoked), optionalTime(used)
		tokens = append(tokens, t)
	}
	return tokens, rows.Err()
}

// TokenIn returns the token of that id, or a NotFound error.
func (s *Store) TokenIn(tx *state.Tx, id string) (Token, error) {
	tokens, err := readTokens(tx, selectTokens+" WHERE t.id = ?", id)
	if err == nil && len(tokens) == 0 {
		// No more of it than an id is long: it may be the token itself.
		err = tallystick.Errorf(tallystick.NotFound, "there is no token %.20q", id).
			WithHint("`tallystick token list` lists them; the id begins with %s", tokenPrefix)
	}
	if err != nil {
		return Token{}, err
	}
	return tokens[0], nil
}

func splitScopes(text string) []Action {
	scopes := []Action{}
	for _, name := range strings.Fields(text) {
		scopes = append(scopes, Action(name))
	}
	return scopes
}

// NewToken is a token that is to be made.
type NewToken struct {
	User   string        // name or id, for whom it acts; empty: for who makes it
	Scopes []Action      // empty: all that the user's roles allow
	Lasts  time.Duration // 0 means 90 days; at most a year
	Label  string        // what it is for
	Secret Secret        // NewSecret(TokenSecret, ...); the caller hands it over
}

// TokenCreated is the change that makes a token.
type TokenCreated struct {
	Token        string            `json:"token"`
	User         string            `json:"user"`
	Minter       string            `json:"minter"`
	Parent       string            `json:"parent,omitempty"`
	Scopes       []Action          `json:"scopes,omitempty"`
	SecretDigest tallystick.Digest `json:"secret_digest"`
	ExpiresMS    int64             `json:"expires_ms"`
	Label        string            `json:"label,omitempty"`
}

// Subject implements trail.Change.
func (c *TokenCreated) Subject() (trail.Type, trail.Resource) {
	return trail.TokenCreated, trail.Resource{Type: "token", ID: c.Token}
}

// Apply implements trail.Change.
func (c *TokenCreated) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, statement{
		`INSERT INTO tokens (id, user_id, minter, parent, label, scopes, secret_digest, created_ms, expires_ms, event)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		[]any{
			c.Token, c.User, c.Minter, nullable(c.Parent), nullable(c.Label), join(c.Scopes, " "),
			string(c.SecretDigest), at.Time.UnixMilli(), c.ExpiresMS, int64(at.Sequence),
		},
	})
}

// CreateToken proposes a token that by makes. A person makes tokens for themself; one who may manage
// users makes them for services too, and nobody for another person. A token makes others that may no
// more than itself, last no longer, and end with it.
func (s *Store) CreateToken(tx *state.Tx, by Principal, n NewToken) (trail.Change, error) {
	if err := wrongKind(n.Secret, TokenSecret); err != nil {
		return nil, err
	}
	owner, err := s.tokenOwner(tx, by, n.User)
	if err != nil {
		return nil, err
	}
	c := &TokenCreated{
		Token: n.Secret.ID(), User: owner.ID, Minter: by.ID, Parent: by.Token,
		SecretDigest: n.Secret.Digest(), Label: n.Label,
	}
	if !isID(userPrefix, by.ID) {
		c.Minter = localMinter // the name of a local user stays sealed, in the actor
	}
	if c.Scopes, err = tokenScopes(by, owner, n.Scopes); err != nil {
		return nil, err
	}
	expires, err := s.tokenEnd(tx, by, n.Lasts)
	if err != nil {
		return nil, err
	}
	c.ExpiresMS = expires.UnixMilli()
	if len(n.Label) > maxLabel {
		return nil, tallystick.Errorf(tallystick.Invalid, "the token's label is %d bytes long, the limit is %d", len(n.Label), maxLabel)
	}
	var live int
	err = tx.QueryRow("SELECT count(*) FROM tokens WHERE user_id = ? AND revoked_ms IS NULL AND expires_ms > ?", owner.ID, tx.Now().UnixMilli()).Scan(&live)
	switch {
	case err != nil:
		return nil, fmt.Errorf("count tokens: %w", err)
	case live >= maxTokens:
		return nil, tallystick.Errorf(tallystick.Conflict, "%s has %d tokens, which is the limit", owner.Name, live).
			WithHint("revoke those that nobody uses: `tallystick token list`")
	}
	return c, nil
}

func (s *Store) tokenOwner(tx *state.Tx, by Principal, nameOrID string) (User, error) {
	if nameOrID == "" {
		nameOrID = by.ID
		if !isID(userPrefix, by.ID) {
			return User{}, tallystick.Errorf(tallystick.Invalid, "the token is for nobody: %s is a user of this machine alone", by.ID).
				WithHint("say for whom with --user")
		}
	}
	u, err := s.UserIn(tx, nameOrID)
	if err != nil {
		return User{}, err
	}
	manages := by.Allows(UserManage, trail.Resource{Type: "user", ID: u.ID})
	switch {
	case u.ID != by.ID && manages != nil:
		return User{}, manages
	case u.ID != by.ID && u.Kind == KindPerson:
		return User{}, tallystick.Errorf(tallystick.Forbidden, "nobody makes a token by which to be %s", nameOrID).
			WithHint("they make it themself; for a program, add a service: `tallystick user add NAME --role service`")
	case u.State != Active:
		return User{}, tallystick.Errorf(tallystick.Conflict, "user %s is %s", nameOrID, u.State).
			WithHint("a token acts for an active user")
	}
	return u, nil
}

// tokenScopes returns the scopes in the order of the table. Each must be a right of the owner, and
// within those of the token by which they are asked for.
func tokenScopes(by Principal, owner User, asked []Action) ([]Action, error) {
	if len(asked) == 0 && len(by.Scopes) > 0 {
		return nil, tallystick.Errorf(tallystick.Forbidden, "the token %s cannot make one without scopes: it has scopes itself", by.Token).
			WithHint("name some of %s", join(by.Scopes, ", "))
	}
	for _, a := range asked {
		if _, err := ParseAction(string(a)); err != nil {
			return nil, err
		}
		if len(by.Scopes) > 0 && !slices.Contains(by.Scopes, a) {
			return nil, tallystick.Errorf(tallystick.Forbidden, "the token %s cannot make one for %s: it is not among its own scopes", by.Token, a).
				WithHint("name some of %s", join(by.Scopes, ", "))
		}
		if may := right(a).Roles; !slices.ContainsFunc(owner.Roles, func(r Role) bool { return slices.Contains(may, r) }) {
			return nil, tallystick.Errorf(tallystick.Invalid, "the scope %s is of no use: %s is %s, and may not", a, owner.Name, join(owner.Roles, ", ")).
				WithHint("%s may", join(may, ", "))
		}
	}
	return slices.DeleteFunc(Actions(), func(a Action) bool { return !slices.Contains(asked, a) }), nil
}

func (s *Store) tokenEnd(tx *state.Tx, by Principal, lasts time.Duration) (time.Time, error) {
	given := lasts != 0
	if !given {
		lasts = tokenLasts
	}
	if lasts < time.Minute || lasts > tokenLastsMax {
		return time.Time{}, tallystick.Errorf(tallystick.Invalid, "a token cannot last %s", lasts).
			WithHint("between a minute and 365 days")
	}
	end := tx.Now().Add(lasts)
	if by.Token == "" {
		return end, nil
	}
	parent, err := s.TokenIn(tx, by.Token)
	switch {
	case err != nil:
		return time.Time{}, err
	case parent.Revoked != nil: // since it was presented
		return time.Time{}, tallystick.Errorf(tallystick.Forbidden, "the token %s has been revoked", by.Token)
	case end.After(parent.Expires) && given:
		return time.Time{}, tallystick.Errorf(tallystick.Forbidden, "the token %s ends at %s and cannot make one that lasts longer", by.Token, parent.Expires.Format(time.RFC3339)).
			WithHint("sign in to make a token that does, or ask for less")
	case end.After(parent.Expires):
		end = parent.Expires
	}
	return end, nil
}

// TokenRevoked is the change that revokes a token and those that were made by it.
type TokenRevoked struct {
	Token string `json:"token"`
	User  string `json:"user"`

	cache *cache
}

// Subject implements trail.Change.
func (c *TokenRevoked) Subject() (trail.Type, trail.Resource) {
	return trail.TokenRevoked, trail.Resource{Type: "token", ID: c.Token}
}

// Apply implements trail.Change.
func (c *TokenRevoked) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	return run(tx, statement{
		`UPDATE tokens SET revoked_ms = ?, event = ? WHERE revoked_ms IS NULL AND id IN (
			WITH RECURSIVE made (id) AS (
				SELECT t.id FROM tokens t WHERE t.id = ?
				UNION SELECT t.id FROM tokens t JOIN made m ON t.parent = m.id)
			SELECT made.id FROM made)`,
		[]any{at.Time.UnixMilli(), int64(at.Sequence), c.Token},
	})
}

// RevokeToken proposes to revoke a token; nil if it is revoked. Whoever has it or made it may, and who
// may manage users.
func (s *Store) RevokeToken(tx *state.Tx, by Principal, id string) (trail.Change, error) {
	t, err := s.TokenIn(tx, id)
	if err != nil {
		return nil, err
	}
	if t.User != by.ID && t.Minter != by.ID {
		if err := by.Allows(UserManage, trail.Resource{Type: "token", ID: id}); err != nil {
			return nil, err
		}
	}
	if t.Revoked != nil {
		return nil, nil
	}
	return &TokenRevoked{Token: t.ID, User: t.User, cache: s.cache}, nil
}
