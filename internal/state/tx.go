package state

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// Tx is a transaction, or one caller's part of a group's. It is valid until the function that
// received it returns, and for that function's goroutine only.
type Tx struct {
	ctx     context.Context
	dialect dialect
	session session
	now     time.Time
	memo    map[any]any
	given   int64   // rows, to whoever asked
	open    []*Rows // not yet closed
	failed  error   // of the first statement that failed, whatever the function made of it
	fatal   error   // the first error that casts doubt on the disk
	wrote   bool    // a statement may have changed something
	ended   bool
}

var (
	errEnded   = errors.New("the transaction has ended")
	errControl = errors.New("a member of a transaction cannot begin or end one, nor a savepoint")
)

// admit looks at a statement before it runs. One that ends the transaction would end that of others.
func (tx *Tx) admit(query string) error {
	if tx.ended {
		return errEnded
	}
	word := query[:min(len(query), 9)]
	if i := strings.IndexAny(word, " \t\n;"); i >= 0 {
		word = word[:i]
	}
	switch word {
	case "SELECT":
		return nil
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		tx.note(errControl)
		return errControl
	}
	tx.wrote = true
	return nil
}

// Now returns the transaction's time, in UTC and whole milliseconds. All members of a group have
// the same.
func (tx *Tx) Now() time.Time { return tx.now }

// Memo holds what the members of a group hand on to each other, such as a counter that each would
// otherwise have to query. It is empty when the transaction begins, and again after a member has
// failed and its changes were undone. Keys have types of their packages' own, as with contexts.
func (tx *Tx) Memo() map[any]any { return tx.memo }

// Exec runs a statement that returns no rows. The statement stays prepared for the next call, so
// its text should not contain values.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	if err := tx.admit(query); err != nil {
		return nil, err
	}
	result, err := tx.session.exec(tx.ctx, query, args...)
	if err != nil {
		tx.note(err)
	}
	return result, err
}

// Query runs a statement that returns rows. The rows must be closed, or read to their end, before
// the function returns.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	if err := tx.admit(query); err != nil {
		return nil, err
	}
	found, err := tx.session.query(tx.ctx, query, args...)
	if err != nil {
		tx.note(err)
		return nil, err
	}
	r := &Rows{tx: tx, rows: found}
	tx.open = append(tx.open, r)
	return r, nil
}

// QueryRow runs a statement of which the first row is wanted.
func (tx *Tx) QueryRow(query string, args ...any) Row {
	rows, err := tx.Query(query, args...)
	return Row{rows: rows, err: err}
}

func (tx *Tx) note(err error) {
	if tx.failed == nil {
		tx.failed = err
	}
	if tx.fatal == nil && tx.dialect.fatal(err) {
		tx.fatal = err
	}
}

// end closes what the function left open, so that the savepoint can be released.
func (tx *Tx) end() error {
	var errs []error
	for len(tx.open) > 0 {
		errs = append(errs, tx.open[len(tx.open)-1].Close())
	}
	tx.ended = true
	return errors.Join(errs...)
}

// Rows are the rows of a query, to be used like sql.Rows.
type Rows struct {
	tx     *Tx
	rows   rows
	err    error
	closed bool
}

// Next moves to the next row. It returns false, and closes the rows, at the end or after an error.
func (r *Rows) Next() bool {
	if r.closed {
		return false
	}
	if r.rows.Next() {
		r.tx.given++
		return true
	}
	if r.err = r.rows.Err(); r.err != nil {
		r.tx.note(r.err)
	}
	if err := r.Close(); r.err == nil {
		r.err = err
	}
	return false
}

// Scan copies the columns of the current row, as sql.Rows does.
func (r *Rows) Scan(dest ...any) error { return r.rows.Scan(dest...) }

// Err returns the error that ended the rows, if one did.
func (r *Rows) Err() error { return r.err }

// Close ends the rows. It may be called again.
func (r *Rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	for i, open := range r.tx.open {
		if open == r {
			r.tx.open = append(r.tx.open[:i], r.tx.open[i+1:]...)
			break
		}
	}
	return r.rows.Close()
}

// Row is the result of QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the columns of the row, or returns sql.ErrNoRows if there is none.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	return errors.Join(r.rows.Scan(dest...), r.rows.Close())
}
