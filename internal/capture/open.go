package capture

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/journal"
)

// New returns a capture, which knows the batches that are in the journal.
func New(ctx context.Context, config Config) (*Capture, error) {
	c := &Capture{
		config: config, known: map[name]*sent{}, fresh: freshness{turn: make(chan struct{}, 1)},
		bodies: body.NewKeeper(config.Catalog, config.Key), latencies: newLatencies(),
	}
	settled := make(chan struct{})
	close(settled)
	for entry, err := range config.Journal.Read(ctx, 0) {
		if err != nil {
			return nil, fmt.Errorf("read the batches in the journal: %w", err)
		}
		if entry.Batch == (journal.BatchID{}) {
			continue
		}
		c.known[nameOf(entry.Batch)] = &sent{id: entry.Batch, receipt: placeOf(entry), done: settled}
	}
	return c, nil
}
