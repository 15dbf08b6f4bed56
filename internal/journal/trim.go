package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
)

// chore is something that the writing goroutine does between two commits.
type chore struct {
	do   func() error
	done chan error // room for one
}

// Trim removes the frames up to the sequence, durably; their batches stay known by their ids. To trim what
// has been trimmed does nothing. When the context ends, some of it may have been done.
func (j *Journal) Trim(ctx context.Context, to uint64) error {
	if head := j.Head(); to > head.Sequence {
		return tallystick.Errorf(tallystick.Invalid, "trim the journal to sequence %d: it ends at %d", to, head.Sequence)
	}
	for more := true; more; {
		err := j.between(ctx, "trim", func() (err error) {
			more, err = j.trim(to)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// between has the writing goroutine do something between two commits.
func (j *Journal) between(ctx context.Context, what string, do func() error) error {
	c := &chore{do: do, done: make(chan error, 1)}
	select {
	case j.chores <- c:
	case <-j.ended:
		return j.errClosed()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	return <-c.done
}

const (
	maxScrubbed = 64 << 20 // bytes of frames that Scrub writes anew while all who append wait
	scrubTries  = 50
	scrubPause  = 100 * time.Millisecond
)

// Scrub overwrites what trimmed frames have left where the journal is kept, in free pages and in the write-ahead log.
// What was put aside as damaged stays. It is Unavailable while more than 64 MiB wait to be trimmed: those are written
// anew, and whoever appends waits meanwhile.
func (j *Journal) Scrub(ctx context.Context) error {
	for range scrubTries {
		err := j.between(ctx, "scrub", j.scrub)
		if !errors.Is(err, errInUse) {
			return err
		}
		select {
		case <-time.After(scrubPause):
		case <-ctx.Done():
			return fmt.Errorf("scrub: %w", ctx.Err())
		}
	}
	return tallystick.Errorf(tallystick.Unavailable, "the journal %q is read all the time, so that nothing can be overwritten", j.options.Dir).
		WithHint("try again")
}

// scrub is Scrub on the writing goroutine.
func (j *Journal) scrub() error {
	if err := j.stopped(); err != nil {
		return err
	}
	j.mu.Lock()
	stored := j.stored
	j.mu.Unlock()
	if stored > maxScrubbed {
		return tallystick.Errorf(tallystick.Unavailable, "%d MiB wait in the journal %q, so that its free room is not overwritten now", stored>>20, j.options.Dir).
			WithHint("try again when they are in segments")
	}
	err := j.log.Scrub(context.Background())
	if err != nil && !errors.Is(err, errInUse) {
		return j.fail(err)
	}
	return err
}

// trim removes some blocks, on the writing goroutine.
func (j *Journal) trim(to uint64) (more bool, err error) {
	if err := j.stopped(); err != nil {
		return false, err
	}
	if to <= j.head.trimmed {
		return false, nil
	}
	trimmed, freed, err := j.log.Trim(context.Background(), Trim{To: to, Receipts: j.memory.pack, Forget: j.memory.oldest()})
	if err != nil {
		return false, j.fail(err)
	}
	j.mu.Lock()
	j.stored -= freed
	j.head.trimmed = trimmed
	head := j.head
	j.mu.Unlock()
	if trimmed < to || j.mark == nil {
		return trimmed < to, nil
	}
	if err := j.mark.settle(head); err != nil {
		return false, j.fail(err)
	}
	j.mu.Lock()
	j.head.settled = j.head.sequence
	j.mu.Unlock()
	return false, nil
}
