package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// maxStatements bounds the prepared statements that a session keeps.
const maxStatements = 256

// sqliteSession is a handle with its one connection and the statements prepared on it: preparing again
// for each call would cost more than running most statements. Both go to the driver itself: the layers
// of database/sql between cost as much as a small insert, or a row that is looked up.
type sqliteSession struct {
	sqlite     *sqliteDB
	role       role
	handle     *sql.DB
	conn       *sql.Conn
	statements map[string]*statement

	// The statement at hand, here so that running one that returns no rows allocates nothing.
	args []driver.NamedValue
	job  struct {
		ctx    context.Context
		query  string
		result driver.Result
		do     func(conn any) error
	}
}

// statement is a prepared statement of the driver. While its rows are being read it cannot run again.
type statement struct {
	command
	busy   bool
	cached bool
}

// command is what the driver prepares.
type command interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// newSession returns a session over handle, which it closes at its end.
func (d *sqliteDB) newSession(ctx context.Context, handle *sql.DB, as role) (*sqliteSession, error) {
	conn, err := handle.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &sqliteSession{sqlite: d, role: as, handle: handle, conn: conn, statements: make(map[string]*statement)}
	s.job.do = s.do
	return s, nil
}

func (s *sqliteSession) begin(ctx context.Context) error {
	if s.role == reader {
		return s.run0(ctx, "BEGIN")
	}
	return s.run0(ctx, "BEGIN IMMEDIATE")
}

func (s *sqliteSession) commit(ctx context.Context) error { return s.run0(ctx, "COMMIT") }

func (s *sqliteSession) broken() bool { return false }

func (s *sqliteSession) query(ctx context.Context, query string, args ...any) (rows, error) {
	var err error
	if s.args, err = appendArgs(s.args[:0], args); err != nil {
		return nil, err
	}
	r := &sqliteRows{ctx: ctx, session: s}
	err = s.conn.Raw(func(conn any) error {
		st, err := s.take(ctx, conn, query)
		if err != nil {
			return err
		}
		if r.rows, err = st.QueryContext(ctx, s.args); err != nil {
			return errors.Join(err, s.release(st))
		}
		r.statement = st
		return nil
	})
	clear(s.args) // and holds on to nothing of the caller's
	if err != nil {
		return nil, err
	}
	r.row = make([]driver.Value, len(r.rows.Columns()))
	return r, nil
}

// take returns the prepared statement; release gives it back. The caller has conn to itself.
func (s *sqliteSession) take(ctx context.Context, conn any, query string) (*statement, error) {
	st := s.statements[query]
	if st != nil && !st.busy {
		st.busy = true
		return st, nil
	}
	prepared, err := conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	fresh := &statement{command: prepared.(command), busy: true}
	if st == nil && s.makeRoom() {
		fresh.cached = true
		s.statements[query] = fresh
	}
	return fresh, nil
}

func (s *sqliteSession) release(st *statement) error {
	st.busy = false
	if st.cached {
		return nil
	}
	return st.Close()
}

// makeRoom drops some statement that is not busy if the session keeps as many as it may.
func (s *sqliteSession) makeRoom() bool {
	if len(s.statements) < maxStatements {
		return true
	}
	for query, st := range s.statements {
		if !st.busy {
			delete(s.statements, query)
			_ = st.Close() // only frees memory
			return true
		}
	}
	return false
}

// run0 runs a statement without arguments of which the result does not matter.
func (s *sqliteSession) run0(ctx context.Context, query string) error {
	_, err := s.exec(ctx, query)
	return err
}

func (s *sqliteSession) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	var err error
	if s.args, err = appendArgs(s.args[:0], args); err != nil {
		return nil, err
	}
	s.job.ctx, s.job.query = ctx, query
	err = s.conn.Raw(s.job.do)
	result := s.job.result
	s.job.ctx, s.job.query, s.job.result = nil, "", nil
	clear(s.args) // and holds on to nothing of the caller's
	return result, err
}

// do runs the job. Raw calls it with the lock under which database/sql itself uses the connection.
func (s *sqliteSession) do(conn any) error {
	st, err := s.take(s.job.ctx, conn, s.job.query)
	if err != nil {
		return err
	}
	s.job.result, err = st.ExecContext(s.job.ctx, s.args)
	if released := s.release(st); released != nil {
		err = errors.Join(err, released)
	}
	return err
}

func appendArgs(dst []driver.NamedValue, args []any) ([]driver.NamedValue, error) {
	for i, arg := range args {
		v, err := value(arg)
		if err != nil {
			return dst, argumentError(i, err)
		}
		dst = append(dst, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return dst, nil
}

func (s *sqliteSession) close() error {
	err := s.conn.Raw(func(any) error {
		var errs []error
		for _, st := range s.statements {
			errs = append(errs, st.Close())
		}
		return errors.Join(errs...)
	})
	return errors.Join(err, s.conn.Close(), s.handle.Close())
}

// tidy moves the write-ahead log into the file when it has grown, and at the end, so that whoever opens
// the file next finds a short one; nothing depends on that.
func (s *sqliteSession) tidy(ctx context.Context, last bool) error {
	pages, err := s.pagesWritten()
	if err != nil || !last && pages < s.sqlite.config.checkpointPages {
		return err
	}
	if err := s.checkpoint(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// pagesWritten returns how many frames the connection has added to the write-ahead log since its
// last checkpoint.
func (s *sqliteSession) pagesWritten() (pages int, err error) {
	err = s.conn.Raw(func(conn any) error {
		pages, _, err = conn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, false)
		return err
	})
	return pages, err
}

// checkpoint copies the write-ahead log into the database file as far as readers allow, syncs both,
// and returns an error if that failed; that there are readers is none.
func (s *sqliteSession) checkpoint(ctx context.Context) error {
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
