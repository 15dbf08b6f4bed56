package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

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
// and one sync: each has a savepoint of its own, so that an error or a panic of one (returned to
// that caller alone) leaves the others as they are.
//
// fn runs on another goroutine, later than the call and perhaps twice: if the shared transaction is
// lost, every member runs again, alone, once. It must therefore be free of effects outside tx, do
// no other work than SQL, not call Write, and not end its goroutine. What it assigns to the
// caller's variables may be used only if Write returns nil.
//
// ctx bounds the caller's wait, not the transaction, which is never cut short because one of its
// members went away. When ctx ends while the change still waits for its turn, it is withdrawn and
// nothing is written: the error wraps ctx.Err(). When ctx ends later, the change may yet be
// committed: the error wraps ctx.Err() and ErrOutcomeUnknown.
//
// After an error that casts doubt on the disk (a failed sync, a full disk, damage) nothing more is
// acknowledged: that call and every later one return an Unavailable error until the database is
// opened again. For the members of the group that met the error it wraps ErrOutcomeUnknown too.
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
func (db *DB) run(s *session) {
	defer close(db.drained)
	db.config.begin()
	g := &group{db: db, session: s}
	defer func() {
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
	if db.fatal.Load() == nil {
		// Leaves a short write-ahead log to whoever opens the file next; nothing depends on it.
		if err := s.checkpoint(context.Background()); err != nil {
			db.config.Logger.Warn("checkpoint at close", slog.String("path", db.config.Path), slog.Any("error", err))
		}
	}
	if err := s.close(); err != nil {
		db.config.Logger.Warn("close writer", slog.String("path", db.config.Path), slog.Any("error", err))
	}
}

// fail makes the database refuse everything from now on and returns the error that says so. The
// first cause stays.
func (db *DB) fail(cause error) *tallystick.Error {
	var e *tallystick.Error
	if !errors.As(describe(db.config.Path, cause), &e) {
		e = tallystick.Errorf(tallystick.Unavailable, "state database %q stopped: %w", db.config.Path, cause).
			WithHint("start again; what was acknowledged is kept")
	}
	if db.fatal.CompareAndSwap(nil, e) {
		db.config.Logger.Error("state database stopped", slog.String("path", db.config.Path), slog.Any("error", cause))
	}
	return db.fatal.Load()
}

// group runs the writes that wait in one transaction. It belongs to the writer goroutine.
type group struct {
	db      *DB
	session *session
	members []*write
}

// run commits first and those that wait behind it, and answers them all.
func (g *group) run(first *write) {
	g.members = g.members[:0]
	if fatal := g.db.fatal.Load(); fatal != nil {
		first.done <- fatal
		return
	}
	if err := g.begin(); err != nil {
		g.join(first)
		g.lost(err)
		return
	}
	tx := g.newTx()
	started := time.Now()
	for w := first; w != nil; w = g.next(started) {
		if !g.join(w) {
			continue
		}
		if err := g.runMember(w, tx); err != nil {
			g.lost(err)
			return
		}
	}
	if err := g.session.exec(tx.ctx, "COMMIT"); err != nil {
		g.lost(err)
		return
	}
	for _, w := range g.members {
		w.done <- w.err
	}
	g.members = g.members[:0]
	g.committed()
}

// next returns a write that waits, or nil if none does or the group is large enough.
func (g *group) next(started time.Time) *write {
	if len(g.members) >= groupLength || time.Since(started) > groupTime {
		return nil
	}
	for yielded := false; ; yielded = true {
		select {
		case w := <-g.db.queue: // nil once the queue is closed and empty
			return w
		default:
		}
		if yielded {
			return nil
		}
		runtime.Gosched() // the callers that the last commit woke are about to queue again
	}
}

// join makes w a member unless its caller has withdrawn it.
func (g *group) join(w *write) bool {
	if !w.state.CompareAndSwap(waiting, taken) {
		return false
	}
	g.members = append(g.members, w)
	return true
}

func (g *group) begin() error { return g.session.exec(context.Background(), "BEGIN IMMEDIATE") }

func (g *group) newTx() Tx {
	// The group's own context: a caller's would abort everyone's transaction when it ends, and one
	// that can end costs a goroutine per statement in the driver.
	return Tx{ctx: context.Background(), session: g.session, now: g.db.now(), memo: make(map[any]any)}
}

// runMember runs w in a savepoint. An error of w is kept in w.err; the returned error means that
// the whole transaction is lost.
func (g *group) runMember(w *write, tx Tx) error {
	if err := g.session.exec(tx.ctx, "SAVEPOINT member"); err != nil {
		return err
	}
	w.err = g.call(w.fn, &tx)
	if err := tx.end(); err != nil && w.err == nil {
		w.err = err
	}
	if tx.fatal != nil {
		return tx.fatal
	}
	if w.err != nil {
		clear(tx.memo)
		if err := g.session.exec(tx.ctx, "ROLLBACK TO member"); err != nil {
			return err
		}
	}
	return g.session.exec(tx.ctx, "RELEASE member")
}

// call runs fn and turns a panic into an error.
func (g *group) call(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			g.db.config.Logger.Error("panic in a write", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return fn(tx)
}

// lost ends a transaction that failed as a whole because of cause. Unless the disk is in doubt,
// every member runs again in a transaction of its own.
func (g *group) lost(cause error) {
	g.rollback()
	if isFatal(cause) {
		g.refuse(g.db.fail(cause))
		return
	}
	for i, w := range g.members {
		if err := g.alone(w); err != nil {
			g.members = g.members[i:]
			if isFatal(err) {
				g.refuse(g.db.fail(err))
			} else {
				g.refuseUnwritten(describe(g.db.config.Path, err))
			}
			return
		}
	}
	g.members = g.members[:0]
	g.committed()
}

// alone runs w in a transaction of its own and answers it. The returned error means that w, not
// answered, and those behind it need not be tried.
func (g *group) alone(w *write) error {
	if err := g.begin(); err != nil {
		return err
	}
	err := g.runMember(w, g.newTx())
	if err == nil && w.err == nil {
		err = g.session.exec(context.Background(), "COMMIT")
	}
	if err != nil || w.err != nil {
		g.rollback()
	}
	if isFatal(err) {
		return err
	}
	if err != nil {
		w.err = errors.Join(w.err, describe(g.db.config.Path, err))
	}
	w.done <- w.err
	return nil
}

// rollback ends the transaction if SQLite has not done so itself.
func (g *group) rollback() {
	if err := g.session.exec(context.Background(), "ROLLBACK"); err != nil {
		g.db.config.Logger.Debug("rollback", slog.Any("error", err)) // "no transaction is active", as a rule
	}
}

// refuse answers the members that were under way when the database stopped.
func (g *group) refuse(fatal error) {
	for _, w := range g.members {
		w.done <- fmt.Errorf("%w: %w", ErrOutcomeUnknown, fatal)
	}
	g.members = g.members[:0]
}

// refuseUnwritten answers members of which nothing was written.
func (g *group) refuseUnwritten(err error) {
	for _, w := range g.members {
		w.done <- err
	}
	g.members = g.members[:0]
}

// committed tells the watchers, and moves the write-ahead log into the file when it has grown. Its
// callers have their answers: what fails here is told to the next ones.
func (g *group) committed() {
	g.db.notify()
	pages, err := g.session.pagesWritten()
	if err == nil && pages >= g.db.config.checkpointPages {
		err = g.session.checkpoint(context.Background())
	}
	if isFatal(err) {
		_ = g.db.fail(err) // the next write gets it
	} else if err != nil {
		g.db.config.Logger.Warn("checkpoint", slog.String("path", g.db.config.Path), slog.Any("error", err))
	}
}

// pagesWritten returns how many frames the connection has added to the write-ahead log since its
// last checkpoint.
func (s *session) pagesWritten() (pages int, err error) {
	err = s.conn.Raw(func(conn any) error {
		pages, _, err = conn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, false)
		return err
	})
	return pages, err
}

// checkpoint copies the write-ahead log into the database file as far as readers allow, syncs both,
// and returns an error if that failed; that there are readers is none.
func (s *session) checkpoint(ctx context.Context) error {
	var busy, frames, copied int
	row := s.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	if err := row.Scan(&busy, &frames, &copied); err != nil {
		return err
	}
	return s.conn.Raw(func(conn any) error {
		_, _, err := conn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		return err
	})
}
