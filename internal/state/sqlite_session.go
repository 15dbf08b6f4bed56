package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// maxStatements bounds the prepared statements of each kind that a session keeps.
const maxStatements = 128

// sqliteSession is a handle with its one connection and the statements prepared on it: preparing again
// for each call would cost more than running most statements.
//
// Queries go through database/sql, which knows how to scan rows. Statements that return none go to
// the driver itself: a group's writer does little else, and the layers between cost it as much as
// a small insert.
type sqliteSession struct {
	sqlite     *sqliteDB
	role       role
	handle     *sql.DB
	conn       *sql.Conn
	statements map[string]*statement
	commands   map[string]command

	// The command at hand, here so that running it allocates nothing.
	args []driver.NamedValue
	job  struct {
		ctx    context.Context
		query  string
		result driver.Result
		do     func(conn any) error
	}
}

// command is a prepared statement of the driver that returns no rows.
type command interface {
	driver.Stmt
	driver.StmtExecContext
}

// statement is a prepared statement. While its rows are being read it cannot run again.
type statement struct {
	*sql.Stmt
	busy   bool
	cached bool
}

// newSession returns a session over handle, which it closes at its end.
func (d *sqliteDB) newSession(ctx context.Context, handle *sql.DB, as role) (*sqliteSession, error) {
	conn, err := handle.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &sqliteSession{
		sqlite: d, role: as, handle: handle, conn: conn,
		statements: make(map[string]*statement), commands: make(map[string]command),
	}
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
	values := make([]any, len(args))
	for i, arg := range args {
		v, err := value(arg)
		if err != nil {
			return nil, argumentError(i, err)
		}
		values[i] = v
	}
	st, err := s.take(ctx, query)
	if err != nil {
		return nil, err
	}
	found, err := st.QueryContext(ctx, values...) //nolint:rowserrcheck // Rows.Next checks it
	if err != nil {
		return nil, errors.Join(err, s.release(st))
	}
	return &sqliteRows{Rows: found, session: s, statement: st}, nil
}

// sqliteRows give their statement back when they are closed.
type sqliteRows struct {
	*sql.Rows
	session   *sqliteSession
	statement *statement // nil once they are
}

func (r *sqliteRows) Close() error {
	if r.statement == nil {
		return nil
	}
	st := r.statement
	r.statement = nil
	return errors.Join(r.Rows.Close(), r.session.release(st))
}

// take returns the prepared query; release gives it back.
func (s *sqliteSession) take(ctx context.Context, query string) (*statement, error) {
	st := s.statements[query]
	if st != nil && !st.busy {
		st.busy = true
		return st, nil
	}
	prepared, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	fresh := &statement{Stmt: prepared, busy: true}
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
	c, err := s.prepare(s.job.ctx, conn, s.job.query)
	if err != nil {
		return err
	}
	s.job.result, err = c.ExecContext(s.job.ctx, s.args)
	return err
}

// prepare returns the command for query. The caller has conn to itself.
func (s *sqliteSession) prepare(ctx context.Context, conn any, query string) (command, error) {
	if c, prepared := s.commands[query]; prepared {
		return c, nil
	}
	if len(s.commands) >= maxStatements {
		for other, c := range s.commands {
			delete(s.commands, other)
			_ = c.Close() // only frees memory
			break
		}
	}
	stmt, err := conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c := stmt.(command)
	s.commands[query] = c
	return c, nil
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
	var errs []error
	for _, st := range s.statements {
		errs = append(errs, st.Close())
	}
	errs = append(errs, s.conn.Raw(func(any) error {
		var errs []error
		for _, c := range s.commands {
			errs = append(errs, c.Close())
		}
		return errors.Join(errs...)
	}))
	return errors.Join(append(errs, s.conn.Close(), s.handle.Close())...)
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
