package trail

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// Ledger is the append-only Merkle log that seals the trail.
type Ledger interface {
	// Append adds one batch of leaves at consecutive indexes in the order given and returns the
	// first index when all of them are durable. Any error is fatal for the process: what the
	// ledger then holds is known only after it has been opened again.
	Append(ctx context.Context, leaves [][]byte) (first uint64, err error)
	// Size returns the number of leaves that the ledger holds durably.
	Size(ctx context.Context) (uint64, error)
	// Leaf returns the leaf at an index below Size.
	Leaf(ctx context.Context, index uint64) ([]byte, error)
	// Checkpoint waits for a signed checkpoint of at least the given size and returns the note.
	Checkpoint(ctx context.Context, atLeast uint64) ([]byte, error)
}

const (
	maxBatch      = 4096     // leaves
	maxBatchBytes = 16 << 20 // of leaves in a batch, beyond its first
	bundleWidth   = 256      // leaves of an entry bundle; one that is full is never written again
	lookAround    = time.Second
)

// ErrFatal is in the chain of every error of a Sealer that has stopped. The process must exit: only a
// new start, with Reconcile, can tell what the ledger holds.
var ErrFatal = errors.New("sealing stopped")

// SealerConfig says what is sealed where. Guard and Ledger are required.
type SealerConfig struct {
	Guard  *Guard // that of the ledger's signer
	Ledger Ledger
	Logger *slog.Logger // nil discards
}

// Sealer appends recorded events to the ledger. There is one per ledger; the ledger's lock sees to it.
type Sealer struct {
	config SealerConfig
	trail  GuardConfig // whose trail it is

	mu      sync.Mutex // held while anything is appended
	err     error      // under mu: why the sealer has stopped
	storing *storing   // under mu: what settle has still to wait for; may be nil
}

// storing is a batch that the ledger has acknowledged and whose place is being stored.
type storing struct {
	next uint64     // sequence of the first event behind the batch
	done chan error // gets one value
}

// NewSealer returns a sealer. Reconcile must succeed before anything is sealed.
func NewSealer(config SealerConfig) (*Sealer, error) {
	if config.Guard == nil || config.Ledger == nil {
		return nil, fmt.Errorf("new sealer: it needs a ledger and its guard")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sealer{config: config, trail: config.Guard.config, err: fmt.Errorf("%w: not reconciled with the ledger", ErrFatal)}, nil
}

func (s *Sealer) base() uint64 { return uint64(len(s.trail.Prefix)) }

// Reconcile compares what the ledger holds with what is known of it, after a start. Leaves that were
// appended without their place being stored, because the process died between the two, get it now. A
// leaf that is not the event of its place is an error that names the first such, and nothing is
// sealed.
func (s *Sealer) Reconcile(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = nil
	if err := s.reconcile(ctx); err != nil {
		s.err = fmt.Errorf("%w: reconcile with the ledger: %w", ErrFatal, err)
	}
	return s.err
}

func (s *Sealer) reconcile(ctx context.Context) error {
	size, err := s.config.Ledger.Size(ctx)
	if err != nil {
		return err
	}
	if size == 0 && len(s.trail.Prefix) > 0 {
		first, err := s.config.Ledger.Append(context.WithoutCancel(ctx), s.trail.Prefix)
		if err != nil || first != 0 {
			return fmt.Errorf("append the first leaves (at %d): %w", first, err)
		}
		size = s.base()
	}
	for i, want := range s.trail.Prefix {
		leaf, err := s.config.Ledger.Leaf(ctx, uint64(i))
		if err != nil {
			return err
		}
		if !bytes.Equal(leaf, want) {
			return &Difference{Index: uint64(i), Reason: "the ledger does not begin with the checkpoint that it continues"}
		}
	}
	for {
		batch, err := s.next(ctx, maxBatch)
		if err != nil {
			return err
		}
		index := s.base() + batch.first - 1
		if size < index {
			return &Difference{Sequence: size - s.base() + 1, Index: size, Reason: fmt.Sprintf("the ledger ends here, though it has acknowledged %d entries", index)}
		}
		if size == index {
			return nil
		}
		n := min(uint64(len(batch.leaves)), size-index)
		if n == 0 {
			return &Difference{Sequence: batch.first, Index: index, Reason: fmt.Sprintf("the ledger has %d entries and there are fewer events", size)}
		}
		for i := range n {
			leaf, err := s.config.Ledger.Leaf(ctx, index+i)
			if err != nil {
				return err
			}
			if !bytes.Equal(leaf, batch.leaves[i]) {
				return &Difference{Sequence: batch.first + i, Index: index + i, Reason: "the ledger holds another leaf than the event's"}
			}
		}
		if err := s.store(ctx, batch.first, index, batch.leaves[:n]); err != nil {
			return err
		}
		s.config.Logger.InfoContext(ctx, "found entries whose place was not stored",
			slog.Uint64("first_index", index), slog.Uint64("count", n))
	}
}

// batch is a run of events on their way into the ledger.
type batch struct {
	first  uint64 // sequence
	leaves [][]byte
}

// next returns the events that come next, at most limit. None at all is an empty batch.
func (s *Sealer) next(ctx context.Context, limit int) (b batch, err error) {
	err = state.Patiently(ctx, func() error {
		return s.trail.DB.Read(ctx, func(tx *state.Tx) error {
			if s.storing != nil {
				b.first = s.storing.next
			} else if b.first, err = nextSequence(tx, s.trail.Origin); err != nil {
				return err
			}
			b.leaves, err = leaves(tx, b.first, limit)
			return err
		})
	})
	return b, err
}

// leaves returns the leaves of at most limit events, in order from the one at first, bounded in bytes.
func leaves(tx *state.Tx, first uint64, limit int) ([][]byte, error) {
	rows, err := tx.Query("SELECT leaf FROM events WHERE sequence >= ? ORDER BY sequence "+state.Limit, first, limit)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	size := 0
	for size < maxBatchBytes && rows.Next() {
		var leaf []byte
		if err := rows.Scan(&leaf); err != nil {
			return nil, err
		}
		all = append(all, leaf)
		size += len(leaf)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// store keeps where the ledger has put the events of these leaves, and moves its guard on. ctx ends only
// the wait for a database server that is away.
func (s *Sealer) store(ctx context.Context, first, index uint64, sealed [][]byte) error {
	guard, count := s.config.Guard, uint64(len(sealed))
	guard.mu.Lock()
	defer guard.mu.Unlock()
	tries := 0
	var trees []allowed
	err := state.Patiently(ctx, func() error {
		tries++
		return s.trail.DB.Write(context.WithoutCancel(ctx), func(tx *state.Tx) error {
			next, err := nextSequence(tx, s.trail.Origin)
			if err != nil {
				return err
			}
			if tries > 1 && next == first+count {
				return nil // the last try was committed, though its answer was lost
			}
			if next != first {
				return fmt.Errorf("event %d is next to be sealed, not %d: is there another sealer?", next, first)
			}
			if trees, err = guard.follow(tx, index, sealed); err != nil {
				return err
			}
			_, err = tx.Exec("INSERT INTO seals (origin, first_sequence, first_index, count, time_ms) VALUES (?, ?, ?, ?, ?)",
				s.trail.Origin, first, index, count, tx.Now().UnixMilli())
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("store the places of events from %d on: %w", first, err)
	}
	guard.moved(trees)
	return nil
}

// sealBatch appends the events that come next and returns how many there were. ctx ends it only
// before it has begun. Any other error stops the sealer. The place of the batch is still being stored
// when it returns, unless there was none to append: see settle.
func (s *Sealer) sealBatch(ctx context.Context) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b, err := s.next(ctx, maxBatch)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	switch {
	case err != nil:
	case len(b.leaves) == 0:
		err = s.settle()
	default:
		n, err = s.appendBatch(ctx, b)
	}
	if err != nil {
		s.err = fmt.Errorf("%w: %w", ErrFatal, errors.Join(err, s.settle()))
	}
	return n, s.err
}

// appendBatch appends a batch while the place of the one before is being stored. So at most two have
// no place yet when the process dies, and Reconcile gives them theirs.
func (s *Sealer) appendBatch(ctx context.Context, b batch) (int, error) {
	index := s.base() + b.first - 1
	b.leaves = b.leaves[:wholeBundles(index, len(b.leaves))]
	n := uint64(len(b.leaves))
	first, err := s.config.Ledger.Append(context.WithoutCancel(ctx), b.leaves)
	if err != nil {
		return 0, fmt.Errorf("append events from %d on: %w", b.first, err)
	}
	if first != index {
		return 0, &Difference{Sequence: b.first, Index: index, Reason: fmt.Sprintf("the ledger put the event at index %d", first)}
	}
	if err := s.settle(); err != nil {
		return 0, err
	}
	storing := &storing{next: b.first + n, done: make(chan error, 1)}
	go func() { storing.done <- s.store(ctx, b.first, index, b.leaves) }()
	s.storing = storing
	return len(b.leaves), nil
}

// settle waits until the place of every batch is stored. Its caller holds mu.
func (s *Sealer) settle() error {
	if s.storing == nil {
		return nil
	}
	err := <-s.storing.done
	s.storing = nil
	return err
}

// settled is settle for who does not hold mu.
func (s *Sealer) settled() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.settle(); err != nil && s.err == nil {
		s.err = fmt.Errorf("%w: %w", ErrFatal, err)
	}
	return s.err
}

// wholeBundles cuts a batch of n leaves at index so that it ends with a full entry bundle, if it
// fills one: what is left over makes one partial bundle, not two.
func wholeBundles(index uint64, n int) int {
	if over := int((index + uint64(n)) % bundleWidth); over < n {
		return n - over
	}
	return n
}

// Seal seals every event that is recorded now and returns a checkpoint that covers them.
func (s *Sealer) Seal(ctx context.Context) (checkpoint []byte, err error) {
	var last uint64
	err = s.trail.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&last)
	})
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	for {
		if _, err := s.sealBatch(ctx); err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		next, err := s.nextSequence(ctx)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		if next > last {
			break
		}
	}
	if checkpoint, err = s.config.Ledger.Checkpoint(ctx, s.base()+last); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return checkpoint, nil
}

// nextSequence returns the first event whose place is not stored.
func (s *Sealer) nextSequence(ctx context.Context) (next uint64, err error) {
	if err := s.settled(); err != nil {
		return 0, err
	}
	err = s.trail.DB.Read(ctx, func(tx *state.Tx) error {
		next, err = nextSequence(tx, s.trail.Origin)
		return err
	})
	return next, err
}

// Run seals events as they are recorded until ctx ends, and then returns nil. An error is fatal.
// Events of this process are seen at once, those of others within a second.
func (s *Sealer) Run(ctx context.Context) (err error) {
	defer func() { err = cmp.Or(err, s.settled()) }()
	changed, stop := s.trail.DB.Watch()
	defer stop()
	ticker := time.NewTicker(lookAround)
	defer ticker.Stop()
	for {
		n, err := s.sealBatch(ctx)
		if ctx.Err() != nil && !errors.Is(err, ErrFatal) {
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-ticker.C:
		}
	}
}
