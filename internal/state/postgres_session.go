package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresSession is a connection to a server. Statements with arguments stay prepared, which pgx sees
// to; those without go as they are, in one round trip.
type postgresSession struct {
	conn      *pgx.Conn
	role      role
	rewritten map[string]string // statements by their text with "?"
	reading   *postgresRows     // what the connection is busy with, if anything
	replica   bool              // the server turned out to be one
	warning   *pgconn.Notice    // since the last commit began
}

// begin of a writer waits for the other processes' transactions. What it reads then is newer than
// their commits, because in the isolation level of read committed every statement sees what has been
// committed before it.
func (s *postgresSession) begin(ctx context.Context) error {
	query := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if s.role == writer {
		query = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(" + lockKeys(lockWrites) + ")"
	}
	_, err := s.exec(ctx, query)
	return err
}

// commit announces the transaction and ends it. An error that the server sends and survives means that
// it has not been committed; it has no other. A connection that is lost on the way says nothing. A
// warning says that the server has not waited for its standby, as it should have.
func (s *postgresSession) commit(ctx context.Context) error {
	s.warning = nil
	tag, err := s.conn.Exec(ctx, "NOTIFY "+channel+"; COMMIT")
	switch {
	case err != nil && s.broken():
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	case err == nil && tag.String() != "COMMIT":
		return fmt.Errorf("commit: the server answered %s", tag)
	case err == nil && s.warning != nil:
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, (*pgconn.PgError)(s.warning))
	}
	return err
}

func (s *postgresSession) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		s.warning = n
	}
}

func (s *postgresSession) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	query, values, err := s.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	tag, err := s.conn.Exec(ctx, query, values...)
	if err != nil {
		return nil, s.note(err)
	}
	return postgresResult(tag.RowsAffected()), nil
}

func (s *postgresSession) query(ctx context.Context, query string, args ...any) (rows, error) {
	query, values, err := s.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	found, err := s.conn.Query(ctx, query, values...)
	if err != nil {
		return nil, s.note(err)
	}
	s.reading = &postgresRows{session: s, rows: found}
	return s.reading, nil
}

// prepare makes the connection free, and a statement and its arguments what it takes.
func (s *postgresSession) prepare(_ context.Context, query string, args []any) (string, []any, error) {
	if s.reading != nil {
		s.reading.keep()
	}
	if len(args) == 0 {
		return query, nil, nil
	}
	known, ok := s.rewritten[query]
	if !ok {
		if len(s.rewritten) >= maxStatements {
			clear(s.rewritten)
		}
		known = numbered(query)
		s.rewritten[query] = known
	}
	values := make([]any, len(args))
	for i, arg := range args {
		v, err := value(arg)
		if err != nil {
			return "", nil, argumentError(i, err)
		}
		values[i] = v
	}
	return known, values, nil
}

// note looks whether an error means that this is no longer the server to write to.
func (s *postgresSession) note(err error) error {
	var e *pgconn.PgError
	if s.role == writer && errors.As(err, &e) && e.Code == "25006" { // read_only_sql_transaction
		s.replica = true
	}
	return err
}

func (s *postgresSession) broken() bool { return s.replica || s.conn.IsClosed() }

func (s *postgresSession) tidy(context.Context, bool) error { return nil }

func (s *postgresSession) close() error {
	if s.conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.conn.Close(ctx)
}

type postgresResult int64

func (r postgresResult) RowsAffected() (int64, error) { return int64(r), nil }

func (r postgresResult) LastInsertId() (int64, error) {
	return 0, errors.New("rows have no number of the database's own: use RETURNING")
}
