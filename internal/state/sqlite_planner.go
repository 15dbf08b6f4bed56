package state

import (
	"context"
	"database/sql"
	"fmt"
)

// instructions say to how many events each index of event_columns leads where there are five million: in all, and
// with the same first column, the same first two, and so on (https://www.sqlite.org/fileformat2.html#stat1tab).
// Without them SQLite takes one equality for as good as another, and has asked for one person's act of one kind on
// one model by the index of all acts of the kind. ANALYZE would find such numbers, but read every index for it, give
// plans that change from one installation to the next, and count refusals, of which few kinds have nearly all, as if they were
// spread evenly. PostgreSQL counts for itself.
//
// An index that is made anew loses its numbers: it gets them at the next start.
const instructions = `
WITH known (tbl, idx, stat) AS (VALUES
	('event_columns', 'sqlite_autoindex_event_columns_1', '5000000 1'),
	('event_columns', 'event_columns_by_type',     '5000000 200000 1 1'),
	('event_columns', 'event_columns_by_time',     '5000000 10 1'),
	('event_columns', 'event_columns_late',        '50000 10'),
	('event_columns', 'event_columns_by_resource', '5000000 50 50 1'),
	('event_columns', 'event_columns_by_kind',     '5000000 250000 1'),
	('event_columns', 'event_columns_by_model',    '4500000 450 1'),
	('event_columns', 'event_columns_by_actor',    '5000000 25000 1'),
	('event_columns', 'event_columns_by_outcome',  '50000 25000 1'),
	('event_columns', 'event_columns_by_touch',    '4500000 450 100 1'),
	('event_columns', 'event_columns_by_hand',     '4500000 22500 3 1'),
	('event_columns', 'event_columns_by_habit',    '5000000 25000 2500 1'),
	('event_columns', 'event_columns_refused',     '50000 50 40 1'),
	('event_columns', 'event_columns_by_ending',   '5000000 200000 20000 1'),
	('event_columns', 'event_columns_refused_to',  '50000 250 200 1'))
INSERT INTO sqlite_stat1 (tbl, idx, stat) SELECT tbl, idx, stat FROM known k
	WHERE NOT EXISTS (SELECT 1 FROM sqlite_stat1 s WHERE s.idx = k.idx)`

// instructPlanner gives the planner its instructions about indexes of which it knows nothing: whoever has run ANALYZE has
// others. They count for the connections that are opened later.
func instructPlanner(ctx context.Context, handle *sql.DB) error {
	tx, err := handle.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // unless it was committed
	var lacks bool
	err = tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1')").Scan(&lacks)
	if err == nil && lacks {
		_, err = tx.ExecContext(ctx, "ANALYZE sqlite_schema") // makes the table, and looks at nothing
	}
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema i WHERE i.type = 'index' AND i.tbl_name = 'event_columns'
			AND NOT EXISTS (SELECT 1 FROM sqlite_stat1 s WHERE s.idx = i.name))`).Scan(&lacks)
	}
	if err == nil && lacks {
		if _, err = tx.ExecContext(ctx, instructions); err == nil {
			err = tx.Commit()
		}
	}
	if err != nil {
		return fmt.Errorf("instruct the planner: %w", err)
	}
	return nil
}
