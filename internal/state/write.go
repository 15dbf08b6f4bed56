package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
)

// The bounds of the queue and of a group. A group takes whoever waits and never waits for more: the
// time that one commit's sync takes is the time in which the next group gathers.
const (
	queueLength = 1024
	groupLength = 1024
	groupTime   = 100 * time.Millisecond // after which a group begins no further member
)

// ErrOutcomeUnknown marks an error after which the change may or may not be there. Whoever must
// know looks, or repeats a change that is safe to repeat.
var ErrOutcomeUnknown = errors.New("outcome unknown")

// write is one caller's change on its way through the writer goroutine.
type write struct {
	fn    func(*Tx) error
	state atomic.Int32 // one of the three below
	err   error        // what fn returned; the writer goroutine's
	done  chan error   // receives the answer; room for one
}

const (
	waiting   int32 = iota
	taken           // by the writer goroutine: fn has run or will
	withdrawn       // by the caller: fn will not run
)

// Write runs fn in a transaction and returns when it is durable. Many callers share one transaction
// and one sync, and yet an error or a panic of one (returned to that caller alone) leaves the others as
// they are: if it had written something, all is undone and its members run again, each in a savepoint.
// So fn had better refuse before it writes.
//
// fn runs on another goroutine, later than the call and perhaps again: after a member that had to be
// undone, and if the shared transaction is lost, alone. It must therefore be free of effects outside tx,
// do no other work than SQL, not call Write, and not end its goroutine. What it assigns to the
// caller's variables may be used only if Write returns nil.
//
// ctx bounds the caller's wait, not the transaction, which is never cut short because one of its
// members went away. When ctx ends while the change still waits for its turn, it is withdrawn and
// nothing is written: the error wraps ctx.Err(). When ctx ends later, the change may yet be
// committed: the error wraps ctx.Err() and ErrOutcomeUnknown.
//
// After an error that casts doubt on the disk under an SQLite file (a failed sync, a full disk, damage)
// nothing more is acknowledged: that call and every later one return an Unavailable error until the
// database is opened again. For the members of the group that met the error it wraps
// ErrOutcomeUnknown too. A PostgreSQL server looks after its own disk: when it cannot be reached,
// writes are Unavailable until it can, and those that were being committed when it was lost wrap
// ErrOutcomeUnknown too.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	w := &write{fn: fn, done: make(chan error, 1)}
	if err := db.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	if w.state.CompareAndSwap(waiting, withdrawn) {
		return fmt.Errorf("write withdrawn before it began: %w", ctx.Err())
	}
	select {
	case err := <-w.done: // both were ready; the answer says more
		return err
	default:
		return fmt.Errorf("write under way, %w: %w", ErrOutcomeUnknown, ctx.Err())
	}
}

func (db *DB) enqueue(ctx context.Context, w *write) error {
	db.closing.RLock()
	defer db.closing.RUnlock()
	if db.closed {
		return db.errClosed()
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write withdrawn before it began: %w", err)
	}
	select {
	case db.queue <- w:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write withdrawn while the queue was full: %w", ctx.Err())
	}
}

// run is the writer goroutine. It owns s.
func (db *DB) run(s session) {
	defer close(db.drained)
	db.config.begin()
	g := &group{db: db, session: s}
	defer func() {
		db.last = g.session
		// Reached with members left only if one of them ended this goroutine (runtime.Goexit, as
		// testing.T.FailNow does). Callers must not hang for that.
		if len(g.members) > 0 {
			g.refuse(db.fail(errors.New("a write ended the goroutine of all writes")))
			for w := range db.queue {
				w.done <- db.fatal.Load()
			}
		}
	}()
	for first := range db.queue {
		g.run(first)
	}
	if db.fatal.Load() == nil && !g.session.broken() {
		if err := g.session.tidy(context.Background(), true); err != nil {
			db.config.Logger.Warn("end of writes", slog.String("database", db.name), slog.Any("error", err))
		}
	}
}

// fail makes the database refuse everything from now on and returns the error that says so. The
// first cause stays.
func (db *DB) fail(cause error) *tallystick.Error {
	var e *tallystick.Error
	if !errors.As(db.dialect.describe(cause), &e) {
		e = tallystick.Errorf(tallystick.Unavailable, "state database %q stopped: %w", db.name, cause).
			WithHint("start again; what was acknowledged is kept")
	}
	if db.fatal.CompareAndSwap(nil, e) {
		db.config.Logger.Error("state database stopped", slog.String("database", db.name), slog.Any("error", cause))
	}
	return db.fatal.Load()
}
