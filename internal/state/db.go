package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
)

// Config says where the database is and how it behaves. Path or URL is required.
type Config struct {
	// Path is the database file of SQLite. It is created with mode 0600, and its directory with 0700,
	// when it does not exist.
	Path string
	// URL names a database on a PostgreSQL server, postgres://user@host/name, and takes precedence over
	// Path. The database exists and is empty, or a Tallystick's. What it says of TLS and of several
	// hosts means what it means to libpq. Its password is in no error and no log.
	URL string
	// Logger receives faults that no caller can act on, such as the stack of a panic. Nil
	// discards them.
	Logger *slog.Logger
	// Now is the clock behind Tx.Now. Nil means time.Now.
	Now func() time.Time
	// BusyTimeout bounds the wait for another process's write transaction, and for a server to which
	// the connection was lost. Zero means 10 s.
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
	config  Config
	name    string // says in a message which database it is
	dialect dialect

	queue   chan *write   // bounded; the writer goroutine receives
	drained chan struct{} // closed when the writer goroutine has ended
	last    session       // the writer's, once drained
	fatal   atomic.Pointer[tallystick.Error]

	closing sync.RWMutex // held for reading while a write is queued
	closed  bool         // under closing

	idle chan session // read sessions that nobody uses; nil stands for one not yet opened

	watchers watchers

	given atomic.Int64 // see RowsRead

	observe atomic.Pointer[func(query string)] // see Observe
}

// Open opens the database, creates it if there is none, and brings its tables up to date. A file
// that is not ours, that others may read, or that a newer Tallystick has changed is refused before
// anything is written to it; so is a server that does not keep what it has acknowledged.
func Open(ctx context.Context, config Config) (*DB, error) {
	config = config.withDefaults()
	db := &DB{
		config:  config,
		queue:   make(chan *write, queueLength),
		drained: make(chan struct{}),
		idle:    make(chan session, config.Readers),
	}
	for range config.Readers {
		db.idle <- nil
	}
	var first session
	var err error
	if config.URL != "" {
		db.name = postgresName(config.URL)
		db.dialect, first, err = openPostgres(ctx, config)
	} else {
		if db.config.Path, err = filepath.Abs(config.Path); err != nil || config.Path == "" {
			return nil, fmt.Errorf("open state %q: %w", config.Path, errors.Join(errors.New("no usable path"), err))
		}
		db.name = db.config.Path
		db.dialect, first, err = openSQLite(ctx, db.config)
	}
	if err != nil {
		return nil, fmt.Errorf("open state %q: %w", db.name, err)
	}
	db.watchers.start(db.dialect)
	go db.run(first) //nolint:gosec // G118: it outlives Open, and a transaction must not end with a caller's context
	return db, nil
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
	db.watchers.stop()
	errs = append(errs, db.last.close()) // after the readers: the last connection to a file tidies up
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close state %q: %w", db.name, err)
	}
	return nil
}

// Name says in a message which database it is: its path, or its URL without user and password.
func (db *DB) Name() string { return db.name }

// Path returns the absolute path of the database file, or "" if it is on a server.
func (db *DB) Path() string { return db.config.Path }

func (db *DB) errClosed() error {
	return tallystick.Errorf(tallystick.Unavailable, "state database %q is closed", db.name)
}

// now returns the time in the form that Tx.Now promises.
func (db *DB) now() time.Time { return db.config.Now().UTC().Truncate(time.Millisecond) }
