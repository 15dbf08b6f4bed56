package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
)

// maxStatements bounds the prepared statements of each kind that a session keeps.
const maxStatements = 128

// session is one connection with its prepared statements: preparing again for each call would cost
// more than running most statements. It is used by one goroutine at a time.
//
// Queries go through database/sql, which knows how to scan rows. Statements that return none go to
// the driver itself: a group's writer does little else, and the layers between cost it as much as
// a small insert.
type session struct {
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

func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, statements: make(map[string]*statement), commands: make(map[string]command)}
	s.job.do = s.do
	return s, nil
}

// take returns the prepared query; release gives it back.
func (s *session) take(ctx context.Context, query string) (*statement, error) {
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

func (s *session) release(st *statement) error {
	st.busy = false
	if st.cached {
		return nil
	}
	return st.Close()
}

// makeRoom drops some statement that is not busy if the session keeps as many as it may.
func (s *session) makeRoom() bool {
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

// exec runs a statement without arguments of which the result does not matter.
func (s *session) exec(ctx context.Context, query string) error {
	_, err := s.run(ctx, query)
	return err
}

// run runs a statement that returns no rows.
func (s *session) run(ctx context.Context, query string, args ...any) (driver.Result, error) {
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
func (s *session) do(conn any) error {
	c, err := s.prepare(s.job.ctx, conn, s.job.query)
	if err != nil {
		return err
	}
	s.job.result, err = c.ExecContext(s.job.ctx, s.args)
	return err
}

// prepare returns the command for query. The caller has conn to itself.
func (s *session) prepare(ctx context.Context, conn any, query string) (command, error) {
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

// appendArgs converts args as database/sql would, without its allocations for the usual types.
func appendArgs(dst []driver.NamedValue, args []any) ([]driver.NamedValue, error) {
	for i, arg := range args {
		var value driver.Value
		var err error
		switch v := arg.(type) {
		case nil, string, []byte, int64, float64, bool:
			value = v
		case int:
			value = int64(v)
		case tallystick.Digest:
			value = string(v)
		default:
			value, err = driver.DefaultParameterConverter.ConvertValue(arg)
		}
		if err != nil {
			return dst, fmt.Errorf("argument %d: %w", i+1, err)
		}
		dst = append(dst, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return dst, nil
}

func (s *session) close() error {
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
	return errors.Join(append(errs, s.conn.Close())...)
}
