package state

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/tallystick/tallystick"
)

// migrations holds one folder per dialect, files numbered in the order in which they are applied.
// A file that has been released never changes.
//
//go:embed migrations
var migrations embed.FS

// migrate applies the migrations of a folder that the database lacks, each in its own transaction. The
// caller sees to it that nobody else does at the same time.
func migrate(ctx context.Context, db *sql.DB, kind goose.Dialect, name string, logger *slog.Logger) error {
	folder, err := fs.Sub(migrations, "migrations/"+name)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(kind, db, folder,
		goose.WithTableName("migrations"),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(logger))
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
	pending, err := provider.HasPending(ctx) // an error if there is a gap below the newest
	if err != nil {
		return tallystick.Errorf(tallystick.Conflict, "the database has schema %d, but not whole: %w", current, err).
			WithHint("restore a backup; no release of Tallystick writes such a database")
	}
	if !pending {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from schema %d: %w", current, err)
	}
	return nil
}
