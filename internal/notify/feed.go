package notify

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/internal/trail"
)

const (
	feedPage = 256  // events read at a time
	feedKept = 1024 // newest events kept for those who follow closely
)

// feed reads the trail for all subscriptions: what one of those at its end has read and decoded, the
// others need not.
type feed struct {
	trail       *trail.Reader
	definitions map[trail.Type]trail.Definition

	mu     sync.Mutex
	newest []item // under mu; in order, without a gap
}

func newFeed(reader *trail.Reader) *feed {
	f := &feed{trail: reader, definitions: map[trail.Type]trail.Definition{}}
	for _, d := range trail.Definitions() {
		f.definitions[d.Type] = d
	}
	return f
}

// after returns events behind a sequence, in order; none at the end of the trail.
func (f *feed) after(ctx context.Context, sequence uint64) ([]item, error) {
	f.mu.Lock()
	first, last := uint64(0), uint64(0)
	if n := len(f.newest); n > 0 {
		first, last = f.newest[0].Sequence, f.newest[n-1].Sequence
	}
	if first > 0 && sequence+1 >= first && sequence < last {
		kept := f.newest[sequence+1-first:]
		f.mu.Unlock()
		return kept, nil
	}
	if sequence < last { // far behind: it reads for itself
		f.mu.Unlock()
		return f.read(ctx, sequence)
	}
	defer f.mu.Unlock() // who comes meanwhile waits for what is being read
	if sequence > last {
		f.newest = nil
	}
	items, err := f.read(ctx, sequence)
	if len(items) > 0 {
		// A new slice: others may still look at the one before.
		kept := append(f.newest[:len(f.newest):len(f.newest)], items...)
		f.newest = kept[max(0, len(kept)-feedKept):]
	}
	return items, err
}

func (f *feed) read(ctx context.Context, sequence uint64) ([]item, error) {
	events, err := f.trail.Events(ctx, trail.Filter{After: sequence, Limit: feedPage})
	if err != nil {
		return nil, err
	}
	items := make([]item, 0, len(events))
	for _, e := range events {
		definition, known := f.definitions[e.Type]
		if !known { // of a newer program
			definition = trail.Definition{Type: e.Type, Title: e.Type.Short()}
		}
		items = append(items, newItem(e, definition))
	}
	return items, nil
}
