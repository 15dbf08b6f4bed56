package policy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

// Packs returns a function that gives the pack of a tier, as Load does, and loads each once.
func Packs(dir string) func(tallystick.Tier) (*Pack, error) {
	loads := map[tallystick.Tier]func() (*Pack, error){}
	for _, tier := range tiers {
		loads[tier] = sync.OnceValues(func() (*Pack, error) { return Load(dir, tier) })
	}
	return func(tier tallystick.Tier) (*Pack, error) {
		load, known := loads[tier]
		if !known {
			_, err := tallystick.ParseTier(string(tier))
			return nil, err
		}
		return load()
	}
}

// loadLasts is for how long a policy may be compiled. The compiler cannot be stopped, and what takes it long grows with the square of a
// file, or faster.
const loadLasts = time.Minute

// Loaded is Packs once all of them are loaded: an error is what is wrong with dir, and what is in dir later has no effect.
func Loaded(ctx context.Context, dir string) (func(tallystick.Tier) (*Pack, error), error) {
	ctx, cancel := context.WithTimeout(ctx, loadLasts)
	defer cancel()
	packs, loaded := Packs(dir), make(chan error, 1)
	go func() {
		for _, tier := range tiers {
			if _, err := packs(tier); err != nil {
				loaded <- err
				return
			}
		}
		loaded <- nil
	}()
	select {
	case err := <-loaded:
		return packs, err
	case <-ctx.Done():
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		return nil, tallystick.Errorf(tallystick.Invalid, "policy directory %q is not compiled after %s", dir, loadLasts).
			WithHint("split its largest rules, and shorten long chains of else")
	}
}
