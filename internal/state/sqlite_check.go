package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

func (*sqliteDB) check(tx *Tx, limit int) (faults []string, err error) {
	rows, err := tx.Query(fmt.Sprintf("PRAGMA integrity_check(%d)", limit))
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line != "ok" {
			faults = append(faults, line)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if rows, err = tx.Query("PRAGMA foreign_key_check"); err != nil {
		return nil, err
	}
	for len(faults) < limit && rows.Next() {
		var table, parent string
		var rowid, key sql.NullInt64
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return nil, err
		}
		faults = append(faults, fmt.Sprintf("%s row %d refers to nothing in %s", table, rowid.Int64, parent))
	}
	return faults, errors.Join(rows.Err(), rows.Close())
}

func (d *sqliteDB) backup(ctx context.Context, path string) (err error) {
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

	source, err := openHandle(d.config, writer) // VACUUM INTO writes, though not to its source
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
