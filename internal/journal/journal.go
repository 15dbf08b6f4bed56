package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// Options say where a journal is and how large it may become. Dir is required.
type Options struct {
	// Dir is the directory of the mark and, unless URL is set, of the journal. It is created if it is
	// missing. One process at a time may have it open.
	Dir string
	// URL names a database on a PostgreSQL server, as in package state, which keeps the journal instead
	// of a file; the mark stays in Dir.
	URL string
	// Name tells journals apart that share a database. Empty means "journal".
	Name string
	// MaxWaiting bounds the bytes of the batches that are not yet durable. Zero means 64 MiB.
	MaxWaiting int64
	// MaxStored bounds the bytes of the frames that are durable and not yet trimmed. Zero means 4 GiB.
	MaxStored int64
	// Remember bounds the number of batches that are known by their ids, about 110 bytes of memory each.
	// Zero means 262,144: one a second for 72 hours.
	Remember int
	// Now is the clock of the frames. Nothing depends on it that must not go wrong. Nil means time.Now.
	Now func() time.Time
	// Logger receives what no caller can act on. Nil discards it.
	Logger *slog.Logger

	// For tests and benchmarks only.
	unsynced bool   // commits are not, which breaks the promise of Append
	unmarked bool   // the mark is not synced, likewise
	maxPages int    // bounds the file, as a full disk would
	begin    func() // called first on the writing goroutine
}

func (o Options) withDefaults() Options {
	o.MaxWaiting = cmp.Or(o.MaxWaiting, 64<<20)
	o.MaxStored = cmp.Or(o.MaxStored, 4<<30)
	o.Remember = cmp.Or(o.Remember, 262_144)
	o.Name = cmp.Or(o.Name, "journal")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.begin == nil {
		o.begin = func() {}
	}
	return o
}

// Receipt says where a batch is. Head is the hash of its frame, which binds all frames before it.
type Receipt struct {
	Shard    Shard  `json:"shard"`
	Sequence uint64 `json:"sequence"`
	Head     Hash   `json:"head"`
}

// ErrOutcomeUnknown marks an error after which the batch may or may not be in the journal. With an id it
// can be sent again without harm.
var ErrOutcomeUnknown = errors.New("outcome unknown")

// Journal is an open journal. Its methods may be called by many goroutines at once.
type Journal struct {
	options Options
	log     Log
	mark    *mark // the writing goroutine's; nil in benchmarks
	closers []func() error
	gaps    []Gap    // found when it was opened
	memory  *memory  // the writing goroutine's
	packer  packer   // likewise
	syncing *syncing // likewise: nil if nothing is being synced

	mu      sync.Mutex
	queue   []*request    // in the order of their coming
	queued  int64         // bytes of it
	waiting int64         // bytes queued or in the commits under way
	stored  int64         // bytes durable and not trimmed
	head    marked        // durable, and in the mark
	pace    time.Duration // the time that the last commit took for a MiB
	closed  bool

	wake   chan struct{} // holds one if there is something in the queue, or closed is set
	chores chan *chore   // trims
	ended  chan struct{} // closed when the writing goroutine has
	fatal  atomic.Pointer[tallystick.Error]
}

// Open opens the journal of a directory, creates it if there is none, reads all of it and compares it with
// its mark.
func Open(ctx context.Context, options Options) (*Journal, error) {
	options = options.withDefaults()
	dir, err := filepath.Abs(options.Dir)
	if err != nil || options.Dir == "" {
		return nil, fmt.Errorf("open journal %q: %w", options.Dir, errors.Join(errors.New("no usable directory"), err))
	}
	options.Dir = dir
	j, err := open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open journal %q: %w", options.Dir, err)
	}
	return j, nil
}

func open(ctx context.Context, options Options) (*Journal, error) {
	if err := durable.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, err
	}
	m, says, state, err := openMark(filepath.Join(options.Dir, "mark"))
	if err != nil {
		return nil, err
	}
	m.unsynced = options.unmarked
	r := &recovery{options: options, mark: m, says: says, state: state, memory: newMemory(options.Remember)}
	j, err := r.run(ctx)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	go j.run()
	return j, nil
}

// newJournal returns a journal that ends at head and of which the writing goroutine is not yet running.
func newJournal(options Options, log Log, head marked, known *memory) *Journal {
	return &Journal{
		options: options, log: log, memory: known, head: head,
		wake: make(chan struct{}, 1), chores: make(chan *chore), ended: make(chan struct{}),
	}
}

// Head returns the receipt of the newest frame that is durable: everything up to it can be read.
func (j *Journal) Head() Receipt {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Receipt{j.head.shard, j.head.sequence, j.head.hash}
}

// Gaps returns the gaps of which the journal told when it was opened. Each is also an entry, which a reader
// meets where the gap is, so that what is done about it is done once; it is told of until that is trimmed.
func (j *Journal) Gaps() []Gap { return slices.Clone(j.gaps) }

// Status is what a journal holds.
type Status struct {
	Head    Receipt `json:"head"`
	Trimmed uint64  `json:"trimmed"` // the sequence up to which nothing can be read any more
	Waiting int64   `json:"waiting"` // bytes of batches that are not yet durable
	Stored  int64   `json:"stored"`  // bytes of frames that are not yet trimmed
}

// Status returns what the journal holds, or why it has stopped.
func (j *Journal) Status() (Status, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := Status{Receipt{j.head.shard, j.head.sequence, j.head.hash}, j.head.trimmed, j.waiting, j.stored}
	return s, j.stopped()
}

// stopped returns why the journal has stopped, or nil.
func (j *Journal) stopped() error {
	if err := j.fatal.Load(); err != nil {
		return err
	}
	return nil
}

// Close writes the batches that are waiting, then lets the journal go. Later calls are Unavailable.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.mu.Unlock()
	if !first {
		<-j.ended
		return nil
	}
	j.ring()
	<-j.ended
	var errs []error
	for _, closer := range j.closers {
		errs = append(errs, closer())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close journal %q: %w", j.options.Dir, err)
	}
	return nil
}

func (j *Journal) errClosed() error {
	return tallystick.Errorf(tallystick.Unavailable, "the journal %q is closed", j.options.Dir)
}
