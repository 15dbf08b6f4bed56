package dossier

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

const (
	pageEvents = 1000  // that are read at a time
	maxContext = 20000 // events that a package takes besides those it is about
)

// houseTypes are about the installation: whose keys count, since when, who watches, and which policy is in force.
func houseTypes() []trail.Type {
	return []trail.Type{
		trail.WorkspaceCreated, trail.WorkspaceRestored, trail.KeyCreated, trail.KeyRotated, trail.KeyCompromised,
		trail.SignerAdded, trail.SignerRevoked, trail.WitnessesChosen, trail.PolicyChanged, trail.PolicyConfirmed,
	}
}

// originTypes say what a model was when the period began.
func originTypes() []trail.Type {
	return []trail.Type{trail.ModelRegistered, trail.ModelReregistered, trail.ModelUpdated, trail.ModelRetired, trail.VersionRegistered, trail.VersionMarked}
}

// surroundings returns the events that those about the model cannot be judged without: of the
// installation's keys, of the model before the period, freezes of everything, and the export.
func (b *builder) surroundings(ctx context.Context) ([]trail.Event, error) {
	before := b.export.Sequence + 1
	var filters []trail.Filter
	for _, kind := range houseTypes() {
		filters = append(filters, trail.Filter{Type: kind, Before: before})
	}
	if !b.request.From.IsZero() {
		for _, kind := range originTypes() {
			filters = append(filters, trail.Filter{Type: kind, Model: b.request.Model, Until: b.request.From, Before: before})
		}
	}
	for _, kind := range []trail.Type{trail.FreezeDeclared, trail.FreezeLifted} {
		filters = append(filters, trail.Filter{Type: kind, Since: b.request.From, Until: b.request.Until, Before: before})
	}
	events := []trail.Event{b.export}
	for _, f := range filters {
		f.Limit = pageEvents
		for e, err := range b.office.config.Workspace.Trail.All(ctx, f) {
			if err != nil {
				return nil, err
			}
			version, _ := e.Sealed()["version"].(string)
			if e.Model != "" && (e.Model != b.request.Model || version != "" && b.request.Version != "" && version != b.request.Version) {
				continue
			}
			if events = append(events, e); len(events) > maxContext {
				return nil, tallystick.Errorf(tallystick.Invalid, "more than %d events of the installation would have to be in it", maxContext)
			}
		}
	}
	return events, nil
}

// stretch finds the part of the trail that is taken whole: from the event before the period to the one
// after it.
func (b *builder) stretch(ctx context.Context) (*verify.Stretch, error) {
	s := &verify.Stretch{First: 1, Last: b.export.Sequence}
	first, err := b.one(ctx, trail.Filter{Since: b.request.From, Before: b.export.Sequence + 1})
	if err != nil {
		return nil, err
	}
	if !b.request.From.IsZero() {
		s.First = max(first, 2) - 1
	}
	after, err := b.one(ctx, trail.Filter{Since: b.request.Until, Before: b.export.Sequence + 1})
	if err != nil {
		return nil, err
	}
	s.Last = min(s.Last, after)
	return s, nil
}

// one returns the sequence of the first event that f chooses.
func (b *builder) one(ctx context.Context, f trail.Filter) (uint64, error) {
	f.Limit = 1
	found, err := b.office.config.Workspace.Trail.Events(ctx, f)
	if err != nil || len(found) == 0 {
		return math.MaxInt64, err
	}
	return found[0].Sequence, nil
}

// chosen yields all events of the package in the order of the trail, each once.
func (b *builder) chosen(ctx context.Context) iter.Seq2[trail.Event, error] {
	return func(yield func(trail.Event, error) bool) {
		around, err := b.surroundings(ctx)
		f := trail.Filter{Model: b.request.Model, Since: b.request.From, Until: b.request.Until, Before: b.export.Sequence + 1, Limit: pageEvents}
		if err == nil && b.request.Complete {
			b.index.Complete, err = b.stretch(ctx)
			if err == nil {
				f = trail.Filter{After: b.index.Complete.First - 1, Before: b.index.Complete.Last + 1, Limit: pageEvents}
			}
		}
		if err != nil {
			yield(trail.Event{}, err)
			return
		}
		slices.SortFunc(around, func(a, b trail.Event) int { return cmp.Compare(a.Sequence, b.Sequence) })
		around = slices.CompactFunc(around, func(a, b trail.Event) bool { return a.Sequence == b.Sequence })
		b.around = make(map[uint64]bool, len(around))
		for _, e := range around {
			b.around[e.Sequence] = true
		}
		for e, err := range ahead(ctx, b.office.config.Workspace.Trail, f) {
			if err != nil {
				yield(e, err)
				return
			}
			for len(around) > 0 && around[0].Sequence < e.Sequence {
				if !yield(around[0], nil) {
					return
				}
				around = around[1:]
			}
			if len(around) > 0 && around[0].Sequence == e.Sequence {
				around = around[1:]
			} else if version, names := e.Sealed()["version"].(string); !b.request.Complete && names && b.request.Version != "" && version != b.request.Version {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
		for _, e := range around {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// ahead yields the events that f chooses. The next page is read while the caller works on one.
func ahead(ctx context.Context, from *trail.Reader, f trail.Filter) iter.Seq2[trail.Event, error] {
	type page struct {
		events []trail.Event
		err    error
	}
	return func(yield func(trail.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan page)
		defer func() { // it does not outlive the caller
			cancel()
			for range pages {
			}
		}()
		go func() {
			defer close(pages)
			for {
				events, err := from.Events(ctx, f)
				select {
				case pages <- page{events, err}:
				case <-ctx.Done():
					return
				}
				if err != nil || len(events) < f.Limit {
					return
				}
				f.After = events[len(events)-1].Sequence
			}
		}()
		for p := range pages {
			for _, e := range p.events {
				if !yield(e, nil) {
					return
				}
			}
			if p.err != nil {
				yield(trail.Event{}, p.err)
				return
			}
		}
	}
}
