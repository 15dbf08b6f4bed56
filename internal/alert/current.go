package alert

import (
	"context"
	"time"
)

// Lister tells of alerts on record, what was raised last first. *Office does.
type Lister interface {
	Alerts(ctx context.Context, f Filter) ([]Alert, error)
}

// Current returns every alert that a filter chooses and that fires, and then those that have fired and were resolved at a
// moment or later; of each kind what was raised last first. However many have fired before, none that fires is left out.
func Current(ctx context.Context, from Lister, f Filter, resolvedSince time.Time) (all []Alert, err error) {
	firing, ended := f, f
	firing.State, ended.State, ended.ResolvedSince = Firing, Ended, resolvedSince
	for _, f := range []Filter{firing, ended} {
		for f.Limit = maxListed; ; {
			found, err := from.Alerts(ctx, f)
			if err != nil {
				return nil, err
			}
			for _, a := range found {
				if !a.Fired.IsZero() { // else it was pending and came to nothing
					all = append(all, a)
				}
			}
			if len(found) < maxListed {
				break
			}
			f.Before = found[len(found)-1].Event
		}
	}
	return all, nil
}
