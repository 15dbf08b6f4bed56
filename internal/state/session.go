package state

import (
	"context"
	"database/sql"
	"errors"
)

// maxStatements bounds the prepared statements that a session keeps.
const maxStatements = 128

// session is one connection with its prepared statements: preparing again for each call would cost
// more than running most statements. It is used by one goroutine at a time.
type session struct {
	conn       *sql.Conn
	statements map[string]*statement
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
	return &session{conn: conn, statements: make(map[string]*statement)}, nil
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

// exec runs a statement outside any Tx.
func (s *session) exec(ctx context.Context, query string) error {
	st, err := s.take(ctx, query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx)
	return errors.Join(err, s.release(st))
}

func (s *session) close() error {
	var errs []error
	for _, st := range s.statements {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}
