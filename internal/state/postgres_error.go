package state

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick"
)

var errColumns = errors.New("the query has another number of columns")

// errUnreachable is in the chain of errors of a server that cannot be reached, for now.
var errUnreachable = errors.New("no connection")

type unreachable struct{ error }

func (u unreachable) Unwrap() error      { return u.error }
func (unreachable) Is(target error) bool { return target == errUnreachable }

// fatal is never true: the disk is the server's, which stops itself when a sync has failed, and takes up
// its work only from what was written.
func (*postgresDB) fatal(error) bool { return false }

func (d *postgresDB) describe(err error) error {
	var known *tallystick.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	unavailable := func(what, hint string) error {
		return tallystick.Errorf(tallystick.Unavailable, "state database %q %s: %w", d.name, what, err).WithHint("%s", hint)
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var connecting *pgconn.ConnectError
		if errors.As(err, &connecting) || isLost(err) {
			err = unreachable{err}
			return unavailable("cannot be reached", "check that the server runs and the URL is right; what was acknowledged is kept")
		}
		return err
	}
	switch {
	case e.Code == "55P03": // lock_not_available
		return unavailable("is in use by another process", "try again; if it lasts, look for a Tallystick that hangs")
	case strings.HasPrefix(e.Code, "01"): // a warning, of a commit that the standby has not confirmed
		return unavailable("has not heard of a commit from its standby", "check the standby; the commit is on the primary")
	case e.Code == "25006": // read_only_sql_transaction
		return unavailable("cannot be written", "is the server a replica? name the primary, or all servers, in the URL")
	case e.Code == "3D000": // invalid_catalog_name
		return tallystick.Errorf(tallystick.Invalid, "there is no such database: %w", err).
			WithHint("CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0")
	case e.Code == "42501": // insufficient_privilege
		return tallystick.Errorf(tallystick.Invalid, "the user may not do that: %w", err).WithHint("make the user the owner of the database")
	case strings.HasPrefix(e.Code, "28"): // invalid authorization
		return tallystick.Errorf(tallystick.Invalid, "the server refuses the user: %w", err).
			WithHint("check user and password (PGPASSWORD, ~/.pgpass)")
	case strings.HasPrefix(e.Code, "53"): // insufficient resources: disk full, out of memory, too many connections
		return unavailable("lacks room", "free space, memory or connections on the server; what was acknowledged is kept")
	case e.Code == "XX001" || e.Code == "XX002": // data_corrupted, index_corrupted
		return tallystick.Errorf(tallystick.Unavailable, "state database %q is damaged: %w", d.name, damage{err}).
			WithHint("keep a copy of it, run `tallystick fsck`, and restore from a backup")
	case strings.HasPrefix(e.Code, "57P") || strings.HasPrefix(e.Code, "08") || e.Code == "25P03" || e.Code == "58030" || e.Severity == "PANIC":
		err = unreachable{err}
		return unavailable("cannot be reached", "check that the server runs; what was acknowledged is kept")
	}
	return err
}

// isLost reports whether err is of a connection that ended, or could not be made.
func isLost(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var timeout interface{ Timeout() bool }
	return pgconn.SafeToRetry(err) || errors.As(err, &timeout) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "EOF")
}
