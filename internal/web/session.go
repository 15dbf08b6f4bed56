package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// People knows people by what they present.
type People interface {
	// Authenticate returns whom the text of a secret stands for. It is Unauthorized if that has ended.
	Authenticate(ctx context.Context, presented string) (access.Principal, error)
	// Login opens a session. It is Unauthorized for a wrong name or passphrase, alike, and Unavailable
	// for too many attempts.
	Login(ctx context.Context, name, passphrase string) (access.Secret, access.SignedIn, error)
	// Redeem sets the passphrase of the person to whom a one-time link was given.
	Redeem(ctx context.Context, presented, passphrase string) (access.Enrolled, error)
	// CloseSession proposes to end a session, nil if it has ended.
	CloseSession(tx *state.Tx, by access.Principal, id string) (trail.Change, error)
	// Names returns the names of those of the ids, at most 1,000, that are of users.
	Names(ctx context.Context, ids []string) (map[string]string, error)
	// ActorID returns the id by which the trail knows a user of that name, anything else as it is.
	ActorID(ctx context.Context, nameOrID string) (string, error)
}

const (
	sessionCookie  = "tallystick_session"
	sessionLongest = 12 * time.Hour // that a browser keeps the cookie; the session itself may end earlier
)

// cookieName binds the cookie to this very host where that is possible (RFC 6265bis section 4.1.3.2).
func (s *server) cookieName(r *http.Request) string {
	if s.secure(r) {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// recognise finds out who makes the visit.
func (s *server) recognise(v *visit) (known bool, err error) {
	c, err := v.r.Cookie(s.cookieName(v.r))
	if err != nil {
		return false, nil //nolint:nilerr // there is none
	}
	secret, err := access.ParseSecret(c.Value)
	if err == nil && secret.Kind() != access.SessionSecret { // a token is for programs
		err = tallystick.Errorf(tallystick.Unauthorized, "the cookie holds no session")
	}
	if err == nil {
		v.who, err = s.People.Authenticate(v.ctx(), c.Value)
	}
	if tallystick.CodeOf(err) == tallystick.Unauthorized {
		s.forget(v)
		return false, nil
	}
	v.session = secret
	return err == nil, err
}

func (s *server) remember(v *visit, session access.Secret) {
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // secure wherever the connection is
		Name: s.cookieName(v.r), Value: session.Reveal(), Path: "/", MaxAge: int(sessionLongest.Seconds()),
		HttpOnly: true, Secure: s.secure(v.r), SameSite: http.SameSiteStrictMode,
	})
}

func (s *server) forget(v *visit) {
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // secure wherever the connection is
		Name: s.cookieName(v.r), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure(v.r), SameSite: http.SameSiteStrictMode,
	})
}

// entry is the page by which people come in.
type entry struct {
	Name    string
	Next    string
	Link    string // that is redeemed
	Problem string
	Hint    string
}

func (s *server) signIn(v *visit) error {
	return s.show(v, "sign-in", "Sign in", entry{Next: local(v.query("next"))})
}

// signedIn opens a session for who has sent the form.
func (s *server) signedIn(v *visit) error {
	name, next := strings.TrimSpace(v.r.PostFormValue("name")), local(v.r.PostFormValue("next"))
	session, _, err := s.People.Login(v.ctx(), name, v.r.PostFormValue("passphrase"))
	if err != nil {
		return s.again(v, "sign-in", "Sign in", entry{Name: name, Next: next}, err)
	}
	s.remember(v, session)
	http.Redirect(v.w, v.r, next, http.StatusSeeOther)
	return nil
}

// again shows the form once more, with what was wrong.
func (s *server) again(v *visit, page, title string, e entry, cause error) error {
	code := tallystick.CodeOf(cause)
	if code == tallystick.Internal {
		return cause
	}
	e.Problem, e.Hint = words(cause)
	if code == tallystick.Unavailable {
		v.w.Header().Set("Retry-After", "60")
	}
	return s.render(v, page, title, code.HTTPStatus(), e)
}

func (s *server) signOut(v *visit) error {
	known, err := s.recognise(v)
	if err != nil {
		return err
	}
	if known {
		if err := v.session.CheckCSRF(v.r.PostFormValue("csrf")); err != nil {
			return err
		}
		if err := s.closeSession(v); err != nil {
			return err
		}
		s.forget(v)
	}
	http.Redirect(v.w, v.r, "/sign-in", http.StatusSeeOther)
	return nil
}

func (s *server) closeSession(v *visit) error {
	id := v.session.ID()
	_, err := s.Registry.Do(v.ctx(), registry.Command{
		Principal: v.who, Action: access.SessionClose, Resource: trail.Resource{Type: "session", ID: id},
		Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := s.People.CloseSession(tx, v.who, id)
			if change == nil || err != nil {
				return nil, err
			}
			return []trail.Change{change}, nil
		},
	})
	return err
}

func (s *server) enrol(v *visit) error {
	return s.show(v, "enrol", "Choose a passphrase", entry{Link: v.query("link")})
}

// enrolled sets the passphrase of who has the link.
func (s *server) enrolled(v *visit) error {
	e := entry{Link: linkOf(v.r.PostFormValue("link"))}
	passphrase := v.r.PostFormValue("passphrase")
	if passphrase != v.r.PostFormValue("repeated") {
		return s.again(v, "enrol", "Choose a passphrase", e, tallystick.Errorf(tallystick.Invalid, "the two passphrases differ").WithHint("write the same twice"))
	}
	if _, err := s.People.Redeem(v.ctx(), e.Link, passphrase); err != nil {
		return s.again(v, "enrol", "Choose a passphrase", e, err)
	}
	http.Redirect(v.w, v.r, "/sign-in", http.StatusSeeOther)
	return nil
}

// linkOf returns the secret of a link, whether the whole link or the secret alone was pasted.
func linkOf(pasted string) string {
	pasted = strings.TrimSpace(pasted)
	if u, err := url.Parse(pasted); err == nil && u.Query().Get("link") != "" {
		return u.Query().Get("link")
	}
	return pasted
}
