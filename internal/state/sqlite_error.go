package state

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tallystick/tallystick"
)

// resultCode returns SQLite's primary result code for err, or 0 if err is not from SQLite.
func resultCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// fatal names the errors of the disk: the system may have dropped the pages that it could not write,
// and a second sync would then succeed without them.
func (*sqliteDB) fatal(err error) bool {
	switch resultCode(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

func (d *sqliteDB) describe(err error) error {
	path := d.config.Path
	var known *tallystick.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch resultCode(err) {
	case sqlite3.SQLITE_FULL:
		return tallystick.Errorf(tallystick.Unavailable, "state database %q: the disk is full: %w", path, err).
			WithHint("free space and start again; what was acknowledged is kept")
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return tallystick.Errorf(tallystick.Unavailable, "state database %q: the disk reported an error: %w", path, err).
			WithHint("check the disk, and whether it is full, and start again; what was acknowledged is kept")
	case sqlite3.SQLITE_READONLY:
		return tallystick.Errorf(tallystick.Unavailable, "state database %q cannot be written: %w", path, err).
			WithHint("check that the file is still in its place, its owner and its mode, and start again")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return tallystick.Errorf(tallystick.Unavailable, "state database %q is damaged: %w", path, damage{err}).
			WithHint("keep a copy of it, run `tallystick fsck`, and restore from a backup")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return tallystick.Errorf(tallystick.Unavailable, "state database %q is in use by another process: %w", path, err).
			WithHint("try again; if it lasts, look for a Tallystick that hangs")
	}
	return err
}
