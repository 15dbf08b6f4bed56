package state

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/tallystick/tallystick/internal/durable"
)

// sqliteDB is a database file.
type sqliteDB struct{ config Config }

// openSQLite opens the database at config.Path, an absolute path, and returns it with its writer.
func openSQLite(ctx context.Context, config Config) (dialect, session, error) {
	d := &sqliteDB{config}
	dir := filepath.Dir(config.Path)
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	unlock, err := lockDir(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	if err := prepareFile(ctx, config.Path); err != nil {
		return nil, nil, d.describe(err)
	}
	handle, err := openHandle(config, writer)
	if err != nil {
		return nil, nil, err
	}
	if err := migrate(ctx, handle, goose.DialectSQLite3, "sqlite", config.Logger); err != nil {
		return nil, nil, errors.Join(d.describe(err), handle.Close())
	}
	if err := instructPlanner(ctx, handle); err != nil {
		return nil, nil, errors.Join(d.describe(err), handle.Close())
	}
	s, err := d.openWriter(ctx, handle)
	if err != nil {
		return nil, nil, errors.Join(d.describe(err), handle.Close())
	}
	return d, s, nil
}

// openWriter returns the writer's session. Its transaction creates the write-ahead log, which then
// stays as long as the session does. The log's directory entry must be durable before anything in it
// counts; SQLite syncs the directory too, but without looking at the result.
func (d *sqliteDB) openWriter(ctx context.Context, handle *sql.DB) (session, error) {
	s, err := d.newSession(ctx, handle, writer)
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.begin(ctx), s.run0(ctx, "ROLLBACK"), durable.SyncDir(filepath.Dir(d.config.Path)))
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (d *sqliteDB) connect(ctx context.Context, as role) (session, error) {
	handle, err := openHandle(d.config, as)
	if err != nil {
		return nil, err
	}
	s, err := d.newSession(ctx, handle, as)
	if err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	return s, nil
}

// listen does nothing: SQLite tells no process of another's commits.
func (*sqliteDB) listen(context.Context, func()) {}
