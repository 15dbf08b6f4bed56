package journal

import (
	"context"
	"fmt"

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
		c := &chore{done: make(chan error, 1)}
		c.do = func() (err error) {
			more, err = j.trim(to)
			return err
		}
		select {
		case j.chores <- c:
		case <-j.ended:
			return j.errClosed()
		case <-ctx.Done():
			return fmt.Errorf("trim: %w", ctx.Err())
		}
		if err := <-c.done; err != nil {
			return err
		}
	}
	return nil
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
