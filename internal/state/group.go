package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"
)

const reconnectPause = 50 * time.Millisecond

// group runs the writes that wait in one transaction. It belongs to the writer goroutine.
type group struct {
	db      *DB
	session session
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
		if g.session.broken() {
			g.refuseAll(g.db.dialect.describe(err))
		} else {
			g.lost(err)
		}
		return
	}
	err := g.gather(first)
	if errors.Is(err, errHalfDone) {
		err = g.again()
	}
	if err != nil {
		g.lost(err)
		return
	}
	if err := g.session.commit(context.Background()); err != nil {
		if errors.Is(err, ErrOutcomeUnknown) {
			g.refuseAll(g.db.dialect.describe(err))
		} else {
			g.lost(err)
		}
		return
	}
	for _, w := range g.members {
		w.done <- w.err
	}
	g.members = g.members[:0]
	g.committed()
}

// gather runs first and those that wait behind it, until one has to be undone: errHalfDone. The other
// errors mean that the whole transaction is lost.
func (g *group) gather(first *write) error {
	tx := g.newTx()
	started := time.Now()
	for w := first; w != nil; w = g.next(started) {
		if !g.join(w) {
			continue
		}
		if err := g.runMember(w, tx); err != nil {
			return err
		}
	}
	return nil
}

// again undoes the transaction and runs its members once more, each in a savepoint. It is seldom needed:
// members refuse before they write. Savepoints for all would cost each of them as much as two small
// inserts, and a copy of every page that it is the first to change.
func (g *group) again() error {
	g.rollback()
	if err := g.begin(); err != nil {
		return err
	}
	tx := g.newTx()
	for _, w := range g.members {
		if err := g.exec("SAVEPOINT member"); err != nil {
			return err
		}
		err := g.runMember(w, tx)
		if errors.Is(err, errHalfDone) {
			err = g.exec("ROLLBACK TO member")
		}
		if err != nil {
			return err
		}
		if err := g.exec("RELEASE member"); err != nil {
			return err
		}
	}
	return nil
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

// begin starts the group's transaction, on another session if this one has been lost.
func (g *group) begin() error {
	if !g.session.broken() {
		if err := g.session.begin(context.Background()); err == nil || !g.session.broken() {
			return err
		}
	}
	if err := g.reconnect(); err != nil {
		return err
	}
	return g.session.begin(context.Background())
}

// reconnect replaces a session that was lost, and waits a while for the database to come back.
func (g *group) reconnect() error {
	ctx, cancel := context.WithTimeout(context.Background(), g.db.config.BusyTimeout)
	defer cancel()
	for {
		s, err := g.db.dialect.connect(ctx, writer)
		if err == nil {
			_ = g.session.close() // was lost
			g.session = s
			g.db.config.Logger.Info("connected again", slog.String("database", g.db.name))
			return nil
		}
		select {
		case <-time.After(reconnectPause):
		case <-ctx.Done():
			return err
		}
	}
}

func (g *group) exec(query string) error {
	_, err := g.session.exec(context.Background(), query)
	return err
}

func (g *group) newTx() Tx {
	// The group's own context: a caller's would abort everyone's transaction when it ends, and one
	// that can end costs a goroutine per statement in the driver.
	return Tx{ctx: context.Background(), dialect: g.db.dialect, session: g.session, now: g.db.now(), memo: make(map[any]any)}
}

// errHalfDone says that a member failed and leaves something to undo.
var errHalfDone = errors.New("half done")

// runMember runs w. An error of w is kept in w.err; the returned error is errHalfDone, or means that the
// whole transaction is lost.
func (g *group) runMember(w *write, tx Tx) error {
	w.err = g.call(w.fn, &tx)
	if err := tx.end(); err != nil && w.err == nil {
		w.err = err
	}
	if tx.fatal != nil {
		return tx.fatal
	}
	if tx.failed != nil && g.session.broken() {
		return tx.failed
	}
	if w.err == nil {
		w.err = tx.failed // PostgreSQL would not go on after it
	}
	if w.err == nil {
		return nil
	}
	clear(tx.memo)
	if tx.wrote || tx.failed != nil {
		return errHalfDone
	}
	return nil
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
	if g.db.dialect.fatal(cause) {
		g.refuse(g.db.fail(cause))
		return
	}
	for i, w := range g.members {
		if err := g.alone(w); err != nil {
			g.members = g.members[i:]
			if g.db.dialect.fatal(err) {
				g.refuse(g.db.fail(err))
			} else {
				g.refuseAll(g.db.dialect.describe(err))
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
	if errors.Is(err, errHalfDone) {
		err = nil
	}
	if err == nil && w.err == nil {
		err = g.session.commit(context.Background())
	}
	if err != nil || w.err != nil {
		g.rollback()
	}
	if g.db.dialect.fatal(err) {
		return err
	}
	if err != nil {
		w.err = errors.Join(w.err, g.db.dialect.describe(err))
	}
	w.done <- w.err
	return nil
}

// rollback ends the transaction if the database has not done so itself.
func (g *group) rollback() {
	if g.session.broken() {
		return
	}
	if err := g.exec("ROLLBACK"); err != nil {
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

// refuseAll answers members of which nothing was written, or of which err says that it may be.
func (g *group) refuseAll(err error) {
	for _, w := range g.members {
		w.done <- err
	}
	g.members = g.members[:0]
}

// committed tells the watchers and lets the session tidy up. Its callers have their answers: what
// fails here is told to the next ones.
func (g *group) committed() {
	g.db.watchers.notify()
	err := g.session.tidy(context.Background(), false)
	if g.db.dialect.fatal(err) {
		_ = g.db.fail(err) // the next write gets it
	} else if err != nil {
		g.db.config.Logger.Warn("after a commit", slog.String("database", g.db.name), slog.Any("error", err))
	}
}
