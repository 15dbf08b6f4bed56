// Package state keeps Tallystick's database: connections, migrations and group commit. The database
// is SQLite, a file, or PostgreSQL, a server that several Tallysticks may share. This package is the
// only one that knows which; the packages above write their own SQL over Tx, under the rules below.
//
// # What an acknowledgement means
//
// Write returns nil only after the transaction that carries the change is durable: in SQLite written
// to the write-ahead log and synced (WAL, synchronous=FULL), in PostgreSQL committed with
// synchronous_commit on. A process that is killed, or a machine that loses power, after that moment
// has the change when it starts again.
//
// # Several processes
//
// Each write transaction takes the right to write when it begins (BEGIN IMMEDIATE in SQLite, an
// advisory lock in PostgreSQL), so that it never fails half way because another process wrote first,
// and what it reads is what it changes. A process that cannot have the right within
// Config.BusyTimeout answers Unavailable. Readers block nobody. An SQLite file must lie on a local
// disk: its shared memory does not work over NFS.
//
// # SQL for both databases
//
// Statements are run as they stand in both databases, but for the placeholder. The rules:
//
//   - A placeholder is "?". Its type is that of the column it meets; where it meets none, as in a list of
//     results, write CAST(? AS BIGINT) or CAST(? AS TEXT). A string goes into TEXT only, a number into
//     BIGINT only. A bool becomes 0 or 1.
//   - Upsert with INSERT ... ON CONFLICT (key) DO NOTHING, or DO UPDATE SET x = excluded.x; never INSERT OR
//     REPLACE. After INSERT ... SELECT, write WHERE true before ON CONFLICT. RETURNING works, through
//     Tx.Query or QueryRow.
//   - A statement that fails, fails the member: its function must return, and whatever it returns then,
//     Write returns an error. So do not try an INSERT to see whether it succeeds; look first, or use ON
//     CONFLICT and RowsAffected.
//   - No json functions, no dates (times are milliseconds, from Tx.Now), no GLOB, no rowid, no scalar max(a, b)
//     or min(a, b) (write CASE), no IS between values (write IS NOT DISTINCT FROM), no instr. LIKE differs in
//     case: write lower(column) LIKE ? ESCAPE '\' and lower the argument.
//   - Scan EXISTS and comparisons into a bool, count into a number. A sum over BIGINT may be scanned into a
//     number; an avg may not: divide.
//   - ORDER BY a column that can be null says NULLS FIRST or NULLS LAST. Without ORDER BY there is no order.
//     Text sorts by its bytes.
//   - A subquery in FROM has a name. GROUP BY names every column that is not aggregated.
//   - A recursive query begins with rows of a table, not with a placeholder:
//     WITH RECURSIVE up (id) AS (SELECT source FROM edges WHERE target = ? UNION SELECT ...).
//   - Text in an index or a key is at most 1,024 bytes long; whoever accepts it from outside checks that.
//     No text holds U+0000 or bytes that are not UTF-8: both databases refuse it as Invalid.
//   - While rows are being read, another statement may run; in PostgreSQL the rest of the rows is then read into
//     memory, so a large result is read by itself.
//
// # Migrations
//
// A migration is two files of one name, in migrations/sqlite and migrations/postgres, and one logical
// schema: a test builds both and compares columns, keys, checks, indexes and triggers. What is a line
// in one is the same line in the other, but for:
//
//	SQLite                              PostgreSQL
//	TEXT                                TEXT COLLATE "C"
//	INTEGER                             BIGINT
//	INTEGER CHECK (x IN (0, 1))         BIGINT CHECK (x IN (0, 1))
//	REAL                                DOUBLE PRECISION
//	BLOB                                BYTEA
//	) STRICT;                           );
//	) STRICT, WITHOUT ROWID;            );
//	CREATE TRIGGER n BEFORE UPDATE ON t CREATE TRIGGER n BEFORE UPDATE ON t
//	BEGIN                               FOR EACH ROW EXECUTE FUNCTION refuse('words');
//	  SELECT raise(ABORT, 'words');
//	END;
//	BEFORE UPDATE OF a, b               the same
//	WHEN condition BEGIN                FOR EACH ROW WHEN (condition) EXECUTE
//	BEFORE DELETE, named n              the same, and n_all BEFORE TRUNCATE FOR EACH STATEMENT
//
// The function refuse is there from the first migration. Every SQLite table is STRICT. There are no
// boolean, enumerated, serial or json columns and no column makes its own value: a row is named by
// text (a name, a digest, tallystick.NewID) or by the sequence of its event, and DEFAULT is a
// constant. Columns of a primary key that is text say WITHOUT ROWID or NOT NULL, because SQLite alone would
// let them be null; NOT NULL where a row can be wide, as without a rowid a look-up reads every row that it passes. In SQLite a trigger stands between "-- +goose StatementBegin" and "StatementEnd".
// An identifier is lower case, not quoted, and no word that PostgreSQL reserves (user, order, end,
// limit, offset, window, grant, check, default, references, analyze). ALTER TABLE does what both can: ADD
// COLUMN (with a constant DEFAULT if NOT NULL), RENAME, DROP COLUMN; anything more makes a new table
// and copies.
package state
