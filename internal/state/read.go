package state

import (
	"context"
	"errors"
	"fmt"
)

// Read runs fn in a read-only transaction that sees one state of the database: the one of fn's first
// query. It waits while Config.Readers others are under way. fn runs on the caller's goroutine and
// once; ctx ends its queries too. A read that lasts keeps the write-ahead log from shrinking.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	var s *session
	var ok bool
	select {
	case s, ok = <-db.idle:
	case <-ctx.Done():
		return fmt.Errorf("read: %w", ctx.Err())
	}
	if !ok {
		return db.errClosed()
	}
	defer func() { db.idle <- s }()
	if s == nil {
		var err error
		if s, err = newSession(ctx, db.reads); err != nil {
			return fmt.Errorf("read: %w", describe(db.config.Path, err))
		}
	}
	if err := s.exec(ctx, "BEGIN"); err != nil {
		s = s.discard()
		return fmt.Errorf("read: %w", describe(db.config.Path, err))
	}
	tx := Tx{ctx: ctx, session: s, now: db.now(), memo: make(map[any]any)}
	sound := false
	defer func() { // also when fn panics: the transaction must not outlive it
		if errors.Join(tx.end(), s.exec(context.WithoutCancel(ctx), "ROLLBACK")) != nil || !sound {
			s = s.discard()
		}
	}()
	err := fn(&tx)
	sound = true
	return describe(db.config.Path, err)
}

// discard closes a session of which the state is in doubt. It returns nil, which stands for a
// session not yet opened.
func (s *session) discard() *session {
	_ = s.close() // whatever it says, the session is not used again
	return nil
}
