package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/tallystick/tallystick"
)

// Bounds on the server's side. They free what a Tallystick that hangs, or whose machine is gone, holds:
// above all the right to write.
const (
	writeStatementTime = time.Minute
	writeIdleTime      = time.Minute // between two statements of a transaction
	readStatementTime  = 30 * time.Minute
	readIdleTime       = 10 * time.Minute
	connectTime        = 10 * time.Second // unless the URL says connect_timeout
)

// The advisory locks of a database: two keys, of which the first is "TALY".
const (
	lockSpace   = applicationID
	lockWrites  = 1 // held by each write transaction
	lockOpening = 2 // held while the tables are brought up to date
)

// channel is where commits are announced to other processes (NOTIFY).
const channel = "tallystick"

const oldestServer = 15_00_00 // the oldest that the tests run with

// postgresDB is a database on a server.
type postgresDB struct {
	config Config
	server *pgx.ConnConfig
	name   string
}

// openPostgres opens the database at config.URL and returns it with its writer.
func openPostgres(ctx context.Context, config Config) (dialect, session, error) {
	server, err := parseURL(config.URL)
	if err != nil {
		return nil, nil, err
	}
	d := &postgresDB{config: config, server: server, name: postgresName(config.URL)}
	if err := d.prepare(ctx); err != nil {
		return nil, nil, d.describe(err)
	}
	s, err := d.connect(ctx, writer)
	if err != nil {
		return nil, nil, d.describe(err)
	}
	return d, s, nil
}

// prepare refuses a server or a database that will not do, and brings the tables up to date. Of several
// processes that open a database at once, one does so while the others wait.
func (d *postgresDB) prepare(ctx context.Context) (err error) {
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }() // and the lock with it
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	if err := configure(ctx, conn, d.config.BusyTimeout, 0, 0); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock("+lockKeys(lockOpening)+")"); err != nil {
		return err
	}
	if err := checkDatabase(ctx, conn); err != nil {
		return err
	}
	handle := stdlib.OpenDB(*d.server, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		return configure(ctx, conn, d.config.BusyTimeout, 0, 0)
	}))
	return errors.Join(migrate(ctx, handle, goose.DialectPostgres, "postgres", d.config.Logger), handle.Close())
}

func lockKeys(lock int) string { return strconv.Itoa(lockSpace) + ", " + strconv.Itoa(lock) }

// checkServer refuses a server that may lose what it has acknowledged, or that the tests do not cover.
func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var fsync, commit, encoding string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'),
		current_setting('synchronous_commit'), current_setting('server_encoding')`).Scan(&version, &fsync, &commit, &encoding)
	switch {
	case err != nil:
		return err
	case version < oldestServer:
		return tallystick.Errorf(tallystick.Invalid, "the server is PostgreSQL %d.%d", version/10000, version%10000).
			WithHint("PostgreSQL %d or newer is needed", oldestServer/10000)
	case fsync != "on":
		return tallystick.Errorf(tallystick.Invalid, "the server runs with fsync %s: it would lose acknowledged events", fsync).
			WithHint("set fsync = on")
	case commit == "off":
		return tallystick.Errorf(tallystick.Invalid, "the server is set to synchronous_commit %s: it would lose acknowledged events", commit).
			WithHint("set synchronous_commit = on, for this database or role at least")
	case encoding != "UTF8":
		return tallystick.Errorf(tallystick.Invalid, "the database has encoding %s", encoding).
			WithHint("CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0")
	}
	return nil
}

// checkDatabase refuses a database in which somebody else keeps tables.
func checkDatabase(ctx context.Context, conn *pgx.Conn) error {
	var schema *string
	var tables int
	var ours bool
	err := conn.QueryRow(ctx, `SELECT current_schema(),
		count(*) FILTER (WHERE relname <> 'migrations'),
		coalesce(bool_or(relname = 'events' AND obj_description(oid, 'pg_class') LIKE 'Tallystick:%'), false)
		FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = current_schema()::regnamespace`).Scan(&schema, &tables, &ours)
	switch {
	case err != nil:
		return err
	case schema == nil:
		return tallystick.Errorf(tallystick.Invalid, "the search_path names no schema that exists")
	case tables > 0 && !ours:
		return tallystick.Errorf(tallystick.Invalid, "the schema %s holds tables of another application", *schema).
			WithHint("make a database for Tallystick alone; nothing was changed")
	}
	return nil
}

func (d *postgresDB) connect(ctx context.Context, as role) (session, error) {
	statement, idle := writeStatementTime, writeIdleTime
	if as == reader {
		statement, idle = readStatementTime, readIdleTime
	}
	s := &postgresSession{role: as, rewritten: make(map[string]string)}
	var err error
	if s.conn, err = d.dialSession(ctx, statement, s.notice); err != nil {
		return nil, err
	}
	if err := configure(ctx, s.conn, d.config.BusyTimeout, statement, idle); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// configure sets what a session relies on, whatever the server, the database or the role are set to.
// Zero means no bound.
func configure(ctx context.Context, conn *pgx.Conn, lock, statement, idle time.Duration) error {
	var commit string
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&commit); err != nil {
		return err
	}
	if commit != "remote_apply" { // promises more than on
		commit = "on"
	}
	_, err := conn.Exec(ctx, fmt.Sprintf(`SET synchronous_commit = %s; SET lock_timeout = %d; SET statement_timeout = %d;
		SET idle_in_transaction_session_timeout = %d; SET default_transaction_isolation = 'read committed';
		SET default_transaction_deferrable = off; SET session_replication_role = DEFAULT`,
		commit, cmp.Or(lock.Milliseconds(), 1), statement.Milliseconds(), idle.Milliseconds()))
	return err
}
