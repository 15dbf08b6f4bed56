package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera"

	"github.com/tallystick/tallystick"
)

const (
	publishPoll = 500 * time.Microsecond // while a signed checkpoint is on its way to disk

	gcStateFile = stateDir + "/gcState"
	// Tessera collects about 100 bundles an interval. The pass that reaches the goal is seen well before
	// the next one begins.
	collectInterval = 20 * time.Millisecond
	collectTimeout  = 30 * time.Second
)

// Checkpoint returns a published checkpoint, as a signed note, that covers at least the first atLeast
// entries. It waits for one until ctx ends; the anchor holds it when Checkpoint returns.
func (l *Log) Checkpoint(ctx context.Context, atLeast uint64) ([]byte, error) {
	for {
		l.mu.Lock()
		published, changed, size, fatal := l.published, l.changed, l.size, l.fatal
		l.mu.Unlock()
		switch {
		case fatal != nil:
			return nil, fatal
		case published.raw != nil && published.Size >= atLeast:
			return bytes.Clone(published.raw), nil
		case atLeast > size:
			return nil, tallystick.Errorf(tallystick.Invalid, "checkpoint of %d entries of a ledger of %d", atLeast, size)
		}
		select {
		case <-changed:
		case <-l.dead:
		case <-l.ctx.Done():
			return nil, l.closedError()
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a checkpoint of %d entries: %w", atLeast, ctx.Err())
		}
	}
}

// watch anchors each checkpoint that is signed, while Tessera writes it to the disk, follows it there and
// tells who waits. So the anchor may be ahead of the published checkpoint, never of the tree.
func (l *Log) watch() {
	poll := time.NewTicker(publishPoll)
	defer poll.Stop()
	for {
		select {
		case <-l.signed:
		case <-l.dead:
			return
		case <-l.ctx.Done():
			return
		}
		signed := l.signer.newest()
		if err := l.writeAnchor(signed); err != nil {
			_ = l.fail(err)
			return
		}
		var cp checkpoint
		for {
			var err error
			if cp, err = readCheckpoint(l.cfg.Dir, l.cfg.Origin); err == nil && cp.Size >= signed.Size {
				break
			}
			select { // a checkpoint that never comes is found by the next signature
			case <-poll.C:
			case <-l.dead:
				return
			case <-l.ctx.Done():
				return
			}
		}
		if cp.Size > signed.Size {
			continue // signed meanwhile, and to be anchored first
		}
		if err := l.publish(cp); err != nil {
			_ = l.fail(err)
			return
		}
	}
}

// publish wakes those who wait for a checkpoint that is anchored and has appeared on disk.
func (l *Log) publish(cp checkpoint) error {
	if err := cp.verify(l.cfg.Verifiers); err != nil {
		return damaged(checkpointFile, "%v", err)
	}
	l.mu.Lock()
	l.published = cp
	close(l.changed)
	l.changed = make(chan struct{})
	if full := cp.Size / tileWidth * tileWidth; full > l.collected && l.collecting == nil {
		l.collecting = make(chan struct{})
		l.work.Go(func() { l.collect(full) })
	}
	l.mu.Unlock()
	if l.cfg.Published != nil {
		l.cfg.Published()
	}
	return nil
}

// collect removes the partial files below index full that complete ones have replaced. An appender
// of Tessera's does it, for as long as it takes: on a timer, its collector would write its state
// file for ever in an idle log, and never come to run in a process that lives for a second.
func (l *Log) collect(full uint64) {
	err := l.collectUpTo(full)
	if err != nil && l.ctx.Err() == nil {
		l.cfg.Logger.LogAttrs(l.ctx, slog.LevelWarn, "obsolete ledger files stay for now", slog.String("dir", l.cfg.Dir), slog.Any("cause", err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.collected = full
	}
	close(l.collecting)
	l.collecting = nil
}

func (l *Log) collectUpTo(full uint64) error {
	ctx, cancel := context.WithTimeout(l.ctx, collectTimeout)
	defer cancel()
	opts := l.silentOptions().WithGarbageCollectionInterval(collectInterval)
	if _, _, _, err := tessera.NewAppender(ctx, l.driver, opts); err != nil {
		return err
	}
	poll := time.NewTicker(publishPoll)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if done, err := readCollected(l.cfg.Dir); err == nil && done >= full {
			return nil
		}
	}
}

// awaitCollection waits for the collection that is under way, if there is one.
func (l *Log) awaitCollection(ctx context.Context) {
	l.mu.Lock()
	collecting := l.collecting
	l.mu.Unlock()
	if collecting == nil {
		return
	}
	select {
	case <-collecting:
	case <-ctx.Done():
	}
}

// readCollected returns the index below which Tessera has collected.
func readCollected(dir string) (uint64, error) {
	raw, err := readFile(filepath.Join(dir, gcStateFile), nil, maxState)
	if err != nil {
		return 0, err
	}
	var s struct {
		FromSize uint64 `json:"fromSize"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, damaged(gcStateFile, "%v", err)
	}
	if again, err := json.Marshal(s); err != nil || !bytes.Equal(raw, again) || s.FromSize%tileWidth != 0 {
		return 0, damaged(gcStateFile, "it is not in the form that the log writes")
	}
	return s.FromSize, nil
}
