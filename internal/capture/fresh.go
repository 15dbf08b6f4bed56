package capture

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/journal"
)

// freshEvery is how often readers may have the journal cut.
const freshEvery = time.Second

// freshness says up to where the journal is in segments, for readers.
type freshness struct {
	turn  chan struct{} // holds one while a reader cuts, or waits to
	until journal.Receipt
	since time.Time // when the last cut for a reader began
}

// Fresh returns once everything that was acknowledged before the call is in segments, so that whoever reads
// those misses nothing of it. If something is still in the journal it is cut: once for all who ask meanwhile, and
// once a second at most, so a caller may wait that long.
func (c *Capture) Fresh(ctx context.Context) error {
	want := c.config.Journal.Head()
	select {
	case c.fresh.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.fresh.turn }()
	if covers(c.fresh.until, want) {
		return nil
	}
	if wait := freshEvery - time.Since(c.fresh.since); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.fresh.since = time.Now()
	until := c.config.Journal.Head()
	if err := c.Cut(ctx); err != nil {
		return err
	}
	c.fresh.until = until
	return nil
}

// covers reports whether what is in segments up to one frame has another in it. Sequences go on from one shard of a
// journal to the next.
func covers(until, frame journal.Receipt) bool {
	return until.Sequence >= frame.Sequence && until.Shard != journal.Shard{}
}
