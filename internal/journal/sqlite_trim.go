package journal

import (
	"context"
	"database/sql"
	"fmt"
)

func (s *sqliteStore) Trim(ctx context.Context, t Trim) (trimmed uint64, freed int64, err error) {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, describe(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	oldest, err := oldestBlocks(ctx, tx, t.To)
	if err != nil {
		return 0, 0, describe(err)
	}
	for _, st := range oldest.remove(t) {
		if _, err := tx.ExecContext(ctx, st.query, st.args...); err != nil {
			return 0, 0, describe(err)
		}
	}
	s.wal.used += oldest.size / 8 // the pages of lists that were changed
	if err := tx.Commit(); err != nil {
		return 0, 0, describe(err)
	}
	if err := s.wal.sync(); err != nil {
		return 0, 0, err
	}
	return oldest.start(t).Trimmed, oldest.size, s.shrink(ctx, oldest.size)
}

// shrink gives back the memory of pages that nobody uses, once enough went through it. All SQLite files of a process share
// one bound, which is a number of pages: where this one and one of smaller pages are busy at once, more and more of the
// pages become large ones, and what cache_size says holds for neither.
func (s *sqliteStore) shrink(ctx context.Context, more int64) error {
	if s.through.Add(more) < shrinkBytes {
		return nil
	}
	s.through.Store(0)
	_, err := s.writer.ExecContext(ctx, "PRAGMA shrink_memory")
	return describe(err)
}

// Scrub writes the file anew, empties the log into it, and cuts both off. What waits is held in memory meanwhile
// (temp_store), not beside the file.
func (s *sqliteStore) Scrub(ctx context.Context) error {
	if _, err := s.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return describe(err)
	}
	var busy, pages, copied int
	if err := s.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if busy != 0 {
		s.wal.used = int64(pages-copied) * (pageSize + walFrame)
		return errInUse
	}
	s.wal.size, s.wal.used = 0, 0
	return s.wal.sync()
}

func oldestBlocks(ctx context.Context, tx *sql.Tx, to uint64) (s stretch, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT sequence, hash FROM start WHERE id = 1").Scan(&s.after, &s.hash); err != nil {
		return s, err
	}
	s.last = s.after
	rows, err := tx.QueryContext(ctx, "SELECT last, hash, length(frames) FROM blocks WHERE first <= ? ORDER BY first LIMIT ?", int64(to), trimBlocks)
	if err != nil {
		return s, err
	}
	defer rows.Close() //nolint:errcheck // Err says it
	for rows.Next() {
		var last, size int64
		var hash []byte
		if err := rows.Scan(&last, &hash, &size); err != nil {
			return s, err
		}
		s.take(last, hash, size, to)
	}
	return s, rows.Err()
}

// remove returns the statements that remove the stretch and keep what t asks for.
func (s stretch) remove(t Trim) []statement {
	start := s.start(t)
	statements := []statement{{"UPDATE start SET sequence = ?, hash = ?, trimmed = ?, sum = ? WHERE id = 1",
		[]any{int64(start.Sequence), start.Hash[:], int64(start.Trimmed), start.sum()}}}
	if s.last == s.after {
		return statements
	}
	statements = append(statements,
		statement{"DELETE FROM blocks WHERE first <= ?", []any{s.last}},
		statement{"DELETE FROM receipts WHERE last < ?", []any{int64(t.Forget)}})
	if entries := t.Receipts(uint64(s.after), uint64(s.last)); len(entries) > 0 {
		statements = append(statements, statement{"INSERT INTO receipts (last, entries) VALUES (?, ?)", []any{s.last, entries}})
	}
	return statements
}
