package cli

import (
	"context"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"runtime"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// userDir returns a directory of the XDG base directory specification, or its like on other systems.
func userDir(variable, fallback string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tallystick"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "the home directory is not known: %w", err).WithHint("set HOME, or %s", variable)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "tallystick", filepath.Base(fallback)), nil
	}
	return filepath.Join(home, fallback, "tallystick"), nil
}

// place returns where the workspace and its anchor lie and who is acting.
func (a *app) place(mustExist bool) (workspace.Config, error) {
	dir := a.workspace
	if dir == "" {
		dir = os.Getenv("TALLYSTICK_WORKSPACE")
	}
	if dir == "" {
		var err error
		if dir, err = userDir("XDG_DATA_HOME", ".local/share"); err != nil {
			return workspace.Config{}, err
		}
	}
	state, err := userDir("XDG_STATE_HOME", ".local/state")
	if err != nil {
		return workspace.Config{}, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return workspace.Config{}, tallystick.Errorf(tallystick.Invalid, "--workspace: %w", err)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return workspace.Config{}, tallystick.Errorf(tallystick.Invalid, "workspace %s is a file", dir).WithHint("name a directory with --workspace DIR")
	}
	database := a.database
	if database == "" {
		database = os.Getenv("TALLYSTICK_DATABASE")
	}
	return workspace.Config{
		Database: database,
		Dir:      dir, Anchors: filepath.Join(state, "anchors"), Actor: actor(), MustExist: mustExist, Logger: a.logger(),
	}, nil
}

// open opens the workspace. Asking questions must not make one.
func (a *app) open(ctx context.Context, mustExist bool) (*workspace.Workspace, error) {
	cfg, err := a.place(mustExist)
	if err != nil {
		return nil, err
	}
	return workspace.Open(ctx, cfg)
}

// actor is the user of this machine: a claim of the local system, not a proven identity.
func actor() trail.Actor {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return trail.Actor{ID: u.Username, Kind: "person"}
	}
	return trail.Actor{ID: "unknown", Kind: "person"}
}

// logger writes to standard error what TALLYSTICK_LOG asks for (debug, info, warn or error), that of
// the libraries too. By default that is nothing: what is wrong is said once, by the error.
func (a *app) logger() *slog.Logger {
	logger := slog.New(slog.DiscardHandler)
	var level slog.Level
	if level.UnmarshalText([]byte(os.Getenv("TALLYSTICK_LOG"))) == nil {
		logger = slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: level}))
	}
	slog.SetDefault(logger)
	ledger.RouteLogs(logger)
	return logger
}
