package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// maxFaults bounds how many faults Check names.
const maxFaults = 20

// Check reads the whole database and returns an error that names the first faults in its
// structure: damaged pages, indexes that disagree with their table, rows that break a constraint
// or refer to nothing. It cannot see a changed value that breaks no rule.
func (db *DB) Check(ctx context.Context) error {
	var faults []string
	err := db.Read(ctx, func(tx *Tx) error {
		faults = nil
		rows, err := tx.Query(fmt.Sprintf("PRAGMA integrity_check(%d)", maxFaults))
		if err != nil {
			return err
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			if line != "ok" {
				faults = append(faults, line)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if rows, err = tx.Query("PRAGMA foreign_key_check"); err != nil {
			return err
		}
		for len(faults) < maxFaults && rows.Next() {
			var table, parent string
			var rowid, key sql.NullInt64
			if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
				return err
			}
			faults = append(faults, fmt.Sprintf("%s row %d refers to nothing in %s", table, rowid.Int64, parent))
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if len(faults) > 0 {
		return tallystick.Errorf(tallystick.Unavailable, "state database %q is damaged: %s", db.config.Path, strings.Join(faults, "; ")).
			WithHint("keep a copy of it and restore from a backup")
	}
	return nil
}

// Backup writes a consistent copy of the database to path, which must not exist, and returns when
// it is durable. Writes go on meanwhile; those acknowledged before the call are in the copy. The
// copy is a database file by itself, with mode 0600 and without what was deleted.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up state to %q: %w", path, describe(db.config.Path, err))
		}
	}()
	if _, err := os.Lstat(path); err == nil {
		return tallystick.Errorf(tallystick.Conflict, "the file exists").WithHint("name another")
	}
	partial, err := os.OpenFile(path+".partial", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, partial.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(partial.Name()))
		}
	}()

	source, err := openHandle(db.config, writer) // VACUUM INTO writes, though not to its source
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", partial.Name()); err != nil {
		return err
	}
	if err := partial.Sync(); err != nil {
		return err
	}
	if err := os.Link(partial.Name(), path); err != nil { // unlike rename, refuses an existing file
		return err
	}
	if err := os.Remove(partial.Name()); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}
