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
	select {
	case s, ok := <-db.idle:
		if !ok {
			return db.errClosed()
		}
		return db.read(ctx, s, fn)
	case <-ctx.Done():
		return fmt.Errorf("read: %w", ctx.Err())
	}
}

// TryRead is Read for whoever could use another transaction beside his own: where none is free it returns false at
// once. To wait for one while holding one would be a deadlock.
func (db *DB) TryRead(ctx context.Context, fn func(*Tx) error) (did bool, err error) {
	select {
	case s, ok := <-db.idle:
		if !ok {
			return false, db.errClosed()
		}
		return true, db.read(ctx, s, fn)
	default:
		return false, nil
	}
}

// read runs fn on a session that it has taken from the idle ones, nil for one not yet opened.
func (db *DB) read(ctx context.Context, s session, fn func(*Tx) error) (err error) {
	defer func() { db.idle <- s }()
	if s, err = db.beginRead(ctx, s); err != nil {
		return fmt.Errorf("read: %w", db.dialect.describe(err))
	}
	tx := Tx{ctx: ctx, dialect: db.dialect, session: s, now: db.now(), memo: make(map[any]any)}
	if observe := db.observe.Load(); observe != nil {
		tx.session = observed{s, *observe}
	}
	sound := false
	defer func() { // also when fn panics: the transaction must not outlive it
		ended := tx.end()
		db.given.Add(tx.given)
		if _, err := s.exec(context.WithoutCancel(ctx), "ROLLBACK"); err != nil || ended != nil || !sound {
			_ = s.close() // whatever it says, the session is not used again
			s = nil
		}
	}()
	err = fn(&tx)
	sound = true
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err) // a database says only that it was interrupted
	}
	return db.dialect.describe(err)
}

// beginRead begins a transaction on the session, or on a new one if it is nil or was lost while nobody
// used it. It returns nil with an error.
func (db *DB) beginRead(ctx context.Context, s session) (session, error) {
	if s != nil {
		err := s.begin(ctx)
		if err == nil {
			return s, nil
		}
		lost := s.broken()
		_ = s.close() // whatever it says, the session is not used again
		if !lost || ctx.Err() != nil {
			return nil, err
		}
	}
	s, err := db.dialect.connect(ctx, reader)
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// RowsRead returns how many rows reading transactions have taken from the database since it was opened. Held
// against what was answered, it shows a question that takes more than it gives.
func (db *DB) RowsRead() int64 { return db.given.Load() }

// Observe has fn called with each query of the reading transactions that begin from now on, by those who
// read; nil ends it. It is for measurements.
func (db *DB) Observe(fn func(query string)) {
	if fn == nil {
		db.observe.Store(nil)
		return
	}
	db.observe.Store(&fn)
}

// observed is a session of which somebody wants to know the queries.
type observed struct {
	session
	tell func(query string)
}

func (o observed) query(ctx context.Context, query string, args ...any) (rows, error) {
	o.tell(query)
	return o.session.query(ctx, query, args...)
}
