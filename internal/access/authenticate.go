package access

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// holder is whoever a presented token or session stands for, with what decides whether it counts.
type holder struct {
	principal              Principal
	state                  string // of the user
	digest                 string // of the secret; empty if none is known by that id
	created, expires, used int64
	ended                  int64 // 0: not before it expires
}

// Both queries return one row for each role of the user, or one without a role.
const (
	holderOfToken = `SELECT t.secret_digest, t.created_ms, t.expires_ms, coalesce(t.revoked_ms, 0), CAST(0 AS BIGINT), t.minter, t.scopes,
		u.id, coalesce(u.name, ''), u.kind, u.state, coalesce(g.role, '')
		FROM tokens t JOIN users u ON u.id = t.user_id LEFT JOIN grants g ON g.user_id = u.id WHERE t.id = ?`
	holderOfSession = `SELECT s.secret_digest, s.created_ms, s.expires_ms, coalesce(s.closed_ms, 0), coalesce(l.used_ms, 0), '', '',
		u.id, coalesce(u.name, ''), u.kind, u.state, coalesce(g.role, '')
		FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN grants g ON g.user_id = u.id LEFT JOIN last_uses l ON l.id = s.id WHERE s.id = ?`
)

// Authenticate returns whom the presented text, a token or the secret of a session, stands for. It is
// an Unauthorized error that says whether it was mistyped, is not known or has ended; that one of its
// right holder has been revoked is recorded. What Changes take away counts from the moment at which
// they are acknowledged, in this process; in others within cacheLasts.
func (s *Store) Authenticate(ctx context.Context, presented string) (Principal, error) {
	secret, err := ParseSecret(presented)
	if err != nil {
		return Principal{}, err
	}
	query := holderOfToken
	switch secret.kind {
	case TokenSecret:
	case SessionSecret:
		query = holderOfSession
	default:
		return Principal{}, tallystick.Errorf(tallystick.Unauthorized, "a link or bootstrap secret lets nobody in by itself").
			WithHint("redeem it first, then sign in")
	}
	now := s.config.Now()
	h, ticket, cached := s.cache.get(secret, now)
	if !cached {
		if h, err = s.holder(ctx, secret, query); err != nil {
			return Principal{}, err
		}
	}
	if refused, err := h.refuse(secret, now, s.uses.last(secret.ID())); err != nil {
		if refused != "" {
			err = s.refuse(ctx, refusal{h.principal.ID, refused}, err)
		}
		return Principal{}, err
	}
	if !cached {
		s.cache.put(secret, h, now, ticket)
	}
	s.uses.touch(secret.ID(), now)
	return h.principal.clone(), nil
}

func (s *Store) holder(ctx context.Context, secret Secret, query string) (h holder, err error) {
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		rows, err := tx.Query(query, secret.ID())
		if err != nil {
			return err
		}
		h.principal.Roles = []Role{}
		for rows.Next() {
			var role Role
			var scopes string
			p := &h.principal
			if err := rows.Scan(&h.digest, &h.created, &h.expires, &h.ended, &h.used, &p.Minter, &scopes, &p.ID, &p.Name, &p.Kind, &h.state, &role); err != nil {
				return err
			}
			p.Scopes = splitScopes(scopes)
			if role != "" {
				p.Roles = append(p.Roles, role)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return holder{}, fmt.Errorf("authenticate: %w", err)
	}
	sortRoles(h.principal.Roles)
	if secret.kind == TokenSecret {
		h.principal.Token = secret.ID()
	} else {
		h.principal.Session = secret.ID()
	}
	return h, nil
}

// refuse returns an Unauthorized error unless the secret is the holder's and counts now. reason is what
// the trail is told, if anything. seen is when it was last presented to this process.
func (h holder) refuse(secret Secret, now time.Time, seen time.Time) (reason string, err error) {
	id, ms := secret.ID(), now.UnixMilli()
	what, again, ended := "token", "make another with `tallystick token create`", reasonToken
	if secret.kind == SessionSecret {
		what, again, ended = "session", "sign in again", reasonSession
	}
	refuse := func(reason, format string, args ...any) (string, error) {
		return reason, tallystick.Errorf(tallystick.Unauthorized, format, args...).WithHint("%s", again)
	}
	switch { // nothing is told to who has not the right secret
	case !secret.is(h.digest):
		return refuse("", "the %s %s is not known", what, id)
	case h.state != Active:
		return refuse(reasonDisabled, "the user of %s %s is %s", what, id, h.state)
	case h.ended != 0:
		return refuse(ended, "the %s %s was revoked at %s", what, id, fromMillis(h.ended).Format(time.RFC3339))
	case ms >= h.expires:
		return refuse("", "the %s %s ended at %s", what, id, fromMillis(h.expires).Format(time.RFC3339))
	}
	if secret.kind == SessionSecret {
		last := max(h.created, h.used)
		if !seen.IsZero() {
			last = max(last, seen.UnixMilli())
		}
		if ms-last >= sessionIdle.Milliseconds() {
			return refuse("", "the session %s has ended, as it was not used for %s", id, sessionIdle)
		}
	}
	return "", nil
}
