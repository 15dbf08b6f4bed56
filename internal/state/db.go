package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// Config says where the database is and how it behaves. Only Path is required.
type Config struct {
	// Path is the database file. It is created with mode 0600, and its directory with 0700, when
	// it does not exist.
	Path string
	// Logger receives faults that no caller can act on, such as the stack of a panic. Nil
	// discards them.
	Logger *slog.Logger
	// Now is the clock behind Tx.Now. Nil means time.Now.
	Now func() time.Time
	// BusyTimeout bounds the wait for another process's write transaction. Zero means 10 s.
	BusyTimeout time.Duration
	// Readers bounds the number of read transactions at the same time. Zero means 4.
	Readers int

	// For tests only.
	synchronous     string // anything but FULL breaks the promise of Write
	maxPages        int    // bounds the file, as a full disk would
	checkpointPages int    // frames in the write-ahead log before a checkpoint
	begin           func() // called first on the writer goroutine
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.BusyTimeout = cmp.Or(c.BusyTimeout, 10*time.Second)
	c.Readers = cmp.Or(c.Readers, 4)
	c.synchronous = cmp.Or(c.synchronous, "FULL")
	if c.begin == nil {
		c.begin = func() {}
	}
	c.checkpointPages = cmp.Or(c.checkpointPages, checkpointPages)
	return c
}

// DB is an open database. Its methods may be called by many goroutines at once.
type DB struct {
	config Config

	writes *sql.DB // holds the writer's one connection
	reads  *sql.DB // read-only handles

	queue   chan *write   // bounded; the writer goroutine receives
	drained chan struct{} // closed when the writer goroutine has ended
	fatal   atomic.Pointer[tallystick.Error]

	closing sync.RWMutex // held for reading while a write is queued
	closed  bool         // under closing

	idle chan *session // read sessions that nobody uses; nil stands for one not yet opened

	watchers struct {
		sync.Mutex
		set map[chan struct{}]struct{}
	}
}

// Open opens the database at config.Path, creates it if there is none, and brings its tables up to
// date. A file that is not ours, that others may read, or that a newer Tallystick has changed is
// refused before anything is written to it.
func Open(ctx context.Context, config Config) (*DB, error) {
	config = config.withDefaults()
	path, err := filepath.Abs(config.Path)
	if err != nil || config.Path == "" {
		return nil, fmt.Errorf("open state %q: %w", config.Path, errors.Join(errors.New("no usable path"), err))
	}
	config.Path = path

	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open state %q: %w", path, err)
	}
	unlock, err := lockDir(ctx, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open state %q: %w", path, err)
	}
	defer unlock()
	if err := prepareFile(ctx, path); err != nil {
		return nil, fmt.Errorf("open state %q: %w", path, describe(path, err))
	}

	db := &DB{
		config:  config,
		queue:   make(chan *write, queueLength),
		drained: make(chan struct{}),
		idle:    make(chan *session, config.Readers),
	}
	db.watchers.set = make(map[chan struct{}]struct{})
	for range config.Readers {
		db.idle <- nil
	}
	if db.writes, err = openHandle(config, writer); err != nil {
		return nil, fmt.Errorf("open state %q: %w", path, err)
	}
	if db.reads, err = openHandle(config, reader); err != nil {
		return nil, errors.Join(fmt.Errorf("open state %q: %w", path, err), db.writes.Close())
	}
	if err = migrate(ctx, db.writes, config); err == nil {
		err = db.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state %q: %w", path, describe(path, err)), db.reads.Close(), db.writes.Close())
	}
	return db, nil
}

// start pins the writer's connection and starts the writer goroutine.
func (db *DB) start(ctx context.Context) error {
	s, err := newSession(ctx, db.writes)
	if err != nil {
		return err
	}
	// The transaction creates the write-ahead log, which then stays as long as the session does. Its
	// directory entry must be durable before anything in it counts; SQLite syncs the directory too,
	// but without looking at the result.
	err = errors.Join(s.exec(ctx, "BEGIN IMMEDIATE"), s.exec(ctx, "ROLLBACK"), durable.SyncDir(filepath.Dir(db.config.Path)))
	if err != nil {
		return errors.Join(err, s.close())
	}
	go db.run(s) //nolint:gosec // G118: it outlives Open, and a transaction must not end with a caller's context
	return nil
}

// Close answers the writes that are already queued, then closes the connections. Later calls to
// Write and Read are Unavailable.
func (db *DB) Close() error {
	db.closing.Lock()
	if db.closed {
		db.closing.Unlock()
		return nil
	}
	db.closed = true
	close(db.queue)
	db.closing.Unlock()

	<-db.drained
	var errs []error
	for range db.config.Readers { // waits for the reads under way
		if s := <-db.idle; s != nil {
			errs = append(errs, s.close())
		}
	}
	close(db.idle)
	errs = append(errs, db.reads.Close(), db.writes.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close state %q: %w", db.config.Path, err)
	}
	return nil
}

// Path returns the absolute path of the database file.
func (db *DB) Path() string { return db.config.Path }

// Watch returns a channel that receives after this process has committed a change; changes that
// come before the receiver looks are told once. stop ends the watch.
func (db *DB) Watch() (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	db.watchers.Lock()
	defer db.watchers.Unlock()
	db.watchers.set[ch] = struct{}{}
	return ch, func() {
		db.watchers.Lock()
		defer db.watchers.Unlock()
		delete(db.watchers.set, ch)
	}
}

func (db *DB) notify() {
	db.watchers.Lock()
	defer db.watchers.Unlock()
	for ch := range db.watchers.set {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (db *DB) errClosed() error {
	return tallystick.Errorf(tallystick.Unavailable, "state database %q is closed", db.config.Path)
}

// now returns the time in the form that Tx.Now promises.
func (db *DB) now() time.Time { return db.config.Now().UTC().Truncate(time.Millisecond) }
