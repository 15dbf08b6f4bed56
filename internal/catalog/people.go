package catalog

import (
	"context"

	"github.com/tallystick/tallystick/internal/trail"
)

// People know the names of those whom the trail knows by an id.
type People interface {
	// Names returns the names of those of the ids, at most 1,000, that have one.
	Names(ctx context.Context, ids []string) (map[string]string, error)
}

// Persons returns the ids of those whom an event names: who acted, and on whom. data is the event's, as
// far as it is open.
func Persons(e trail.Event, data map[string]any) (ids []string) {
	if e.Actor != "" {
		ids = append(ids, e.Actor)
	}
	for _, field := range []string{"user", "minter"} {
		if id, ok := data[field].(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// namesOf returns the names of the people in some touches, for who may see them.
func namesOf(ctx context.Context, personal bool, people People, touches []touch) (map[string]string, error) {
	if !personal || people == nil {
		return nil, nil
	}
	var ids []string
	for _, t := range touches {
		ids = append(ids, Persons(t.Event, t.data)...)
	}
	return people.Names(ctx, ids)
}
