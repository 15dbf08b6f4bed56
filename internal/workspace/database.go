package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// onServer is what workspace.json says of a workspace that has its state on a PostgreSQL server.
const onServer = "postgres"

// openState opens the database: the file among the others, or the one on a server. A workspace begins
// with one of the two and stays there, so that it never has two trails.
func (w *Workspace) openState(ctx context.Context) (*state.DB, error) {
	switch {
	case w.cfg.Database != "" && w.about.Database != onServer:
		return nil, tallystick.Errorf(tallystick.Conflict, "the workspace %q keeps its state in its own file, %s", w.cfg.Dir, stateFile).
			WithHint("leave out the database, or use another directory with --workspace DIR")
	case w.cfg.Database == "" && w.about.Database == onServer:
		return nil, tallystick.Errorf(tallystick.Invalid, "the workspace %q keeps its state on a PostgreSQL server", w.cfg.Dir).
			WithHint("name the database, postgres://...")
	}
	return state.Open(ctx, state.Config{Path: w.path(stateFile), URL: w.cfg.Database, Logger: w.cfg.Logger, Now: w.cfg.Now})
}

// stateName says in a check where the state lies.
func (w *Workspace) stateName() string {
	if w.cfg.Database == "" {
		return stateFile
	}
	return w.DB.Name()
}

// checkTrail refuses a database on a server that is not this workspace's: one that another workspace
// writes to, or an empty one in place of what the ledger has sealed.
func (w *Workspace) checkTrail(tx *state.Tx) error {
	if w.cfg.Database == "" {
		return nil
	}
	var leaf []byte
	err := tx.QueryRow("SELECT leaf FROM events ORDER BY sequence LIMIT 1").Scan(&leaf)
	if errors.Is(err, sql.ErrNoRows) {
		if exists(w.path(ledgerDir)) {
			return tallystick.Errorf(tallystick.Conflict, "the database is empty, but the workspace %q has a ledger", w.cfg.Dir).
				WithHint("name the database with which the workspace was made")
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the first event: %w", err)
	}
	first, err := verify.DecodeEvent(leaf)
	if err != nil {
		return tallystick.Errorf(tallystick.Invalid, "the first event is damaged: %w", err)
	}
	if first.Source != w.about.Origin {
		return tallystick.Errorf(tallystick.Conflict, "the database holds the trail of another workspace, %s", first.Source).
			WithHint("name the database with which the workspace %q was made, or an empty one for a new workspace", w.cfg.Dir)
	}
	return nil
}

// refuseBackup says how a workspace with its state on a server is backed up.
func (w *Workspace) refuseBackup() error {
	if w.cfg.Database == "" {
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "the state of the workspace %q is on a PostgreSQL server, which this command does not copy", w.cfg.Dir).
		WithHint("stop the server, run pg_dump --format=custom, and copy %s, %s, %s and %s of the workspace and the anchor", aboutFile, keysDir, ledgerDir, evidenceDir)
}
