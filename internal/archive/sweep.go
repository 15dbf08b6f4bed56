package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// strayAfter is how old a file must be that was never registered, to be what is left of a change that was broken off.
const strayAfter = 24 * time.Hour

// Sweep removes the files that nothing names: those that were replaced and are due, and those that are left of a change
// that was broken off before it was registered.
func (a *Archive) Sweep(ctx context.Context) error {
	if err := a.sweepLeftovers(ctx); err != nil {
		return fmt.Errorf("remove replaced files of predictions: %w", err)
	}
	old, err := a.config.Workspace.Segments.Before(a.config.Now().Add(-strayAfter))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
			named, err := known(tx, file)
			if err == nil && !named {
				err = a.config.Workspace.Segments.Remove(file)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("remove a stray file of predictions: %w", err)
		}
	}
	return nil
}

// known reports whether something names a file, or it is still to be removed.
func known(tx *state.Tx, file tallystick.Digest) (bool, error) {
	var n int
	err := tx.QueryRow("SELECT (SELECT count(*) FROM prediction_segments WHERE file_digest = ?) + (SELECT count(*) FROM prediction_leftovers WHERE file_digest = ?)",
		string(file), string(file)).Scan(&n)
	return n > 0, err
}

// sweepLeftovers removes the files that were replaced and are due.
func (a *Archive) sweepLeftovers(ctx context.Context) error {
	var due []tallystick.Digest
	err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
		due, err = state.Collect(tx, func(s state.Scanner) (tallystick.Digest, error) {
			var digest string
			err := s.Scan(&digest)
			return tallystick.Digest(digest), err
		}, "SELECT file_digest FROM prediction_leftovers WHERE due_ms <= ? ORDER BY file_digest", a.config.Now().UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	for _, file := range due {
		// The file is removed before its row, so that whatever breaks off here is done again.
		err := a.config.Workspace.DB.Write(ctx, func(tx *state.Tx) error {
			var names int
			if err := tx.QueryRow("SELECT count(*) FROM prediction_segments WHERE file_digest = ?", string(file)).Scan(&names); err != nil || names > 0 {
				return err
			}
			if err := a.config.Workspace.Segments.Remove(file); err != nil {
				return err
			}
			a.reached("removed")
			_, err := tx.Exec("DELETE FROM prediction_leftovers WHERE file_digest = ?", string(file))
			return err
		})
		if err != nil {
			return err
		}
		a.files.forget(file)
	}
	return nil
}
