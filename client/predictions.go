package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

// PredictionsConfig says where predictions wait, and to whom they go. Client and Dir are required.
type PredictionsConfig struct {
	Client *Client
	// Dir is a directory of the predictions' own. One process at a time may use it.
	Dir string
	// MaxBytes bounds what lies in it. Zero means 64 MiB.
	MaxBytes int64
	// Trouble is told why nothing could be sent, each time, and what the server did not take. It must return
	// soon. Nil tells nobody.
	Trouble func(error)

	now  func() time.Time                                 // for tests
	wait func(ctx context.Context, d time.Duration) error // likewise
}

// Predictions records predictions on a device whose server is not always there. What Record returns for lies
// on the device's disk, until Run has sent it and the server has said that it is durable there. Batches are
// sent in the order in which they were recorded, each under an id of its own, so that one that is sent twice is kept once.
//
// What the server does not take is not thrown away: it goes to the directory rejected in Dir, with the
// reason, counts towards MaxBytes, and stays until somebody deletes it.
type Predictions struct {
	config   PredictionsConfig
	rejected string

	mu     sync.Mutex
	queue  []waiting // in order
	size   int64     // of the files, the rejected ones too
	next   uint64
	wake   chan struct{} // holds one after something was recorded
	empty  chan struct{} // closed while nothing waits
	closed bool
}

// waiting is a batch in a file.
type waiting struct {
	name string // NUMBER-ID.ndjson.gz
	size int64
}

func (b waiting) id() string {
	_, rest, _ := strings.Cut(b.name, "-")
	return strings.TrimSuffix(rest, suffix)
}

const suffix = ".ndjson.gz"

// NewPredictions opens the directory, creates it if there is none, and finds what still waits there.
func NewPredictions(config PredictionsConfig) (*Predictions, error) {
	config.MaxBytes = cmp.Or(config.MaxBytes, 64<<20)
	if config.now == nil {
		config.now = time.Now
	}
	if config.wait == nil {
		config.wait = sleep
	}
	if config.Trouble == nil {
		config.Trouble = func(error) {}
	}
	p := &Predictions{config: config, rejected: filepath.Join(config.Dir, "rejected"), next: 1, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(p.empty)
	if err := os.MkdirAll(p.rejected, 0o700); err != nil {
		return nil, fmt.Errorf("open the buffer of predictions: %w", err)
	}
	if err := p.find(); err != nil {
		return nil, fmt.Errorf("open the buffer of predictions %q: %w", config.Dir, err)
	}
	return p, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// find reads the directory. What was not put away in whole was never acknowledged, and goes.
func (p *Predictions) find() error {
	entries, err := os.ReadDir(p.config.Dir) // sorted, and so in order
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name(), ".part"):
			if err := os.Remove(filepath.Join(p.config.Dir, e.Name())); err != nil {
				return err
			}
		case strings.HasSuffix(e.Name(), suffix):
			info, err := e.Info()
			if err != nil {
				return err
			}
			var number uint64
			if _, err := fmt.Sscanf(e.Name(), "%d-", &number); err != nil {
				return fmt.Errorf("%s is no batch: %w", e.Name(), err)
			}
			p.next = max(p.next, number+1)
			p.add(waiting{e.Name(), info.Size()})
		}
	}
	away, err := os.ReadDir(p.rejected)
	for _, e := range away {
		if info, err := e.Info(); err == nil {
			p.size += info.Size()
		}
	}
	return err
}

// add puts a batch at the end of the queue.
func (p *Predictions) add(b waiting) {
	if len(p.queue) == 0 {
		p.empty = make(chan struct{})
	}
	p.queue = append(p.queue, b)
	p.size += b.size
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Record puts predictions away as one batch and returns their ids: they are durable on this device, all or
// none. If there is no room it is an Unavailable error, and nothing was put away.
//
// Each call waits for the disk, so who makes many predictions records some at once.
func (p *Predictions) Record(predictions ...Prediction) (ids []string, err error) {
	ids, lines, err := complete(predictions, p.config.now())
	if err != nil {
		return nil, err
	}
	packed, err := pack(lines)
	if err != nil {
		return nil, fmt.Errorf("record predictions: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, tallystick.Errorf(tallystick.Unavailable, "the buffer of predictions %q is closed", p.config.Dir)
	}
	if p.size+int64(len(packed)) > p.config.MaxBytes {
		return nil, tallystick.Errorf(tallystick.Unavailable, "the buffer of predictions %q is full: %d bytes in %d batches wait for the server", p.config.Dir, p.size, len(p.queue)).
			WithHint("is the server reachable? delete what lies in %s once it is dealt with, or give the buffer more room", p.rejected)
	}
	b := waiting{fmt.Sprintf("%020d-%s%s", p.next, rand.Text(), suffix), int64(len(packed))}
	if err := putAway(filepath.Join(p.config.Dir, b.name), packed); err != nil {
		return nil, fmt.Errorf("record predictions: %w", err)
	}
	p.next++
	p.add(b)
	return ids, nil
}

// PredictionsStatus is what lies in a buffer.
type PredictionsStatus struct {
	Batches int   // that wait
	Bytes   int64 // of them, and of what was rejected
}

// Status returns what lies in the buffer.
func (p *Predictions) Status() PredictionsStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PredictionsStatus{len(p.queue), p.size}
}

// Flush waits until all that was recorded before has been sent, which Run does.
func (p *Predictions) Flush(ctx context.Context) error {
	p.mu.Lock()
	empty := p.empty
	p.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d batches of predictions still wait: %w", p.Status().Batches, ctx.Err())
	}
}

// Close makes Record refuse. What waits is found again by the next NewPredictions.
func (p *Predictions) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// first returns the oldest batch that waits.
func (p *Predictions) first() (b waiting, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return b, false
	}
	return p.queue[0], true
}

// drop forgets the oldest batch, of which rejected bytes were kept.
func (p *Predictions) drop(rejected int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.queue[0]
	if err := os.Remove(filepath.Join(p.config.Dir, b.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take a batch of predictions out of the buffer: %w", err)
	}
	p.queue = slices.Delete(p.queue, 0, 1)
	p.size += rejected - b.size
	if len(p.queue) == 0 {
		close(p.empty)
	}
	return syncDir(p.config.Dir)
}
