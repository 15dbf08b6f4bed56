package access

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says where a store keeps what it knows. DB and Recorder are required.
type Config struct {
	DB       *state.DB
	Recorder *trail.Recorder
	Now      func() time.Time // nil means time.Now
	// BootstrapFile is where the secret for the first admin is left. Empty means that there is none:
	// OfferBootstrap and RenewBootstrap then return an error.
	BootstrapFile string
}

// Store knows people, services and the secrets by which they are known. Its methods may be called by
// many goroutines at once. Those that take a transaction look and propose, and write nothing; those
// that take a context are doors, by which somebody comes in who is not known yet, and record what they
// do themselves.
type Store struct {
	config   Config
	hasher   *hasher
	attempts *attempts
	refusals *refusals
	cache    *cache
	uses     *uses
}

// New returns a store over config.DB.
func New(config Config) *Store {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Store{
		config: config, hasher: newHasher(), attempts: newAttempts(),
		refusals: newRefusals(), cache: newCache(config.Now), uses: newUses(),
	}
}

const flushPeriod = time.Minute

// Run writes down from time to time what is gathered in memory (Flush), until ctx ends. While the
// database is Unavailable it goes on gathering.
func (s *Store) Run(ctx context.Context) error {
	ticker := time.NewTicker(flushPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.Flush(context.WithoutCancel(ctx))
		case <-ticker.C:
			err := s.Flush(ctx)
			if err != nil && ctx.Err() == nil && tallystick.CodeOf(err) != tallystick.Unavailable {
				return err
			}
		}
	}
}

// Flush stores when tokens and sessions were last used, and records refusals that were counted and not
// yet told.
func (s *Store) Flush(ctx context.Context) error {
	now := s.config.Now()
	if err := s.storeUses(ctx, now); err != nil {
		return err
	}
	due := s.refusals.due(now)
	for i, r := range due {
		if err := s.recordRefusal(ctx, r); err != nil {
			s.refusals.putBack(due[i:], now)
			return err
		}
	}
	return nil
}

// commit records the change that propose returns, by the actor that it returns.
func (s *Store) commit(ctx context.Context, propose func(*state.Tx) (trail.Actor, trail.Change, error)) (trail.Receipt, error) {
	var receipt trail.Receipt
	err := s.config.DB.Write(ctx, func(tx *state.Tx) error {
		actor, change, err := propose(tx)
		if err != nil {
			return err
		}
		receipt, err = s.config.Recorder.Commit(tx, trail.Act{Actor: actor}, change)
		return err
	})
	if err != nil { // the write may still be under way, and the receipt with it
		return trail.Receipt{}, err
	}
	return receipt, nil
}

// Changes returns a fresh change for each type of event from which the tables of this package follow.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.UserAdded:          func() trail.Change { return new(UserAdded) },
		trail.UserGranted:        func() trail.Change { return new(UserGranted) },
		trail.UserRevoked:        func() trail.Change { return new(UserRevoked) },
		trail.UserDisabled:       func() trail.Change { return new(UserDisabled) },
		trail.EnrolmentCreated:   func() trail.Change { return new(EnrolmentCreated) },
		trail.EnrolmentRedeemed:  func() trail.Change { return new(EnrolmentRedeemed) },
		trail.BootstrapCreated:   func() trail.Change { return new(BootstrapCreated) },
		trail.BootstrapExchanged: func() trail.Change { return new(BootstrapExchanged) },
		trail.TokenCreated:       func() trail.Change { return new(TokenCreated) },
		trail.TokenRevoked:       func() trail.Change { return new(TokenRevoked) },
		trail.SessionOpened:      func() trail.Change { return new(SessionOpened) },
		trail.SessionClosed:      func() trail.Change { return new(SessionClosed) },
	}
}

// Tables returns the tables of this package that follow from the trail: all but credentials, whose
// digest is in users, and last_uses.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "users", Key: []string{"id"}, Columns: []string{"kind", "state", "credential_digest", "created_ms", "event"}, Sealed: []string{"name"}},
		{Name: "grants", Key: []string{"user_id", "role"}, Columns: []string{"granted_ms", "event"}},
		{Name: "enrolments", Key: []string{"id"}, Columns: []string{"user_id", "secret_digest", "created_ms", "expires_ms", "ended_ms", "event"}},
		{
			Name: "tokens", Key: []string{"id"}, Sealed: []string{"label"},
			Columns: []string{"user_id", "minter", "parent", "scopes", "secret_digest", "created_ms", "expires_ms", "revoked_ms", "event"},
		},
		{Name: "sessions", Key: []string{"id"}, Columns: []string{"user_id", "secret_digest", "created_ms", "expires_ms", "closed_ms", "event"}},
	}
}

// statement is one of those that a change runs.
type statement struct {
	query string
	args  []any
}

// run runs statements in their order.
func run(tx *state.Tx, statements ...statement) error {
	for _, s := range statements {
		if _, err := tx.Exec(s.query, s.args...); err != nil {
			return fmt.Errorf("%.30s...: %w", s.query, err)
		}
	}
	return nil
}

func nullable[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// page returns how many rows a list returns if it is asked for limit.
func page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// optionalTime is nil for 0, which stands for null.
func optionalTime(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := fromMillis(ms)
	return &t
}

// wrongKind is a fault of the program: a secret was made for something else.
func wrongKind(s Secret, want SecretKind) error {
	if s.kind == want {
		return nil
	}
	return tallystick.Errorf(tallystick.Internal, "a secret of kind %q was made where one of kind %q is needed", s.kind, want)
}
