package state

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/tallystick/tallystick"
)

// migrations holds one folder per dialect, files numbered in the order in which they are applied.
// A file that has been released never changes.
//
//go:embed migrations
var migrations embed.FS

// migrate applies the migrations that the database lacks, each in its own transaction.
func migrate(ctx context.Context, db *sql.DB, config Config) error {
	folder, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder,
		goose.WithTableName("migrations"),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(config.Logger))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if current > newest {
		return tallystick.Errorf(tallystick.Conflict, "the database has schema %d and this program knows %d", current, newest).
			WithHint("use the newer Tallystick that wrote it")
	}
	if current == newest {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from schema %d: %w", current, err)
	}
	return nil
}
