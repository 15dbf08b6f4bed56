package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick"
)

// The tables lie in a schema of their own, so that package state, which refuses a database with the tables
// of others in its schema, can have the same database. Frames are kept as they are: they would not become
// much smaller, and would cost the server time.
const postgresSchema = `
CREATE SCHEMA IF NOT EXISTS journal;
CREATE TABLE journal.stores (
	shard    TEXT COLLATE "C" PRIMARY KEY,
	journal  TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	hash     BYTEA NOT NULL,
	trimmed  BIGINT NOT NULL,
	sum      BIGINT NOT NULL,
	aside    BOOLEAN NOT NULL
);
CREATE TABLE journal.blocks (
	shard  TEXT COLLATE "C" NOT NULL REFERENCES journal.stores (shard),
	first  BIGINT NOT NULL,
	last   BIGINT NOT NULL,
	hash   BYTEA NOT NULL,
	frames BYTEA NOT NULL,
	PRIMARY KEY (shard, first)
);
CREATE TABLE journal.receipts (
	shard   TEXT COLLATE "C" NOT NULL REFERENCES journal.stores (shard),
	last    BIGINT NOT NULL,
	entries BYTEA NOT NULL,
	PRIMARY KEY (shard, last)
);
ALTER TABLE journal.blocks ALTER COLUMN frames SET STORAGE EXTERNAL;
`

const (
	oldestServer  = 15_00_00 // the oldest that the tests run with
	lockSpace     = 0x54414c4a
	statementTime = time.Minute      // on the server's side
	patience      = 75 * time.Second // for its answer
)

// postgresEngine keeps stores in tables. Other journals have theirs in the same tables.
type postgresEngine struct {
	options Options
	config  *pgx.ConnConfig
	writer  *pgx.Conn // the writing goroutine's; holds the lock on the journal's name
	warning *pgconn.Notice

	mu     sync.Mutex
	reader *pgx.Conn // under mu; nil until it is needed, or when it was lost
}

// openPostgres connects, refuses a server that may lose what it has acknowledged, and makes the tables.
func openPostgres(ctx context.Context, options Options) (_ *postgresEngine, err error) {
	e := &postgresEngine{options: options}
	if e.config, err = pgx.ParseConfig(options.URL); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "the URL of the journal's database cannot be read").
			WithHint("postgres://USER@HOST/DATABASE, with the password in PGPASSWORD or ~/.pgpass")
	}
	e.config.RuntimeParams["application_name"] = "tallystick journal"
	e.config.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" && e.writer != nil && conn == e.writer.PgConn() {
			e.warning = n
		}
	}
	if e.writer, err = e.connect(ctx); err != nil {
		return nil, err
	}
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *postgresEngine) prepare(ctx context.Context) error {
	var version int
	var fsync, commit string
	err := e.writer.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('synchronous_commit')`).
		Scan(&version, &fsync, &commit)
	switch {
	case err != nil:
		return e.describe(err)
	case version < oldestServer:
		return tallystick.Errorf(tallystick.Invalid, "the server of the journal is PostgreSQL %d", version/10000).
			WithHint("PostgreSQL %d or newer is needed", oldestServer/10000)
	case fsync != "on" || commit == "off":
		return tallystick.Errorf(tallystick.Invalid, "the server of the journal runs with fsync %s and synchronous_commit %s: it would lose acknowledged batches", fsync, commit).
			WithHint("set both to on")
	}
	if err := e.lock(ctx); err != nil {
		return err
	}
	return e.describe(e.makeTables(ctx))
}

// lock takes the name of the journal. It tries for a while: the server may not have noticed yet that the
// process that had it is gone.
func (e *postgresEngine) lock(ctx context.Context) error {
	for range lockTries {
		var alone bool
		if err := e.writer.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", int32(lockSpace), e.options.Name).Scan(&alone); err != nil || alone {
			return e.describe(err)
		}
		time.Sleep(lockPause)
	}
	return tallystick.Errorf(tallystick.Unavailable, "the journal %q on %s is in use by another process", e.options.Name, e.name()).
		WithHint("let it finish or stop it, or give each server's journal a name of its own")
}

// makeTables makes the tables if there are none. Of several journals that are made at once, one does so.
func (e *postgresEngine) makeTables(ctx context.Context) error {
	return pgx.BeginFunc(ctx, e.writer, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, 0)", int32(lockSpace)); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass('journal.receipts') IS NOT NULL").Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, postgresSchema)
		return err
	})
}

func (e *postgresEngine) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, e.config.Copy())
	if err != nil {
		return nil, e.describe(err)
	}
	var commit string
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&commit); err != nil {
		return nil, errors.Join(e.describe(err), conn.Close(ctx))
	}
	if commit != "remote_apply" && commit != "off" { // promises more than on; off is refused
		commit = "on"
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("SET synchronous_commit = %s; SET statement_timeout = %d; SET client_min_messages = warning", commit, statementTime.Milliseconds()))
	if err != nil {
		return nil, errors.Join(e.describe(err), conn.Close(ctx))
	}
	return conn, nil
}

// name says where the server is, without the password.
func (e *postgresEngine) name() string {
	return (&url.URL{Scheme: "postgres", Host: e.config.Host, Path: e.config.Database}).String()
}

// read runs fn on the connection for reading, which is made anew when it was lost.
func (e *postgresEngine) read(ctx context.Context, fn func(*pgx.Conn) error) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reader == nil || e.reader.IsClosed() {
		if e.reader, err = e.connect(ctx); err != nil {
			e.reader = nil
			return err
		}
	}
	return e.describe(fn(e.reader))
}

func (e *postgresEngine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, conn := range []*pgx.Conn{e.reader, e.writer} {
		if conn != nil && !conn.IsClosed() {
			errs = append(errs, conn.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

func (e *postgresEngine) shards(ctx context.Context) (found []Shard, err error) {
	err = e.read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT shard FROM journal.stores WHERE journal = $1 AND NOT aside ORDER BY shard", e.options.Name)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Shard, err error) {
			var text string
			if err := row.Scan(&text); err != nil {
				return s, err
			}
			return s, s.UnmarshalText([]byte(text))
		})
		return err
	})
	return found, err
}

func (e *postgresEngine) open(ctx context.Context, name Shard) (store, error) {
	var there bool
	err := e.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM journal.stores WHERE shard = $1 AND journal = $2 AND NOT aside)", name.String(), e.options.Name).Scan(&there)
	})
	if err != nil || !there {
		return nil, err
	}
	return &postgresStore{e, name.String()}, nil
}

func (e *postgresEngine) create(ctx context.Context, name Shard, start Start, blocks iter.Seq2[Block, error]) error {
	tx, err := e.writer.Begin(ctx)
	if err != nil {
		return e.describe(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit there is nothing to roll back
	_, err = tx.Exec(ctx, "INSERT INTO journal.stores (shard, journal, sequence, hash, trimmed, sum, aside) VALUES ($1, $2, $3, $4, $5, $6, false)",
		name.String(), e.options.Name, int64(start.Sequence), start.Hash[:], int64(start.Trimmed), start.sum())
	if err != nil {
		return e.describe(err)
	}
	for _, entries := range start.Receipts {
		if len(entries) < entrySize {
			continue
		}
		_, err := tx.Exec(ctx, "INSERT INTO journal.receipts (shard, last, entries) VALUES ($1, $2, $3)", name.String(), int64(receiptsEnd(entries)), entries)
		if err != nil {
			return e.describe(err)
		}
	}
	for b, err := range blocks {
		if err == nil {
			_, err = tx.Exec(ctx, insertBlocks, name.String(), []int64{int64(b.First)}, []int64{int64(b.Last)}, [][]byte{b.Hash[:]}, [][]byte{b.Frames})
		}
		if err != nil {
			return e.describe(err)
		}
	}
	return e.describe(tx.Commit(ctx))
}

func (e *postgresEngine) aside(name Shard) string {
	return fmt.Sprintf("%s, journal.blocks, shard %s", e.name(), name)
}

func (e *postgresEngine) putAside(ctx context.Context, name Shard) error {
	_, err := e.writer.Exec(ctx, "UPDATE journal.stores SET aside = true WHERE shard = $1", name.String())
	return e.describe(err)
}

// salvage reads row by row, and leaves out those that the server cannot read.
func (e *postgresEngine) salvage(ctx context.Context, name Shard) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		next := int64(-1)
		for {
			var frames []byte
			err := e.read(ctx, func(conn *pgx.Conn) error {
				return conn.QueryRow(ctx, "SELECT min(first) FROM journal.blocks WHERE shard = $1 AND first > $2 HAVING min(first) IS NOT NULL", name.String(), next).Scan(&next)
			})
			if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errDamaged) {
				return
			}
			if err == nil {
				err = e.read(ctx, func(conn *pgx.Conn) error {
					return conn.QueryRow(ctx, "SELECT frames FROM journal.blocks WHERE shard = $1 AND first = $2", name.String(), next).Scan(&frames)
				})
			}
			if errors.Is(err, errDamaged) {
				continue
			}
			if !yield(frames, err) || err != nil {
				return
			}
		}
	}
}

// describe tells what is wrong with the data from what is wrong with the server, and never repeats the
// password.
func (e *postgresEngine) describe(err error) error {
	var known *tallystick.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errDamaged) {
		return err
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		switch {
		case strings.HasPrefix(answer.Code, "XX"):
			return fmt.Errorf("%w: %w", errDamaged, err)
		case strings.HasPrefix(answer.Code, "53"):
			return tallystick.Errorf(tallystick.Unavailable, "the journal's database %s lacks room: %w", e.name(), err).
				WithHint("free space, memory or connections on the server and start again; what was acknowledged is kept")
		}
		return fmt.Errorf("the journal's database %s: %w", e.name(), err)
	}
	return tallystick.Errorf(tallystick.Unavailable, "the journal's database %s cannot be reached: %w", e.name(), err).
		WithHint("check that the server runs and start again; what was acknowledged is kept")
}
