package policy

import (
	"sync"

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
