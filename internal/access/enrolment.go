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

// EnrolmentCreated is the change that makes another link for a person.
type EnrolmentCreated struct {
	Enrolment    string            `json:"enrolment"`
	User         string            `json:"user"`
	SecretDigest tallystick.Digest `json:"secret_digest"`
	ExpiresMS    int64             `json:"expires_ms"`
}

// Subject implements trail.Change.
func (c *EnrolmentCreated) Subject() (trail.Type, trail.Resource) {
	return trail.EnrolmentCreated, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *EnrolmentCreated) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, endEnrolments(c.User, at), insertEnrolment(c.Enrolment, c.User, c.SecretDigest, at.Time.UnixMilli(), c.ExpiresMS, at))
}

func insertEnrolment(id, user string, digest tallystick.Digest, created, expires int64, at trail.Mark) statement {
	return statement{
		"INSERT INTO enrolments (id, user_id, secret_digest, created_ms, expires_ms, event) VALUES (?, ?, ?, ?, ?, ?)",
		[]any{id, nullable(user), string(digest), created, expires, int64(at.Sequence)},
	}
}

func endEnrolments(user string, at trail.Mark) statement {
	return statement{
		"UPDATE enrolments SET ended_ms = ?, event = ? WHERE user_id = ? AND ended_ms IS NULL",
		[]any{at.Time.UnixMilli(), int64(at.Sequence), user},
	}
}

// Enrol proposes another link for the person of that name or id, who was invited or has lost their
// passphrase. Links from before end; the passphrase goes on counting until the link is redeemed.
func (s *Store) Enrol(tx *state.Tx, nameOrID string, link Secret) (trail.Change, error) {
	if err := wrongKind(link, EnrolmentSecret); err != nil {
		return nil, err
	}
	u, err := s.UserIn(tx, nameOrID)
	switch {
	case err != nil:
		return nil, err
	case u.Kind == KindService:
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is a service and does not sign in", nameOrID).
			WithHint("`tallystick token create --user %s` makes a token for it", nameOrID)
	case u.State == Disabled:
		return nil, tallystick.Errorf(tallystick.Conflict, "user %s is disabled", nameOrID).
			WithHint("add them under another name")
	}
	return &EnrolmentCreated{Enrolment: link.ID(), User: u.ID, SecretDigest: link.Digest(), ExpiresMS: tx.Now().Add(linkLasts).UnixMilli()}, nil
}

// EnrolmentRedeemed is the change by which a person has a passphrase.
type EnrolmentRedeemed struct {
	Enrolment        string            `json:"enrolment"`
	User             string            `json:"user"`
	CredentialDigest tallystick.Digest `json:"credential_digest"`

	passphrase string // as a PHC string; not on the trail
	cache      *cache
}

// Subject implements trail.Change.
func (c *EnrolmentRedeemed) Subject() (trail.Type, trail.Resource) {
	return trail.EnrolmentRedeemed, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *EnrolmentRedeemed) Apply(tx *state.Tx, at trail.Mark) error {
	c.cache.distrust()
	return run(tx,
		endEnrolment(c.Enrolment, at),
		statement{
			"UPDATE users SET state = ?, credential_digest = ?, event = ? WHERE id = ?",
			[]any{Active, string(c.CredentialDigest), int64(at.Sequence), c.User},
		},
		closeSessions(c.User, at),
		setCredential(c.User, c.passphrase),
	)
}

func endEnrolment(id string, at trail.Mark) statement {
	return statement{
		"UPDATE enrolments SET ended_ms = ?, event = ? WHERE id = ? AND ended_ms IS NULL",
		[]any{at.Time.UnixMilli(), int64(at.Sequence), id},
	}
}

// setCredential keeps the hash of a passphrase. A replay knows only its digest and keeps an empty one,
// which nothing matches.
func setCredential(user, passphrase string) statement {
	return statement{
		"INSERT INTO credentials (user_id, passphrase) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET passphrase = excluded.passphrase",
		[]any{user, passphrase},
	}
}

// Enrolment is what a link is for.
type Enrolment struct {
	ID      string
	User    User
	Expires time.Time
}

// Enrolment returns what the presented link is for, before it is redeemed. A link that is not known is
// an Unauthorized error, one that has ended a Conflict.
func (s *Store) Enrolment(ctx context.Context, presented string) (e Enrolment, err error) {
	link, err := parseFor(presented, EnrolmentSecret, "enrolment link")
	if err != nil {
		return Enrolment{}, err
	}
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		e, err = openEnrolment(tx, link, s.config.Now())
		return err
	})
	return e, s.refuseEnded(ctx, e, reasonEnrolment, err)
}

// refuseEnded records that a known link was presented after its end, if err says so, and returns err.
func (s *Store) refuseEnded(ctx context.Context, e Enrolment, reason string, err error) error {
	if tallystick.CodeOf(err) != tallystick.Conflict {
		return err
	}
	return s.refuse(ctx, refusal{user: e.User.ID, reason: reason}, err)
}

// parseFor returns the secret of a text that must be of one kind.
func parseFor(presented string, kind SecretKind, what string) (Secret, error) {
	s, err := ParseSecret(presented)
	if err == nil && s.kind != kind {
		err = tallystick.Errorf(tallystick.Unauthorized, "what was presented is no %s", what).
			WithHint("an %s has %s_ in it", what, kind)
	}
	return s, err
}

// openEnrolment returns what the secret is for. With a Conflict, for a link that has ended, it returns
// whose it was.
func openEnrolment(tx *state.Tx, link Secret, now time.Time) (Enrolment, error) {
	var user, digest string
	var expires, ended int64
	err := tx.QueryRow("SELECT coalesce(user_id, ''), secret_digest, expires_ms, coalesce(ended_ms, 0) FROM enrolments WHERE id = ?", link.ID()).
		Scan(&user, &digest, &expires, &ended)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Enrolment{}, fmt.Errorf("read enrolment: %w", err)
	}
	if !link.is(digest) {
		return Enrolment{}, tallystick.Errorf(tallystick.Unauthorized, "the link %s is not known", link.ID()).
			WithHint("copy it again, whole")
	}
	e := Enrolment{ID: link.ID(), Expires: fromMillis(expires)}
	if user != "" {
		if e.User, err = findUser(tx, user); err != nil {
			return Enrolment{}, err
		}
	}
	switch {
	case ended != 0:
		err = tallystick.Errorf(tallystick.Conflict, "the link %s has been used or withdrawn", e.ID)
	case now.UnixMilli() >= expires:
		err = tallystick.Errorf(tallystick.Conflict, "the link %s ended at %s", e.ID, e.Expires.Format(time.RFC3339))
	default:
		return e, nil
	}
	hint := "an admin makes a new one with `tallystick user enrol NAME`"
	if link.kind == BootstrapSecret {
		hint = "while there is no admin, `tallystick user bootstrap --renew` on the server makes a new one"
	}
	var refused *tallystick.Error
	if errors.As(err, &refused) {
		err = refused.WithHint("%s", hint)
	}
	return e, err
}

// Enrolled is a person who has set a passphrase, with the acknowledgement of it.
type Enrolled struct {
	User
	Receipt trail.Receipt
}

// Redeem sets the passphrase of the person to whom the presented link was given, and returns who that
// is. A link can be redeemed once: of several at one time one wins, for the others it is a Conflict.
func (s *Store) Redeem(ctx context.Context, presented, passphrase string) (Enrolled, error) {
	e, err := s.Enrolment(ctx, presented)
	if err != nil {
		return Enrolled{}, err
	}
	if err := checkPassphrase(e.User.Name, passphrase); err != nil {
		return Enrolled{}, err
	}
	hash, err := s.hasher.hash(ctx, passphrase)
	if err != nil {
		return Enrolled{}, err
	}
	link, err := ParseSecret(presented)
	if err != nil {
		return Enrolled{}, err
	}
	receipt, err := s.commit(ctx, func(tx *state.Tx) (trail.Actor, trail.Change, error) {
		if _, err := openEnrolment(tx, link, tx.Now()); err != nil { // another may have come first
			return trail.Actor{}, nil, err
		}
		return trail.Actor{ID: e.User.ID, Kind: KindPerson}, &EnrolmentRedeemed{
			Enrolment: e.ID, User: e.User.ID, CredentialDigest: tallystick.DigestOf([]byte(hash)), passphrase: hash, cache: s.cache,
		}, nil
	})
	if err != nil {
		return Enrolled{}, s.refuseEnded(ctx, e, reasonEnrolment, fmt.Errorf("redeem link: %w", err))
	}
	s.attempts.succeed(e.User.Name)
	u, err := s.User(ctx, e.User.ID)
	return Enrolled{u, receipt}, err
}
