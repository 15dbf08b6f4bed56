package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// Event is an event of the trail as it travels.
type Event struct {
	Sequence uint64    `json:"sequence" doc:"place on the trail, from 1 without a gap"`
	ID       string    `json:"id"`
	Type     string    `json:"type" doc:"short name of the type, such as model.registered"`
	Time     time.Time `json:"time"`
	Resource string    `json:"resource" doc:"TYPE/ID"`
	Model    string    `json:"model,omitempty"`
	Actor    string    `json:"actor,omitempty" doc:"id of who did it; absent once it has been erased, and for those who may not open sealed fields"`
	Name     string    `json:"actor_name,omitempty" doc:"name of who did it, of a user of the registry"`
	Outcome  string    `json:"outcome,omitempty" doc:"success, denied or failed; absent in an intent"`
	Level    string    `json:"level" doc:"recorded, sealed or witnessed"`
	Index    *uint64   `json:"ledger_index" doc:"of the leaf in the ledger; null until it is sealed"`
	Data     EventData `json:"data" doc:"with sealed fields opened, or their commitments for those who may not open them"`
}

// EventData is a JSON object as the trail has it. Nobody here looks into it: of what a page of events costs, a
// third was to make maps of it and JSON of those.
type EventData struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (EventData) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{}}
}

// newEvent returns e as it travels: sealed fields are open only to those who may read them.
func newEvent(e trail.Event, open bool) (Event, error) {
	data, err := e.AppendData(nil, open)
	if err != nil {
		return Event{}, err
	}
	out := Event{
		Sequence: e.Sequence, ID: e.ID, Type: e.Type.Short(), Time: e.Time, Resource: e.Resource.Type + "/" + e.Resource.ID, Model: e.Model,
		Outcome: string(e.Outcome), Level: string(trail.Recorded), Index: e.Index, Data: EventData{data},
	}
	if open {
		out.Actor = e.Actor
	}
	if e.Index != nil {
		out.Level = string(trail.Sealed)
	}
	return out, nil
}

// newEvents returns events as they travel, with the names of those who acted.
func (s *server) newEvents(ctx context.Context, found []trail.Event, open bool) ([]Event, error) {
	if open {
		if err := s.Cases.Close(ctx, caller(ctx).ID, found); err != nil {
			return nil, err
		}
	}
	events := make([]Event, 0, len(found))
	var actors []string
	for _, e := range found {
		event, err := newEvent(e, open)
		if err != nil {
			return nil, err
		}
		events, actors = append(events, event), append(actors, event.Actor)
	}
	names, err := s.Access.Names(ctx, actors)
	if err != nil {
		return nil, err
	}
	for i := range events {
		events[i].Name = names[events[i].Actor]
	}
	return events, nil
}

// eventQuery chooses events.
type eventQuery struct {
	Type     string    `query:"type" maxLength:"128" doc:"such as model.registered"`
	Actor    string    `query:"actor" maxLength:"512" doc:"name or id; only for those who may open sealed fields"`
	Model    string    `query:"model" maxLength:"128" doc:"that the event is about"`
	Resource string    `query:"resource" maxLength:"512" doc:"TYPE/ID"`
	Outcome  string    `query:"outcome" enum:"success,denied,failed"`
	Since    time.Time `query:"since" doc:"inclusive"`
	Until    time.Time `query:"until" doc:"exclusive"`
	After    uint64    `query:"after" maximum:"9007199254740991" doc:"sequence, exclusive: what lies behind it in the order asked for"`
	Newest   bool      `query:"newest" doc:"newest first"`
	Limit    int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (q eventQuery) filter() (f trail.Filter, err error) {
	f = trail.Filter{Actor: q.Actor, Model: q.Model, Outcome: tallystick.Outcome(q.Outcome), Since: q.Since, Until: q.Until, Newest: q.Newest, Limit: q.Limit}
	if q.Type != "" {
		if f.Type, err = trail.ParseType(q.Type); err != nil {
			return f, err
		}
	}
	f.Resource = resource(q.Resource)
	if f.Newest {
		f.Before = q.After
	} else {
		f.After = q.After
	}
	return f, nil
}

func (s *server) events() {
	ask(s, operation("list-events", http.MethodGet, "/events", "List events of the trail", "trail", http.StatusNotFound),
		func(ctx context.Context, in *eventQuery) (page[Event], error) {
			f, err := in.filter()
			if err != nil {
				return page[Event]{}, err
			}
			if err := s.may(ctx, access.TrailRead, whole, in.Model); err != nil {
				return page[Event]{}, err
			}
			open := s.discloses(ctx)
			if !open && f.Actor != "" {
				return page[Event]{}, tallystick.Errorf(tallystick.Forbidden, "you may not ask what one actor did: actors are sealed").WithHint("an auditor may")
			}
			if f.Actor, err = s.Access.ActorID(ctx, f.Actor); err != nil {
				return page[Event]{}, err
			}
			found, err := s.Workspace.Trail.Events(ctx, f)
			if err == nil { // before the read is recorded, which would put the name on the trail
				err = s.nothingTold(ctx, len(found), f, catalog.Names{Model: f.Model})
			}
			if err != nil {
				return page[Event]{}, err
			}
			var out page[Event]
			if out.Items, err = s.newEvents(ctx, found, open); err != nil {
				return page[Event]{}, err
			}
			if len(found) == in.Limit {
				out.Next = strconv.FormatUint(found[len(found)-1].Sequence, 10)
			}
			return out, s.noteRead(ctx, in, len(found))
		})
	ask(s, operation("get-event", http.MethodGet, "/events/{event}", "Get one event", "trail", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Event string `path:"event" maxLength:"64" doc:"id or sequence"`
		},
		) (Event, error) {
			if err := s.may(ctx, access.TrailRead, whole, ""); err != nil {
				return Event{}, err
			}
			found, err := s.Workspace.Trail.Event(ctx, in.Event)
			if err != nil {
				return Event{}, err
			}
			events, err := s.newEvents(ctx, []trail.Event{found}, s.discloses(ctx))
			if err != nil {
				return Event{}, err
			}
			return events[0], nil
		})
}

// discloses reports whether the caller may open sealed fields.
func (s *server) discloses(ctx context.Context) bool {
	return caller(ctx).Allows(access.TrailDisclose, whole) == nil
}

// noteRead records that somebody read the trail. The reader's own machine keeps no record of itself.
func (s *server) noteRead(ctx context.Context, q *eventQuery, events int) error {
	if s.Local != nil {
		return nil
	}
	filter := map[string]any{}
	for name, value := range map[string]string{"type": q.Type, "actor": q.Actor, "resource": q.Resource, "outcome": q.Outcome} {
		if value != "" {
			filter[name] = value
		}
	}
	return s.Registry.Note(ctx, registry.Command{Principal: caller(ctx), Action: access.TrailRead, Resource: whole}, trail.Entry{
		Type: trail.TrailRead, Data: map[string]any{"model": q.Model, "filter": filter, "events": events},
	})
}
