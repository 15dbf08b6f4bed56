// Package ledger keeps one append-only Merkle log in a directory: C2SP tlog-tiles files and a signed
// checkpoint, written by Tessera's POSIX driver.
//
// A Log appends. It holds the directory alone, signs nothing that its Guard refuses, and keeps an
// anchor, the newest checkpoint, in a file outside the directory. A Reader reads, proves and checks;
// it needs neither lock nor key.
//
// # What an acknowledgement means
//
// When Append returns, its batch is on disk and in the tree. A batch enters the tree whole or not
// at all: the rename of .state/treeState commits it. When Checkpoint returns, a signature over that
// tree is published, its guard has been advanced and its anchor is on disk.
//
// # Failure
//
// What the disk holds after a failed write is unknown, so a Log never retries: the first such error
// stops it for good (ErrFatal) and the process is expected to exit. The next Open compares the tree
// state, the right edge of the tree, the checkpoint and the anchor before it accepts entries.
//
// BUG(ledger): Tessera v1.0.4 panics when it cannot open or lock .state/treeState.lock, for want of
// file descriptors for instance. The panic is in a goroutine of its own and ends the process; nothing
// is acknowledged and nothing acknowledged is lost.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"

	"github.com/tallystick/tallystick"
)

const (
	// MaxBatch is the largest number of entries of one Append.
	MaxBatch = 4096
	// MaxLeaf is the largest size of one entry in bytes: a length in an entry bundle has 16 bits.
	MaxLeaf = 1<<16 - 1

	minCheckpointInterval = 100 * time.Millisecond // Tessera's own limit for POSIX
	appendTimeout         = 2 * time.Minute        // for one batch to reach the disk
	closeTimeout          = 2 * time.Minute        // for the last checkpoint
	guardTimeout          = 30 * time.Second       // for one Guard.Advance
)

// ErrFatal is in the chain of every error of a Log that has stopped. The process must exit: only a
// new Open can tell what the disk holds.
var ErrFatal = errors.New("ledger stopped")

// Config says where a log lives and what protects it.
type Config struct {
	Dir    string // the log's own directory
	Origin string // the first line of every checkpoint, and the name of its key

	Signer    note.Signer    // Ed25519; its name is Origin
	Verifiers note.Verifiers // for what is on disk already: the Signer's key and retired ones
	Guard     Guard          // asked before every signature

	// Anchor is the path of the anchor file. It belongs outside anything that is backed up or restored
	// together with Dir. Empty means none.
	Anchor string

	// Create makes a new log in a missing or empty directory. Without it a missing log is an error, so
	// that a lost disk does not start a new history.
	Create bool

	// CheckpointInterval is the least time between two checkpoints; 100 ms if zero, and at least that.
	CheckpointInterval time.Duration

	// Published is called after each publication, if it is not nil. It must not block: what follows a
	// checkpoint, such as cosignatures, holds nothing up.
	Published func()

	Logger *slog.Logger // may be nil
}

func (c Config) validate() error {
	switch {
	case c.Dir == "" || c.Origin == "":
		return tallystick.Errorf(tallystick.Invalid, "a ledger needs a directory and an origin")
	case c.Signer == nil || c.Verifiers == nil || c.Guard == nil:
		return tallystick.Errorf(tallystick.Invalid, "ledger %q needs a signer, verifiers and a guard", c.Origin)
	case c.Signer.Name() != c.Origin:
		return tallystick.Errorf(tallystick.Invalid, "the key of ledger %q is named %q", c.Origin, c.Signer.Name()).
			WithHint("a checkpoint's key carries the name of its log")
	case c.CheckpointInterval < minCheckpointInterval:
		return tallystick.Errorf(tallystick.Invalid, "checkpoint interval %v is shorter than %v", c.CheckpointInterval, minCheckpointInterval)
	}
	if c.Anchor == "" {
		return nil
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	anchor, err := filepath.Abs(c.Anchor)
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	if rel, err := filepath.Rel(dir, anchor); err == nil && filepath.IsLocal(rel) {
		return tallystick.Errorf(tallystick.Invalid, "anchor %q lies inside the ledger that it protects", c.Anchor)
	}
	return nil
}

// Log appends to one log. It is safe for concurrent use.
type Log struct {
	cfg    Config
	driver tessera.Driver // shared by every appender: its mutex is what keeps them apart
	lock   *dirLock
	anchor AnchorState // as Open found it

	ctx    context.Context // of everything in the background; ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // watch and collect
	signed chan struct{}  // wakes watch after a signature
	dead   chan struct{}  // closed by fail
	turn   chan struct{}  // holds one token; its holder may append
	signer *guardedSigner

	mu         sync.Mutex
	size       uint64        // entries in the tree
	published  checkpoint    // the newest one on disk and anchored
	changed    chan struct{} // closed and replaced whenever published changes
	collected  uint64        // obsolete partial files are gone below this index
	collecting chan struct{} // closed when the collection under way ends; nil if there is none
	fatal      error
	stuck      bool // a batch never came back, so the directory may still change
}

// Open opens the log of cfg, or creates it. It waits for the directory's lock until ctx ends, then
// returns an Unavailable error that names the holder. It refuses a log that is damaged at its right
// edge, behind its anchor or its guard, or inconsistent with either.
func Open(ctx context.Context, cfg Config) (_ *Log, err error) {
	if cfg.CheckpointInterval == 0 {
		cfg.CheckpointInterval = minCheckpointInterval
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := prepare(cfg.Dir, cfg.Create); err != nil {
		return nil, err
	}
	lock, err := lockDir(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		cfg: cfg, lock: lock,
		signed: make(chan struct{}, 1), dead: make(chan struct{}), turn: make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.signer = &guardedSigner{log: l}
	defer func() {
		if err != nil {
			l.cancel()
			_ = lock.release() // what went wrong first is what matters
		}
	}()
	if cfg.Create {
		err = l.inspectEmpty()
	} else {
		err = l.inspect(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := l.start(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// start hands the inspected directory to Tessera and begins to publish.
func (l *Log) start(ctx context.Context) error {
	var err error
	if l.driver, err = posix.New(l.ctx, posix.Config{Path: l.cfg.Dir}); err != nil {
		return fmt.Errorf("open ledger %q: %w", l.cfg.Dir, err)
	}
	// This appender publishes; batches have their own (see Append). Its first act on a new log is to
	// sign the empty tree.
	opts := tessera.NewAppendOptions().
		WithCheckpointSigner(l.signer).
		WithCheckpointInterval(l.cfg.CheckpointInterval).
		WithCheckpointRepublishInterval(0).
		WithGarbageCollectionInterval(0)
	if _, _, _, err := tessera.NewAppender(l.ctx, l.driver, opts); err != nil {
		return fmt.Errorf("open ledger %q: %w", l.cfg.Dir, errors.Join(err, l.failure()))
	}
	l.turn <- struct{}{}
	l.work.Go(l.watch)
	if l.cfg.Create {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), guardTimeout) // it is on its way, and must end before the lock goes
		defer cancel()
		if _, err := l.Checkpoint(ctx, 0); err != nil {
			l.cancel()
			l.work.Wait()
			return err
		}
	}
	return nil
}

// Size returns the number of entries in the tree, published or not.
func (l *Log) Size(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size, l.fatal
}

// Leaf returns the bytes of the entry at index, published or not.
func (l *Log) Leaf(ctx context.Context, index uint64) ([]byte, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	return tree{dir: l.cfg.Dir, size: size}.leaf(index)
}

// AnchorState tells what Open found at the path of the anchor. A missing anchor has been written
// anew since; that it was missing is worth recording.
func (l *Log) AnchorState() AnchorState { return l.anchor }

// Close publishes what is not yet published, waiting until ctx ends or for two minutes, and lets the
// directory go.
// After a fatal error it returns that error. While a write of unknown outcome may still be under
// way it keeps the lock, which then ends with the process.
func (l *Log) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	select {
	case <-l.turn: // never handed back: no Append after this
	case <-l.ctx.Done():
		return nil // closed before
	case <-ctx.Done():
		return fmt.Errorf("close ledger %q: %w", l.cfg.Dir, ctx.Err())
	}
	l.mu.Lock()
	size := l.size
	l.mu.Unlock()
	_, err := l.Checkpoint(ctx, size)
	if err == nil {
		l.awaitCollection(ctx)
	}
	l.cancel()
	l.work.Wait()
	signed := l.signer.newest().Size // after this nothing more is signed
	l.mu.Lock()
	busy := l.stuck || signed > l.published.Size
	l.mu.Unlock()
	if busy {
		return errors.Join(err, l.lock.keep())
	}
	return errors.Join(err, l.lock.release())
}

// fail stops the log for good and returns the error that every later call will return.
func (l *Log) fail(cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == nil {
		l.fatal = &tallystick.Error{
			Code:    tallystick.Unavailable,
			Message: fmt.Sprintf("ledger %q stopped: %v", l.cfg.Dir, cause),
			Hint:    "nothing more is recorded; remove the cause (a full or failing disk, a second copy of the log) and start again",
			Err:     fmt.Errorf("%w: %w", ErrFatal, cause),
		}
		l.cfg.Logger.LogAttrs(l.ctx, slog.LevelError, "ledger stopped", slog.String("dir", l.cfg.Dir), slog.Any("cause", cause))
		close(l.dead)
	}
	return l.fatal
}

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

// RouteLogs sends Tessera's own log lines, which otherwise go to standard error, to logger. It acts
// on the whole process, so that it belongs in main, before the first Open.
func RouteLogs(logger *slog.Logger) { klog.SetSlogLogger(logger) }
