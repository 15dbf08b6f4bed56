package state

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
)

// maxFaults bounds how many faults Check names.
const maxFaults = 20

// ErrDamaged is in the chain of errors that say that the database is not what was written.
var ErrDamaged = errors.New("the database is damaged")

type damage struct{ error }

func (d damage) Unwrap() error      { return d.error }
func (damage) Is(target error) bool { return target == ErrDamaged }

// Check reads the whole database and returns an error that names the first faults in its structure:
// damaged pages and indexes that disagree with their table (as far as the kind of database lets us
// see them), rows that break a constraint or refer to nothing, rules that somebody has switched off.
// It cannot see a changed value that breaks no rule.
func (db *DB) Check(ctx context.Context) error {
	var faults []string
	err := db.Read(ctx, func(tx *Tx) (err error) {
		faults, err = db.dialect.check(tx, maxFaults)
		return err
	})
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if len(faults) > 0 {
		return tallystick.Errorf(tallystick.Unavailable, "state database %q is damaged: %s", db.name, strings.Join(faults, "; ")).
			WithHint("keep a copy of it and restore from a backup")
	}
	return nil
}

// Backup writes a consistent copy of an SQLite database to path, which must not exist, and returns
// when it is durable. Writes go on meanwhile; those acknowledged before the call are in the copy. The
// copy is a database file by itself, with mode 0600 and without what was deleted. A PostgreSQL
// database is copied with its own tools; here the call is Invalid and says which.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := db.dialect.backup(ctx, path); err != nil {
		return fmt.Errorf("back up state to %q: %w", path, db.dialect.describe(err))
	}
	return nil
}
