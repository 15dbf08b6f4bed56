package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	sessionLasts = 12 * time.Hour
	sessionIdle  = time.Hour // after which an unused session has ended
	maxSessions  = 50        // of one person, at one time
)

// Session is what is known of somebody who has signed in.
type Session struct {
	ID       string     `json:"id" doc:"Id of the session."`
	User     string     `json:"user" doc:"Id of the person."`
	Opened   time.Time  `json:"opened" doc:"When the person signed in."`
	Expires  time.Time  `json:"expires" doc:"When it ends at the latest."`
	LastUsed *time.Time `json:"last_used,omitempty" doc:"When it was last presented, to within some minutes."`
}

// Sessions returns the sessions of the user of that id that are open, oldest first.
func (s *Store) Sessions(ctx context.Context, user string) (sessions []Session, err error) {
	now := s.config.Now().UnixMilli()
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		sessions = []Session{}
		rows, err := tx.Query(`SELECT s.id, s.user_id, s.created_ms, s.expires_ms, coalesce(l.used_ms, 0) FROM sessions s LEFT JOIN last_uses l ON l.id = s.id
			WHERE s.user_id = ? AND s.closed_ms IS NULL AND s.expires_ms > ? ORDER BY s.id LIMIT ?`, user, now, maxSessions)
		if err != nil {
			return err
		}
		for rows.Next() {
			var is Session
			var opened, expires, used int64
			if err := rows.Scan(&is.ID, &is.User, &opened, &expires, &used); err != nil {
				return err
			}
			is.Opened, is.Expires, is.LastUsed = fromMillis(opened), fromMillis(expires), optionalTime(used)
			sessions = append(sessions, is)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	return sessions, nil
}

// SessionOpened is the change by which a person has signed in.
type SessionOpened struct {
	Session      string            `json:"session"`
	User         string            `json:"user"`
	SecretDigest tallystick.Digest `json:"secret_digest"`
	ExpiresMS    int64             `json:"expires_ms"`
}

// Subject implements trail.Change.
func (c *SessionOpened) Subject() (trail.Type, trail.Resource) {
	return trail.SessionOpened, trail.Resource{Type: "session", ID: c.Session}
}

// Apply implements trail.Change.
func (c *SessionOpened) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, statement{
		"INSERT INTO sessions (id, user_id, secret_digest, created_ms, expires_ms, event) VALUES (?, ?, ?, ?, ?, ?)",
		[]any{c.Session, c.User, string(c.SecretDigest), at.Time.UnixMilli(), c.ExpiresMS, int64(at.Sequence)},
	})
}

// SignedIn is who has signed in, with the acknowledgement of it.
type SignedIn struct {
	Principal
	Receipt trail.Receipt
}

// Login opens a session for the person of that name and returns the secret to hand to them, and who
// they are. A wrong name and a wrong passphrase are the same Unauthorized error and take the same time;
// too many failures are Unavailable.
func (s *Store) Login(ctx context.Context, name, passphrase string) (Secret, SignedIn, error) {
	name, err := normalName(name)
	if err != nil {
		name = "" // nobody's; limited and counted together
	}
	var known login
	if err := s.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		known, err = findLogin(tx, name)
		return err
	}); err != nil {
		return Secret{}, SignedIn{}, err
	}
	if err := s.attempts.begin(name, s.config.Now()); err != nil {
		return Secret{}, SignedIn{}, s.refuse(ctx, refusal{known.id, reasonLimited}, err)
	}
	matches, err := s.hasher.matches(ctx, known.credential(), passphrase)
	if err != nil {
		return Secret{}, SignedIn{}, err
	}
	if !matches {
		reason := reasonPassphrase
		switch {
		case known.id == "":
			reason = reasonUnknown
		case known.state == Disabled:
			reason = reasonDisabled
		}
		return Secret{}, SignedIn{}, s.refuse(ctx, refusal{known.id, reason},
			tallystick.Errorf(tallystick.Unauthorized, "name or passphrase is wrong").
				WithHint("an admin makes a new link for who has lost theirs: `tallystick user enrol NAME`"))
	}
	secret := NewSecret(SessionSecret, s.config.Now())
	receipt, err := s.openSession(ctx, known, secret)
	if err != nil {
		return Secret{}, SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	s.attempts.succeed(name)
	p, err := s.Authenticate(ctx, secret.Reveal())
	return secret, SignedIn{p, receipt}, err
}

// openSession opens a session unless the user, or the passphrase that was checked, has changed since.
func (s *Store) openSession(ctx context.Context, known login, secret Secret) (trail.Receipt, error) {
	return s.commit(ctx, func(tx *state.Tx) (trail.Actor, trail.Change, error) {
		again, err := findLogin(tx, known.name)
		if err != nil {
			return trail.Actor{}, nil, err
		}
		if again != known {
			return trail.Actor{}, nil, tallystick.Errorf(tallystick.Unauthorized, "the user has changed meanwhile").WithHint("sign in again")
		}
		var open int
		now := tx.Now()
		err = tx.QueryRow("SELECT count(*) FROM sessions WHERE user_id = ? AND closed_ms IS NULL AND expires_ms > ?", known.id, now.UnixMilli()).Scan(&open)
		switch {
		case err != nil:
			return trail.Actor{}, nil, fmt.Errorf("count sessions: %w", err)
		case open >= maxSessions:
			return trail.Actor{}, nil, tallystick.Errorf(tallystick.Conflict, "%d sessions are open, which is the limit", open).
				WithHint("sign out elsewhere; each ends by itself after %s", sessionLasts)
		}
		return trail.Actor{ID: known.id, Kind: KindPerson}, &SessionOpened{
			Session: secret.ID(), User: known.id, SecretDigest: secret.Digest(), ExpiresMS: now.Add(sessionLasts).UnixMilli(),
		}, nil
	})
}

// login is what decides whether a passphrase lets a user in. The zero login lets nobody in.
type login struct {
	id, name, state, passphrase, digest string
}

func findLogin(tx *state.Tx, name string) (login, error) {
	l := login{name: name}
	err := tx.QueryRow(`SELECT u.id, u.state, coalesce(u.credential_digest, ''), coalesce(c.passphrase, '')
		FROM users u LEFT JOIN credentials c ON c.user_id = u.id WHERE u.name = ?`, name).Scan(&l.id, &l.state, &l.digest, &l.passphrase)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return login{}, fmt.Errorf("read credential: %w", err)
	}
	return l, nil
}

// credential returns the stored hash if it is the one of the trail and its user may come in.
func (l login) credential() string {
	if l.state != Active || l.digest != string(tallystick.DigestOf([]byte(l.passphrase))) {
		return ""
	}
	return l.passphrase
}

// SessionClosed is the change that ends a session.
type SessionClosed struct {
	Session string `json:"session"`
	User    string `json:"user"`

	cache *cache
}

// Subject implements trail.Change.
func (c *SessionClosed) Subject() (trail.Type, trail.Resource) {
	return trail.SessionClosed, trail.Resource{Type: "session", ID: c.Session}
}

// Apply implements trail.Change.
func (c *SessionClosed) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	return run(tx, statement{
		"UPDATE sessions SET closed_ms = ?, event = ? WHERE id = ? AND closed_ms IS NULL",
		[]any{at.Time.UnixMilli(), int64(at.Sequence), c.Session},
	})
}

// closeSessions ends the sessions of a user.
func closeSessions(user string, at trail.Mark) statement {
	return statement{
		"UPDATE sessions SET closed_ms = ?, event = ? WHERE user_id = ? AND closed_ms IS NULL",
		[]any{at.Time.UnixMilli(), int64(at.Sequence), user},
	}
}

// CloseSession proposes to end a session; nil if it has been closed. Whose it is may, and who may manage
// users.
func (s *Store) CloseSession(tx *state.Tx, by Principal, id string) (trail.Change, error) {
	var user string
	var closed int64
	err := tx.QueryRow("SELECT user_id, coalesce(closed_ms, 0) FROM sessions WHERE id = ?", id).Scan(&user, &closed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, tallystick.Errorf(tallystick.NotFound, "there is no session %.20q", id)
	case err != nil:
		return nil, fmt.Errorf("read session: %w", err)
	}
	if user != by.ID {
		if err := by.Allows(UserManage, trail.Resource{Type: "session", ID: id}); err != nil {
			return nil, err
		}
	}
	if closed != 0 {
		return nil, nil
	}
	return &SessionClosed{Session: id, User: user, cache: s.cache}, nil
}
