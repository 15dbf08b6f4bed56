package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// bootstrapLasts is how long the secret for the first admin can be exchanged.
const bootstrapLasts = time.Hour

// BootstrapCreated is the change that makes a secret for the first admin.
type BootstrapCreated struct {
	Enrolment    string            `json:"enrolment"`
	SecretDigest tallystick.Digest `json:"secret_digest"`
	ExpiresMS    int64             `json:"expires_ms"`
}

// Subject implements trail.Change.
func (c *BootstrapCreated) Subject() (trail.Type, trail.Resource) {
	return trail.BootstrapCreated, trail.Resource{Type: "enrolment", ID: c.Enrolment}
}

// Apply implements trail.Change.
func (c *BootstrapCreated) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, endBootstraps(at), insertEnrolment(c.Enrolment, "", c.SecretDigest, at.Time.UnixMilli(), c.ExpiresMS, at))
}

func endBootstraps(at trail.Mark) statement {
	return statement{
		"UPDATE enrolments SET ended_ms = ?, event = ? WHERE user_id IS NULL AND ended_ms IS NULL",
		[]any{at.Time.UnixMilli(), int64(at.Sequence)},
	}
}

// OfferBootstrap leaves a secret for the first admin in Config.BootstrapFile, if there is no admin and
// none was ever left: on the first start. It returns whether it did.
func (s *Store) OfferBootstrap(ctx context.Context, by trail.Actor) (offered bool, err error) {
	var needless bool
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		if needless, err = hasAdmin(tx, ""); err != nil || needless {
			return err
		}
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM enrolments WHERE user_id IS NULL)").Scan(&needless)
	})
	if err != nil || needless {
		return false, err
	}
	return true, s.RenewBootstrap(ctx, by)
}

// RenewBootstrap leaves a new secret for the first admin; one from before ends. With an admin it is a
// Conflict.
func (s *Store) RenewBootstrap(ctx context.Context, by trail.Actor) error {
	path := s.config.BootstrapFile
	if path == "" {
		return tallystick.Errorf(tallystick.Invalid, "no file is configured for the bootstrap secret")
	}
	err := s.config.DB.Read(ctx, noAdminYet)
	if err != nil {
		return err
	}
	secret := NewSecret(BootstrapSecret, s.config.Now())
	// The file comes first: after a crash between, its secret is worth nothing and the next start makes
	// another.
	if err := writeBootstrap(path, secret); err != nil {
		return fmt.Errorf("write bootstrap secret: %w", err)
	}
	_, err = s.commit(ctx, func(tx *state.Tx) (trail.Actor, trail.Change, error) {
		if err := noAdminYet(tx); err != nil {
			return trail.Actor{}, nil, err
		}
		return by, &BootstrapCreated{Enrolment: secret.ID(), SecretDigest: secret.Digest(), ExpiresMS: tx.Now().Add(bootstrapLasts).UnixMilli()}, nil
	})
	if err != nil {
		return fmt.Errorf("make bootstrap secret: %w", err)
	}
	return nil
}

func noAdminYet(tx *state.Tx) error {
	has, err := hasAdmin(tx, "")
	if err == nil && has {
		err = tallystick.Errorf(tallystick.Conflict, "there is an admin already").
			WithHint("ask them to add you: `tallystick user add NAME --role ROLE`")
	}
	return err
}

func writeBootstrap(path string, secret Secret) error {
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, secret.Reveal()+"\n")
		return err
	})
}

// BootstrapExchanged is the change that makes the first admin.
type BootstrapExchanged struct {
	Enrolment        string            `json:"enrolment"`
	User             string            `json:"user"`
	Name             string            `json:"name"`
	CredentialDigest tallystick.Digest `json:"credential_digest"`

	passphrase string // as a PHC string; not on the trail
}

// Subject implements trail.Change.
func (c *BootstrapExchanged) Subject() (trail.Type, trail.Resource) {
	return trail.BootstrapExchanged, trail.Resource{Type: "user", ID: c.User}
}

// Apply implements trail.Change.
func (c *BootstrapExchanged) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx,
		endBootstraps(at),
		insertUser(c.User, c.Name, KindPerson, Active, c.CredentialDigest, at),
		insertGrant(c.User, Admin, at),
		setCredential(c.User, c.passphrase),
	)
}

// Exchange makes whoever presents the bootstrap secret the first admin, by that name and passphrase.
// The secret's file goes.
func (s *Store) Exchange(ctx context.Context, presented, name, passphrase string) (Enrolled, error) {
	secret, err := parseFor(presented, BootstrapSecret, "bootstrap secret")
	if err != nil {
		return Enrolled{}, err
	}
	var e Enrolment
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		e, err = openEnrolment(tx, secret, s.config.Now())
		return err
	})
	if err != nil {
		return Enrolled{}, s.refuseEnded(ctx, e, reasonBootstrap, err)
	}
	if name, err = normalName(name); err != nil {
		return Enrolled{}, err
	}
	if err := checkPassphrase(name, passphrase); err != nil {
		return Enrolled{}, err
	}
	hash, err := s.hasher.hash(ctx, passphrase)
	if err != nil {
		return Enrolled{}, err
	}
	var c *BootstrapExchanged
	receipt, err := s.commit(ctx, func(tx *state.Tx) (trail.Actor, trail.Change, error) {
		_, err := openEnrolment(tx, secret, tx.Now()) // another may have come first
		if err = errors.Join(err, noAdminYet(tx), nameIsFree(tx, name)); err != nil {
			return trail.Actor{}, nil, err
		}
		c = &BootstrapExchanged{
			Enrolment: e.ID, User: newID(userPrefix, tx.Now()), Name: name,
			CredentialDigest: tallystick.DigestOf([]byte(hash)), passphrase: hash,
		}
		return trail.Actor{ID: c.User, Kind: KindPerson}, c, nil
	})
	if err != nil {
		return Enrolled{}, s.refuseEnded(ctx, e, reasonBootstrap, fmt.Errorf("exchange bootstrap secret: %w", err))
	}
	if s.config.BootstrapFile != "" {
		_ = os.Remove(s.config.BootstrapFile) // what stands in it opens nothing any more
	}
	u, err := s.User(ctx, c.User)
	return Enrolled{u, receipt}, err
}
