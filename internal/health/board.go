package health

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// Bounds of a board.
const (
	maxBoard   = 10_000 // models, some 2 kB each
	boardPage  = 200
	boardEvery = 5 * time.Minute
	boardShare = 4 // times as long as looking at a model took, nothing is done
)

// Board keeps in memory how models stood when they were looked at last. To look at one takes milliseconds, and more where its
// labels are counted: too long for a list of many. Make one with NewBoard.
type Board struct {
	office *Office
	logger *slog.Logger

	mu    sync.RWMutex
	known map[string]Health // under mu
}

// NewBoard returns an empty board of an office.
func NewBoard(o *Office, logger *slog.Logger) *Board {
	return &Board{office: o, logger: logger, known: map[string]Health{}}
}

// Run looks at all models again and again, until ctx ends. It works a fifth of the time at most.
func (b *Board) Run(ctx context.Context) error {
	for {
		if err := b.Round(ctx, boardShare); err != nil && ctx.Err() == nil {
			b.logger.WarnContext(ctx, "how models stand cannot be told in lists", slog.Any("error", err))
		}
		if !wait(ctx, boardEvery) {
			return nil
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Round looks at every model once, and after each does nothing for pause times as long as that took. A model that is retired,
// or beyond the first 10,000 by name, is on the board no more.
func (b *Board) Round(ctx context.Context, pause int) error {
	seen, after := map[string]bool{}, ""
	for len(seen) < maxBoard {
		models, err := b.office.config.Catalog.Models(ctx, catalog.ModelFilter{After: after, Limit: boardPage})
		if err != nil {
			return err
		}
		for _, m := range models {
			after = m.Name
			if m.State == catalog.Retired || len(seen) == maxBoard {
				continue
			}
			begun := time.Now()
			h, err := b.office.Of(ctx, m.Name)
			if tallystick.CodeOf(err) == tallystick.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			seen[m.Name] = true
			b.mu.Lock()
			b.known[m.Name] = h
			b.mu.Unlock()
			if pause > 0 && !wait(ctx, time.Duration(pause)*time.Since(begun)) {
				return ctx.Err()
			}
		}
		if len(models) < boardPage {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.known {
		if !seen[name] {
			delete(b.known, name)
		}
	}
	return nil
}

// Of returns how a model stood when it was looked at last; false: it was not yet.
func (b *Board) Of(model string) (h Health, known bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	h, known = b.known[model]
	return h, known
}

// Ranked returns the names of the models on the board, those that stand worst first and those of which nothing is known last.
func (b *Board) Ranked() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	names := make([]string, 0, len(b.known))
	for name := range b.known {
		names = append(names, name)
	}
	score := func(name string) int {
		if s := b.known[name].Score; s != nil {
			return *s
		}
		return 101
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(score(x), score(y)), cmp.Compare(x, y)) })
	return names
}
