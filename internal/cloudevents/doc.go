// Package cloudevents takes predictions in as KServe's logger sends them: a CloudEvent with the request, and
// one with the response, joined by their ids alone. What waits for its other half is kept in memory, bounded
// by bytes and time; a half that stays alone becomes a record that says so.
//
// Decision 0024 says why it is so.
package cloudevents

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/capture"
)

const (
	maxBody    = 8 << 20  // bytes of an event
	maxWaiting = 32 << 20 // bytes of halves that wait
	maxRows    = 10_000   // of a request
	maxReading = 4        // events that are read at once
	bodyWait   = 20 * time.Second
	wait       = 2 * time.Minute // for the other half
	tick       = 5 * time.Second // between looks at what has waited too long
	remembered = 16_384          // halves that are on record
)

// Recorder takes predictions in, as [capture.Capture] does.
type Recorder interface {
	Accept(ctx context.Context, b capture.Batch) (capture.Answer, error)
}

// Doorkeeper says who sends, by the token that he presents, if he may record predictions. Otherwise the
// error is Unauthorized or Forbidden.
type Doorkeeper interface {
	Enter(ctx context.Context, token string) (sender string, err error)
}

// Config says what a receiver works with. All fields are required.
type Config struct {
	Recorder   Recorder
	Doorkeeper Doorkeeper
	Logger     *slog.Logger
	Now        func() time.Time
}

// Receiver takes events in. It is an [http.Handler] and a [prometheus.Collector].
type Receiver struct {
	config   Config
	bodyWait time.Duration
	reading  chan struct{}
	counts   *counts

	mu      sync.Mutex
	waiting map[key]*half
	order   []*half // by arrival; those that are no longer in waiting are skipped
	bytes   int     // of waiting
	done    ring
}

// New returns a receiver.
func New(config Config) *Receiver {
	r := &Receiver{config: config, bodyWait: bodyWait, reading: make(chan struct{}, maxReading), waiting: map[key]*half{}, done: newRing()}
	r.counts = newCounts(func() float64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		return float64(r.bytes)
	})
	return r
}
