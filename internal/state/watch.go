package state

import (
	"context"
	"sync"
)

// watchers are the channels of those who wait for changes.
type watchers struct {
	mu        sync.Mutex
	set       map[chan struct{}]struct{} // under mu
	listening bool                       // under mu
	ended     bool                       // under mu

	dialect dialect
	end     context.CancelFunc
	ctx     context.Context //nolint:containedctx // ends the listener
	done    sync.WaitGroup
}

func (w *watchers) start(d dialect) {
	w.set = make(map[chan struct{}]struct{})
	w.dialect = d
	w.ctx, w.end = context.WithCancel(context.Background())
}

func (w *watchers) stop() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.end()
	w.done.Wait()
}

// Watch returns a channel that receives after a change has been committed; changes that come before
// the receiver looks are told once. Those of other processes are told too if the database is
// PostgreSQL. stop ends the watch.
func (db *DB) Watch() (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	w := &db.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set[ch] = struct{}{}
	if !w.listening && !w.ended {
		w.listening = true // from the first watch on: most processes never watch
		w.done.Go(func() { w.dialect.listen(w.ctx, w.notify) })
	}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.set, ch)
	}
}

func (w *watchers) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.set {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
