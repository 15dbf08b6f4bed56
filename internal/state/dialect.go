package state

import (
	"context"
	"database/sql"
)

// dialect is an open database of one kind.
type dialect interface {
	// connect opens a session.
	connect(ctx context.Context, as role) (session, error)
	// fatal reports whether err casts doubt on what is stored. After such an error nothing more may be
	// acknowledged by this process.
	fatal(err error) bool
	// describe turns errors that an operator can act on into a tallystick.Error and leaves others alone.
	describe(err error) error
	// check returns what is wrong with the database, at most limit faults.
	check(tx *Tx, limit int) (faults []string, err error)
	// backup writes a consistent copy to a new file.
	backup(ctx context.Context, path string) error
	// listen calls changed after commits of other processes, and when it may have missed some, until
	// ctx ends or because this kind of database does not tell.
	listen(ctx context.Context, changed func())
}

// role says what a session is for.
type role int

const (
	writer role = iota
	reader
)

// session is one connection with its prepared statements. It is used by one goroutine at a time.
type session interface {
	// begin starts a transaction: a writer's with the right to write, for which it waits, a reader's
	// with one unchanging view.
	begin(ctx context.Context) error
	// commit ends the transaction and returns when it is durable. If it cannot be known whether it is,
	// the error wraps ErrOutcomeUnknown.
	commit(ctx context.Context) error
	// exec runs a statement that returns no rows.
	exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	query(ctx context.Context, query string, args ...any) (rows, error)
	// broken reports whether the connection is gone, and its transaction with it. Another session may
	// do better.
	broken() bool
	// tidy is called by the writer after a commit, and at the end, when last is true.
	tidy(ctx context.Context, last bool) error
	close() error
}

// rows are the rows of a query, as sql.Rows. Closing them again does nothing.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}
