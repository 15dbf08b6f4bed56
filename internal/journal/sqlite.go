package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tallystick/tallystick/internal/durable"
)

// applicationID marks a file as a journal's: "TALJ", at offset 68 of its header.
const applicationID = 0x54414c4a

const (
	pageSize        = 32 << 10
	cacheKiB        = 4 << 10   // of the writer, which reads no page again; what a group or a trim has more goes into the log before its commit
	checkpointBytes = 128 << 20 // of frames in the write-ahead log before they are copied into the file
	shrinkBytes     = 16 << 20  // of frames that went through memory before it is given back
)

const sqliteSchema = `
CREATE TABLE blocks (
	first  INTEGER PRIMARY KEY,
	last   INTEGER NOT NULL,
	hash   BLOB NOT NULL,
	frames BLOB NOT NULL
) STRICT;
CREATE TABLE receipts (
	last    INTEGER PRIMARY KEY,
	entries BLOB NOT NULL
) STRICT;
CREATE TABLE start (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	sequence INTEGER NOT NULL,
	hash     BLOB NOT NULL,
	trimmed  INTEGER NOT NULL,
	sum      INTEGER NOT NULL
) STRICT;
`

// sqliteEngine keeps a store in a file, frames-SHARD.db.
type sqliteEngine struct{ options Options }

const (
	filePrefix = "frames-"
	fileSuffix = ".db"
)

// companions are what SQLite puts beside a file. The write-ahead log is as much part of the journal as the
// file itself.
var companions = [...]string{"", "-wal", "-shm", "-journal"}

func (e *sqliteEngine) path(name Shard) string {
	return filepath.Join(e.options.Dir, filePrefix+name.String()+fileSuffix)
}

func (e *sqliteEngine) aside(name Shard) string {
	return filepath.Join(e.options.Dir, "quarantine", name.String())
}

func (e *sqliteEngine) close() error { return nil }

func (e *sqliteEngine) shards(context.Context) ([]Shard, error) {
	entries, err := os.ReadDir(e.options.Dir)
	if err != nil {
		return nil, err
	}
	var found []Shard
	for _, entry := range entries {
		name, isFile := strings.CutPrefix(entry.Name(), filePrefix)
		name, _, isStore := strings.Cut(name, fileSuffix) // the file may be gone, and its log left
		var s Shard
		if isFile && isStore && s.UnmarshalText([]byte(name)) == nil && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Shard) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}

func (e *sqliteEngine) putAside(_ context.Context, name Shard) error {
	to := e.aside(name)
	if err := durable.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, suffix := range companions {
		from := e.path(name) + suffix
		if err := os.Rename(from, filepath.Join(to, filepath.Base(from))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(durable.SyncDir(to), durable.SyncDir(e.options.Dir))
}

func (e *sqliteEngine) salvage(_ context.Context, name Shard) iter.Seq2[[]byte, error] {
	return carve(e.path(name))
}

func (e *sqliteEngine) create(ctx context.Context, name Shard, start Start, blocks iter.Seq2[Block, error]) (err error) {
	path := e.path(name)
	if err := createFile(ctx, path); err != nil {
		return err
	}
	s := &sqliteStore{path: path, options: e.options}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.ready(ctx); err != nil {
		return err
	}
	if _, err := s.writer.ExecContext(ctx, "INSERT INTO start (id, sequence, hash, trimmed, sum) VALUES (1, ?, ?, ?, ?)",
		int64(start.Sequence), start.Hash[:], int64(start.Trimmed), start.sum()); err != nil {
		return err
	}
	for _, entries := range start.Receipts {
		if len(entries) < entrySize {
			continue
		}
		last := receiptsEnd(entries)
		if _, err := s.writer.ExecContext(ctx, "INSERT INTO receipts (last, entries) VALUES (?, ?)", int64(last), entries); err != nil {
			return err
		}
	}
	for b, err := range blocks {
		if err != nil {
			return err
		}
		if err := s.append(ctx, []Block{b}); err != nil {
			return err
		}
	}
	return s.wal.sync()
}

// createFile makes a file with empty tables. The size of its pages must be set before anything else is:
// even the change to a write-ahead log makes the first page.
func createFile(ctx context.Context, path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openFile(path, url.Values{}, "page_size("+strconv.Itoa(pageSize)+")")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID)+";"+sqliteSchema)
	return errors.Join(err, db.Close())
}

func (e *sqliteEngine) open(ctx context.Context, name Shard) (store, error) {
	s := &sqliteStore{path: e.path(name), options: e.options}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var err error
	s.reader, err = openFile(s.path, url.Values{"mode": {"ro"}, "_query_only": {"1"}}, "cell_size_check(ON)", "cache_size(-2048)")
	if err != nil {
		return nil, err
	}
	return s, nil
}

// sqliteStore is one file. The writing goroutine has writer to itself.
type sqliteStore struct {
	path    string
	options Options
	reader  *sql.DB
	handle  *sql.DB
	writer  *sql.Conn
	insert  *sql.Stmt
	wal     *wal
	through atomic.Int64 // bytes of frames that were written, read or removed since memory was given back
}

func openFile(path string, q url.Values, pragmas ...string) (*sql.DB, error) {
	for name, value := range map[string]string{"_defensive": "1", "_dqs": "0", "_error_rc": "1"} {
		q.Set(name, value)
	}
	for _, pragma := range append(pragmas, "busy_timeout(10000)", "trusted_schema(OFF)", "temp_store(MEMORY)") {
		q.Add("_pragma", pragma)
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true, RawQuery: q.Encode()}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(2)
	return db, nil
}

// ready opens the writer. Checkpoints are our own (wal_autocheckpoint is off), because SQLite's automatic
// ones keep a sync error to themselves. Content that is removed is not written over at once: that would
// cost as much as writing it, and the pages are soon used again, or scrubbed.
func (s *sqliteStore) ready(ctx context.Context) (err error) {
	s.handle, err = openFile(s.path, url.Values{"_txlock": {"immediate"}},
		"journal_mode(WAL)",
		"synchronous(NORMAL)", // the log is synced by wal.sync after each commit
		"secure_delete(FAST)",
		"wal_autocheckpoint(0)",
		"cell_size_check(ON)",
		"cache_size("+strconv.Itoa(-cacheKiB)+")",
		"journal_size_limit("+strconv.Itoa(2*checkpointBytes)+")",
		"max_page_count("+strconv.Itoa(max(s.options.maxPages, 0))+")",
	)
	if err != nil {
		return err
	}
	if err := syscall.Access(s.path, 2); err != nil { // W_OK
		return &fs.PathError{Op: "write", Path: s.path, Err: err}
	}
	if s.writer, err = s.handle.Conn(ctx); err != nil {
		return describeReady(err)
	}
	// The transaction shows that the file can be written, and creates the write-ahead log, which then stays as long as the connection does. Its
	// directory entry must be durable before anything in it counts; SQLite syncs the directory too, but
	// without looking at the result.
	for _, query := range []string{"BEGIN IMMEDIATE", "UPDATE start SET id = 1", "ROLLBACK"} {
		if _, err := s.writer.ExecContext(ctx, query); err != nil {
			return describeReady(err)
		}
	}
	if err := durable.SyncDir(filepath.Dir(s.path)); err != nil {
		return err
	}
	if s.wal, err = openWAL(s.path + "-wal"); err != nil {
		return err
	}
	return s.wal.sync() // a process that was killed may have left what was never synced
}

func (s *sqliteStore) close() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.insert != nil {
		errs = append(errs, s.insert.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.wal != nil {
		errs = append(errs, s.wal.f.Close())
	}
	if s.handle != nil {
		errs = append(errs, s.handle.Close()) // last: it tidies up
	}
	return errors.Join(errs...)
}

// Append leaves the sync to Sync.
func (s *sqliteStore) Append(ctx context.Context, blocks []Block) (durable bool, err error) {
	return false, s.append(ctx, blocks)
}

// Sync makes the write-ahead log durable.
func (s *sqliteStore) Sync() error {
	if s.options.unsynced {
		return nil
	}
	return s.wal.sync()
}

func (s *sqliteStore) append(ctx context.Context, blocks []Block) (err error) {
	if s.insert == nil {
		s.insert, err = s.writer.PrepareContext(ctx, "INSERT INTO blocks (first, last, hash, frames) VALUES (?, ?, ?, ?)")
		if err != nil {
			return describe(err)
		}
	}
	if s.wal.used > checkpointBytes {
		if err := s.checkpoint(ctx); err != nil {
			return describe(err)
		}
	}
	var size int64
	for _, b := range blocks {
		size += int64(len(b.Frames))
	}
	if err := s.wal.reserve(size); err != nil {
		return err
	}
	if len(blocks) > 1 {
		if _, err := s.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return describe(err)
		}
	}
	for _, b := range blocks {
		if _, err := s.insert.ExecContext(ctx, int64(b.First), int64(b.Last), b.Hash[:], b.Frames); err != nil {
			return describe(err)
		}
	}
	if len(blocks) > 1 {
		if _, err := s.writer.ExecContext(ctx, "COMMIT"); err != nil {
			return describe(err)
		}
	}
	return s.shrink(ctx, size)
}

// checkpoint copies the write-ahead log into the file, as far as readers allow, and syncs both.
func (s *sqliteStore) checkpoint(ctx context.Context) error {
	var busy, pages, copied int
	err := s.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	s.wal.used = int64(pages-copied) * (pageSize + walFrame)
	return nil
}

func (s *sqliteStore) Read(ctx context.Context, from uint64) (b Block, err error) {
	var first, last int64
	var hash []byte
	err = s.reader.QueryRowContext(ctx, `SELECT first, last, hash, frames FROM blocks
		WHERE first >= COALESCE((SELECT max(first) FROM blocks WHERE first <= ?1), 0) AND last >= ?1
		ORDER BY first LIMIT 1`, int64(from)).Scan(&first, &last, &hash, &b.Frames)
	if errors.Is(err, sql.ErrNoRows) {
		return Block{}, nil
	}
	if err != nil {
		return Block{}, describeRead(err)
	}
	s.through.Add(int64(len(b.Frames)))
	if len(hash) != len(b.Hash) {
		return Block{}, fmt.Errorf("%w: the block of sequence %d has a hash of %d bytes", errDamaged, first, len(hash))
	}
	b.First, b.Last, b.Hash = uint64(first), uint64(last), Hash(hash)
	return b, nil
}

func (s *sqliteStore) Start(ctx context.Context) (start Start, err error) {
	var sequence, trimmed, sum int64
	var hash []byte
	err = s.reader.QueryRowContext(ctx, "SELECT sequence, hash, trimmed, sum FROM start WHERE id = 1").Scan(&sequence, &hash, &trimmed, &sum)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		start, err = newStart(sequence, trimmed, sum, hash)
	}
	if err != nil {
		return start, describeRead(err)
	}
	rows, err := s.reader.QueryContext(ctx, "SELECT entries FROM receipts ORDER BY last")
	if err != nil {
		return start, describeRead(err)
	}
	defer rows.Close() //nolint:errcheck // Err says it
	for rows.Next() {
		var entries []byte
		if err := rows.Scan(&entries); err != nil {
			return start, describeRead(err)
		}
		start.Receipts = append(start.Receipts, entries)
	}
	return start, describeRead(rows.Err())
}

func (s *sqliteStore) check(ctx context.Context) error {
	var found string
	err := s.reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found)
	if err == nil && found != "ok" {
		err = fmt.Errorf("%w: %s", errDamaged, found)
	}
	return describeRead(err)
}

// describe tells what is wrong with the file from what is wrong with the disk.
func describe(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH:
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return err
}

// describeRead is describe for what was only read: what the disk cannot give back is damaged, too. Other
// errors of the disk, such as want of room for what SQLite keeps beside the file, are not.
func describeRead(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS:
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return describe(err)
}

// describeReady is describe for a file that the system lets us write to: if SQLite does not, then because
// of what its header says.
func describeReady(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_READONLY {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return describe(err)
}
