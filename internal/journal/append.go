package journal

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
)

// request is one batch on its way through the writing goroutine.
type request struct {
	id      BatchID
	frame   []byte
	state   atomic.Int32 // one of the three below
	receipt Receipt
	err     error
	done    chan struct{} // receives when receipt and err are there; room for one
}

const (
	waiting   int32 = iota
	taken           // by the writing goroutine
	withdrawn       // by the caller: it will not be written
)

// FullError is in the chain of the error of a batch that was not taken because the journal is full.
type FullError struct {
	// Stored says that too much is durable and not yet trimmed; else too much is on its way to the disk.
	Stored bool
	// RetryAfter is the time after which trying again makes sense, in whole seconds, at least one.
	RetryAfter time.Duration
}

func (e *FullError) Error() string {
	if e.Stored {
		return "too much waits to be put away"
	}
	return "too much waits for the disk"
}

const (
	storedPause = 10 * time.Second // the time until something may have been put away
	longestWait = 30 * time.Second
)

// Append makes a batch durable and returns where it is. Of a batch whose id is known nothing is written,
// and the receipt is that of the first time.
//
// An error is one of these. Invalid: the payload has no records, or is too large. [FullError]: not
// taken for want of room, and never half. [ErrOutcomeUnknown]: the context ended, or the journal stopped,
// while it was being written. Any other: it is not in the journal.
func (j *Journal) Append(ctx context.Context, b Batch) (Receipt, error) {
	if b.Payload == nil || b.Payload.records == 0 {
		return Receipt{}, tallystick.Errorf(tallystick.Invalid, "a batch of no records")
	}
	if n := b.Payload.Len(); n > MaxPayload {
		return Receipt{}, tallystick.Errorf(tallystick.Invalid, "a batch of %d bytes, the limit is %d", n, MaxPayload).
			WithHint("send it in parts")
	}
	if err := ctx.Err(); err != nil {
		return Receipt{}, fmt.Errorf("append: not written: %w", err)
	}
	frame := b.Payload.frame
	if err := j.reserve(int64(len(frame))); err != nil {
		return Receipt{}, err
	}
	begin(frame, kindBatch, b.ID, b.Payload.records)
	r := &request{id: b.ID, frame: frame, done: make(chan struct{}, 1)}
	if err := j.enqueue(r); err != nil {
		return Receipt{}, err
	}
	select {
	case <-r.done:
		return r.receipt, r.err
	case <-ctx.Done():
	}
	if r.state.CompareAndSwap(waiting, withdrawn) {
		return Receipt{}, fmt.Errorf("append: not written: %w", ctx.Err())
	}
	return Receipt{}, fmt.Errorf("append: %w: %w", ErrOutcomeUnknown, ctx.Err())
}

// reserve takes room for size bytes, in memory and on the disk.
func (j *Journal) reserve(size int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.stopped(); err != nil {
		return err
	}
	if j.closed {
		return j.errClosed()
	}
	switch {
	case j.waiting+size > j.options.MaxWaiting:
		wait := time.Duration(float64(j.pace) * float64(j.waiting) / (1 << 20))
		return j.full(&FullError{RetryAfter: min(wait, longestWait).Truncate(time.Second) + time.Second})
	case j.stored+j.waiting+size > j.options.MaxStored:
		return j.full(&FullError{Stored: true, RetryAfter: storedPause})
	}
	j.waiting += size
	return nil
}

func (j *Journal) full(e *FullError) error {
	full := tallystick.Errorf(tallystick.Unavailable, "the journal %q is full: %w", j.options.Dir, e)
	return full.WithHint("send the batch again in %d seconds", int(e.RetryAfter.Seconds()))
}

// enqueue hands a request, for which there is room, to the writing goroutine.
func (j *Journal) enqueue(r *request) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		j.waiting -= int64(len(r.frame))
		return j.errClosed()
	}
	j.queue = append(j.queue, r)
	before := j.queued
	j.queued += int64(len(r.frame))
	if len(j.queue) == 1 || before < aheadBytes && j.queued >= aheadBytes {
		j.ring()
	}
	return nil
}

// ring wakes the writing goroutine.
func (j *Journal) ring() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
