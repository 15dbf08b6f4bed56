package policy

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
)

// Use is a stretch of time in which one policy was in force for a tier, as far as events tell.
type Use struct {
	Digest      tallystick.Digest
	Tier        string
	First, Last time.Time // of the events that say so
	FirstEvent  uint64    // their sequences
	LastEvent   uint64
	Times       int // events that say so
}

// Timeline is which policies were in force when: events that name one, in the order of the trail.
type Timeline struct{ uses []Use }

// Add notes that an event names the policy of a tier. The tier may be unknown.
func (t *Timeline) Add(tier string, d tallystick.Digest, at time.Time, event uint64) {
	for i := len(t.uses) - 1; i >= 0; i-- {
		u := &t.uses[i]
		if u.Tier != tier {
			continue
		}
		if u.Digest != d {
			break
		}
		u.Last, u.LastEvent, u.Times = at, event, u.Times+1
		return
	}
	t.uses = append(t.uses, Use{Digest: d, Tier: tier, First: at, Last: at, FirstEvent: event, LastEvent: event, Times: 1})
}

// Stretches returns every use, in the order of its first event. One that comes back is another use.
func (t *Timeline) Stretches() []Use { return slices.Clone(t.uses) }

// Policies returns each policy once, from its first use to its last, in the order of the first.
func (t *Timeline) Policies() (all []Use) {
	for _, u := range t.uses {
		i := slices.IndexFunc(all, func(a Use) bool { return a.Digest == u.Digest })
		if i < 0 {
			all = append(all, u)
			continue
		}
		all[i].Last, all[i].LastEvent, all[i].Times = u.Last, u.LastEvent, all[i].Times+u.Times
	}
	return all
}
