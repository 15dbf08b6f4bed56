package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/transparency-dev/tessera"

	"github.com/tallystick/tallystick"
)

// never is a period that no process outlives.
const never = 100 * 365 * 24 * time.Hour

// Append adds the leaves as consecutive entries, in their order, and returns the index of the first.
// There are 1 to MaxBatch of them, each of at most MaxLeaf bytes; anything else is refused before a
// byte is written. On return the batch is durable and in the tree; it gets there whole or not at
// all. ctx bounds the wait for other callers' batches: a batch that has begun is seen through. An
// error after that is fatal, and the leaves may or may not be in the tree.
func (l *Log) Append(ctx context.Context, leaves [][]byte) (first uint64, err error) {
	if n := len(leaves); n == 0 || n > MaxBatch {
		return 0, tallystick.Errorf(tallystick.Invalid, "a batch of %d ledger entries is not of 1 to %d", n, MaxBatch)
	}
	for i, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return 0, tallystick.Errorf(tallystick.Invalid, "entry %d of the batch has %d bytes, more than %d", i, len(leaf), MaxLeaf).
				WithHint("store large evidence as a file and record its digest")
		}
	}
	if err := l.take(ctx); err != nil {
		return 0, err
	}
	defer func() { l.turn <- struct{}{} }()

	want, err := l.Size(ctx)
	if err != nil {
		return 0, err
	}
	if err := l.appendBatch(want, leaves); err != nil {
		return 0, l.fail(fmt.Errorf("append %d entries at index %d: %w", len(leaves), want, err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.size += uint64(len(leaves))
	return want, l.fatal
}

// take waits for the turn to append.
func (l *Log) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append to ledger %q: %w", l.cfg.Dir, err)
	}
	select {
	case <-l.turn:
	case <-l.dead:
		return l.failure()
	case <-ctx.Done():
		return fmt.Errorf("append to ledger %q: %w", l.cfg.Dir, ctx.Err())
	case <-l.ctx.Done():
		return l.closedError()
	}
	return nil
}

func (l *Log) closedError() error {
	return tallystick.Errorf(tallystick.Unavailable, "ledger %q is closed", l.cfg.Dir)
}

// appendBatch puts the leaves through an appender of their own, whose queue holds exactly this batch:
// it is flushed at once, in one piece and in order. One appender for all would flush on a timer, and
// two flushes of one batch can overtake each other on the way to Tessera's worker.
func (l *Log) appendBatch(want uint64, leaves [][]byte) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	opts := l.silentOptions().WithBatching(uint(len(leaves)), never)
	appender, _, _, err := tessera.NewAppender(ctx, l.driver, opts)
	if err != nil {
		return err
	}
	futures := make([]tessera.IndexFuture, len(leaves))
	for i, leaf := range leaves {
		futures[i] = appender.Add(ctx, tessera.NewEntry(leaf))
	}
	// A future takes no context and, if its appender is gone, never resolves.
	done := make(chan error, 1)
	go func() { done <- await(futures, want) }()
	timeout := time.NewTimer(appendTimeout)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		l.mu.Lock()
		l.stuck = true
		l.mu.Unlock()
		return fmt.Errorf("not on disk after %v", appendTimeout)
	}
}

// await resolves every future and checks that their indexes are want and those that follow it.
func await(futures []tessera.IndexFuture, want uint64) error {
	var errs error
	for i, future := range futures {
		index, err := future()
		switch {
		case err != nil:
			errs = err // one batch, one error: the last is as good as the first
		case index.Index != want+uint64(i) || index.IsDup:
			errs = errors.Join(errs, fmt.Errorf("entry %d of the batch got index %d, not %d", i, index.Index, want+uint64(i)))
		}
	}
	return errs
}

// silentOptions are for an appender that leaves publishing to the one of start.
func (l *Log) silentOptions() *tessera.AppendOptions {
	return tessera.NewAppendOptions().
		WithCheckpointSigner(refusingSigner{l.cfg.Origin}).
		WithCheckpointInterval(never).
		WithCheckpointRepublishInterval(0).
		WithGarbageCollectionInterval(0)
}
