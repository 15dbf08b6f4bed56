package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// applicationID marks the file as ours: "TALY", at offset 68 of the header
// (https://www.sqlite.org/fileformat2.html#application_id).
const applicationID = 0x54414c59

const (
	checkpointPages = 2000     // write-ahead log frames (of 4 KiB) before the writer copies them into the file
	journalLimit    = 64 << 20 // bytes kept of the write-ahead log after that
	cacheKiB        = 16 << 10 // of the writer: a whole group, so that no page is written before its commit
)

// openHandle returns a handle whose connections all have our settings. The checkpoints of the
// write-ahead log are made by the writer goroutine itself (wal_autocheckpoint is off), because
// SQLite's automatic ones keep a sync error to themselves.
func openHandle(config Config, as role) (*sql.DB, error) {
	q := url.Values{"_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}, "_txlock": {"immediate"}}
	for _, pragma := range []string{
		"busy_timeout(" + strconv.FormatInt(config.BusyTimeout.Milliseconds(), 10) + ")",
		"foreign_keys(ON)",
		"recursive_triggers(ON)", // so that INSERT OR REPLACE cannot slip past a delete trigger
		"trusted_schema(OFF)",
		"cell_size_check(ON)",
		"temp_store(MEMORY)",
	} {
		q.Add("_pragma", pragma)
	}
	switch as {
	case writer:
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous("+config.synchronous+")")
		q.Add("_pragma", "secure_delete(ON)")
		q.Add("_pragma", "wal_autocheckpoint(0)")
		q.Add("_pragma", "cache_size("+strconv.Itoa(-cacheKiB)+")")
		q.Add("_pragma", "journal_size_limit("+strconv.Itoa(journalLimit)+")")
		if config.maxPages > 0 {
			q.Add("_pragma", "max_page_count("+strconv.Itoa(config.maxPages)+")")
		}
	case reader:
		q.Set("mode", "ro")
		q.Set("_query_only", "1")
	}
	return openDSN(config.Path, q)
}

func openDSN(path string, q url.Values) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true, RawQuery: q.Encode()}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// prepareFile makes sure that path is a file of ours, or creates it. The caller holds the lock on
// its directory.
func prepareFile(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(ctx, path)
	}
	if err != nil {
		return err
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return tallystick.Errorf(tallystick.Invalid, "others may open the file (mode %04o)", perm).
			WithHint("chmod 600 %s", path)
	}
	if info.Size() == 0 {
		return createFile(ctx, path)
	}
	return checkOurs(ctx, path)
}

// createFile puts an empty database of ours at path, whole or not at all. It is made under another
// name: a process that dies while it sets the mark or goes over to the write-ahead log leaves a
// rollback journal, which handles that may only read cannot undo.
func createFile(ctx context.Context, path string) error {
	blank := path + ".new"
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(blank + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create: %w", err)
		}
	}
	f, err := os.OpenFile(blank, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// The mark is set before the file is in WAL mode, so that it is in the file itself.
	db, err := openDSN(blank, url.Values{"_pragma": {"application_id(" + strconv.Itoa(applicationID) + ")", "journal_mode(WAL)"}})
	if err != nil {
		return err
	}
	if err := errors.Join(db.PingContext(ctx), db.Close()); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := os.Rename(blank, path); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// checkOurs refuses a file that is not an SQLite database of ours. It asks SQLite, read-only,
// rather than read the header itself: closing the file would drop the locks that this process may
// already have on it (https://www.sqlite.org/howtocorrupt.html section 2.2), and a read without
// locks could see a page half written.
func checkOurs(ctx context.Context, path string) error {
	db, err := openDSN(path, url.Values{"mode": {"ro"}, "_busy_timeout": {"10000"}})
	if err != nil {
		return err
	}
	var id uint32
	err = errors.Join(db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id), db.Close())
	if resultCode(err) == sqlite3.SQLITE_NOTADB {
		return tallystick.Errorf(tallystick.Invalid, "the file is not a database").
			WithHint("name another path; nothing was changed")
	}
	if err == nil && id != applicationID {
		return tallystick.Errorf(tallystick.Invalid, "the file is a database of another application (application id %#x)", id).
			WithHint("name another path; nothing was changed")
	}
	return err
}
