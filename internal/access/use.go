package access

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

const maxUses = 100_000 // tokens and sessions remembered

// uses remembers when tokens and sessions were last presented to this process.
type uses struct {
	mu sync.Mutex
	at map[string]use
}

type use struct {
	last, stored time.Time
}

func newUses() *uses { return &uses{at: make(map[string]use)} }

// touch notes a use. When there is no room it is lost, and the session may end for idleness too early.
func (u *uses) touch(id string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	is, known := u.at[id]
	if !known && len(u.at) >= maxUses {
		return
	}
	if now.After(is.last) {
		is.last = now
		u.at[id] = is
	}
}

// last returns when the token or session was last presented to this process, as far as it remembers.
func (u *uses) last(id string) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.at[id].last
}

// unstored returns the uses that the database does not know of.
func (u *uses) unstored() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make(map[string]time.Time)
	for id, is := range u.at {
		if is.last.After(is.stored) {
			all[id] = is.last
		}
	}
	return all
}

// store notes what the database knows, and forgets what has rested for a while.
func (u *uses) store(stored map[string]time.Time, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range stored {
		is := u.at[id]
		is.stored = at
		u.at[id] = is
	}
	for id, is := range u.at {
		if !is.last.After(is.stored) && now.Sub(is.last) >= flushPeriod {
			delete(u.at, id)
		}
	}
}

func (s *Store) storeUses(ctx context.Context, now time.Time) error {
	unstored := s.uses.unstored()
	if len(unstored) > 0 {
		err := s.config.DB.Write(ctx, func(tx *state.Tx) error {
			for id, at := range unstored {
				err := run(tx, statement{
					"INSERT INTO last_uses (id, used_ms) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET used_ms = excluded.used_ms WHERE last_uses.used_ms < excluded.used_ms",
					[]any{id, at.UnixMilli()},
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store when tokens were used: %w", err)
		}
	}
	s.uses.store(unstored, now)
	return nil
}
