package otlp

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/tallystick/tallystick"
)

const (
	// maxRoom bounds the bodies of all exports under way, in bytes. Decoded they take several times as much.
	maxRoom  = 32 << 20
	roomWait = 2 * time.Second  // for room
	bodyWait = 20 * time.Second // for a body
	portion  = 256 << 10        // bytes: that for which room is made at once
)

// tooLargeError says that a body is larger than MaxBody.
type tooLargeError struct{}

func (tooLargeError) Error() string { return "the export is larger than the limit" }

func errTooLarge() error {
	return tallystick.Errorf(tallystick.Invalid, "the export has more than %d MiB after decompression: %w", MaxBody>>20, tooLargeError{}).WithHint("export fewer at once")
}

// crowdedError says after which time it makes sense to try again.
type crowdedError struct{ after time.Duration }

func (crowdedError) Error() string { return "no room" }

func errCrowded() error {
	return tallystick.Errorf(tallystick.Unavailable, "too many exports are under way: %w", crowdedError{time.Second}).WithHint("send it again in a second")
}

// room is what there is for bodies.
type room struct{ free *semaphore.Weighted }

func newRoom(size int64) *room { return &room{semaphore.NewWeighted(size)} }

// enter waits for room for n bytes.
func (r *room) enter(ctx context.Context, n int64) (*place, error) {
	waiting, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if err := r.free.Acquire(waiting, n); err != nil {
		return nil, errors.Join(ctx.Err(), errCrowded())
	}
	return &place{r, n}, nil
}

// place is the room that one body has.
type place struct {
	room *room
	size int64
}

// shrink gives back what a body did not take.
func (p *place) shrink(size int64) {
	if size < p.size {
		p.room.free.Release(p.size - size)
		p.size = size
	}
}

func (p *place) leave() { p.room.free.Release(p.size) }

// read reads a body and makes room for it as it grows. It does not wait for more: two that do could wait for
// each other.
func (p *place) read(from io.Reader) ([]byte, error) {
	body := make([]byte, 0, portion)
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBody:
			return nil, errTooLarge()
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) < cap(body):
			continue
		}
		size := min(2*cap(body), MaxBody+1)
		if more := int64(size) - p.size; more > 0 {
			if !p.room.free.TryAcquire(more) {
				return nil, errCrowded()
			}
			p.size += more
		}
		grown := make([]byte, len(body), size)
		copy(grown, body)
		body = grown
	}
}
