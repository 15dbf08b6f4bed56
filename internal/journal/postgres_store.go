package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresStore is the rows of one shard.
type postgresStore struct {
	engine *postgresEngine
	shard  string
}

// insertBlocks is one statement however many blocks there are, and so one transaction and one round trip.
const insertBlocks = `INSERT INTO journal.blocks (shard, first, last, hash, frames)
	SELECT $1, first, last, hash, frames FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]) AS b (first, last, hash, frames)`

func (s *postgresStore) ready(context.Context) error { return nil }
func (s *postgresStore) check(context.Context) error { return nil }
func (s *postgresStore) close() error                { return nil }

// Append waits a bounded time for a server that does not answer. A warning says that the server has not
// waited for its standby, as it should have.
func (s *postgresStore) Append(ctx context.Context, blocks []Block) (durable bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	first, last := make([]int64, len(blocks)), make([]int64, len(blocks))
	hash, frames := make([][]byte, len(blocks)), make([][]byte, len(blocks))
	for i, b := range blocks {
		first[i], last[i], hash[i], frames[i] = int64(b.First), int64(b.Last), b.Hash[:], b.Frames
	}
	s.engine.warning = nil
	tag, err := s.engine.writer.Exec(ctx, insertBlocks, s.shard, first, last, hash, frames)
	switch {
	case err != nil:
		return false, s.engine.describe(err)
	case tag.RowsAffected() != int64(len(blocks)):
		return false, fmt.Errorf("%d of %d blocks were inserted", tag.RowsAffected(), len(blocks))
	case s.engine.warning != nil:
		return false, s.engine.describe((*pgconn.PgError)(s.engine.warning))
	}
	return true, nil
}

// Sync has nothing to do: a commit is durable.
func (s *postgresStore) Sync() error { return nil }

func (s *postgresStore) Read(ctx context.Context, from uint64) (b Block, err error) {
	var first, last int64
	var hash []byte
	err = s.engine.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT first, last, hash, frames FROM journal.blocks WHERE shard = $1
			AND first >= COALESCE((SELECT max(first) FROM journal.blocks WHERE shard = $1 AND first <= $2), 0) AND last >= $2
			ORDER BY first LIMIT 1`, s.shard, int64(from)).Scan(&first, &last, &hash, &b.Frames)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Block{}, nil
	}
	if err == nil && len(hash) != len(b.Hash) {
		err = fmt.Errorf("%w: the block of sequence %d has a hash of %d bytes", errDamaged, first, len(hash))
	}
	if err != nil {
		return Block{}, err
	}
	b.First, b.Last, b.Hash = uint64(first), uint64(last), Hash(hash)
	return b, nil
}

func (s *postgresStore) Start(ctx context.Context) (start Start, err error) {
	err = s.engine.read(ctx, func(conn *pgx.Conn) error {
		var sequence, trimmed, sum int64
		var hash []byte
		err := conn.QueryRow(ctx, "SELECT sequence, hash, trimmed, sum FROM journal.stores WHERE shard = $1", s.shard).Scan(&sequence, &hash, &trimmed, &sum)
		if err == nil || errors.Is(err, pgx.ErrNoRows) {
			start, err = newStart(sequence, trimmed, sum, hash)
		}
		if err != nil {
			return err
		}
		rows, err := conn.Query(ctx, "SELECT entries FROM journal.receipts WHERE shard = $1 ORDER BY last", s.shard)
		if err != nil {
			return err
		}
		start.Receipts, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return start, err
}

// Scrub has the server write the table anew and remove the old file. Its own log of changes, and copies of that, are
// the business of whoever runs it.
func (s *postgresStore) Scrub(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.engine.writer.Exec(ctx, "VACUUM (FULL) journal.blocks")
	return s.engine.describe(err)
}

func (s *postgresStore) Trim(ctx context.Context, t Trim) (trimmed uint64, freed int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tx, err := s.engine.writer.Begin(ctx)
	if err != nil {
		return 0, 0, s.engine.describe(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit there is nothing to roll back
	var oldest stretch
	if err := tx.QueryRow(ctx, "SELECT sequence, hash FROM journal.stores WHERE shard = $1", s.shard).Scan(&oldest.after, &oldest.hash); err != nil {
		return 0, 0, s.engine.describe(err)
	}
	oldest.last = oldest.after
	rows, err := tx.Query(ctx, "SELECT last, hash, octet_length(frames) FROM journal.blocks WHERE shard = $1 AND first <= $2 ORDER BY first LIMIT $3",
		s.shard, int64(t.To), trimBlocks)
	if err != nil {
		return 0, 0, s.engine.describe(err)
	}
	var last, size int64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&last, &hash, &size}, func() error {
		oldest.take(last, append([]byte(nil), hash...), size, t.To)
		return nil
	})
	if err != nil {
		return 0, 0, s.engine.describe(err)
	}
	start := oldest.start(t)
	statements := []statement{{"UPDATE journal.stores SET sequence = $2, hash = $3, trimmed = $4, sum = $5 WHERE shard = $1",
		[]any{s.shard, int64(start.Sequence), start.Hash[:], int64(start.Trimmed), start.sum()}}}
	if oldest.last > oldest.after {
		statements = append(statements,
			statement{"DELETE FROM journal.blocks WHERE shard = $1 AND first <= $2", []any{s.shard, oldest.last}},
			statement{"DELETE FROM journal.receipts WHERE shard = $1 AND last < $2", []any{s.shard, int64(t.Forget)}})
		if entries := t.Receipts(uint64(oldest.after), uint64(oldest.last)); len(entries) > 0 {
			statements = append(statements, statement{"INSERT INTO journal.receipts (shard, last, entries) VALUES ($1, $2, $3)", []any{s.shard, oldest.last, entries}})
		}
	}
	for _, st := range statements {
		if _, err := tx.Exec(ctx, st.query, st.args...); err != nil {
			return 0, 0, s.engine.describe(err)
		}
	}
	return start.Trimmed, oldest.size, s.engine.describe(tx.Commit(ctx))
}
