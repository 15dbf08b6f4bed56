package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"modernc.org/sqlite"
)

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
