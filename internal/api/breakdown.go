package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type breakdownInput struct {
	Request
	Model string `path:"model" maxLength:"128" doc:"name of the model"`
	Body  BreakdownPin
}

// BreakdownPin says of which predictions a reference by season or by slice is counted. It is counted by the rules of the
// reference in force.
type BreakdownPin struct {
	Kind        string    `json:"kind" enum:"season,slice" doc:"what its parts are"`
	Version     string    `json:"version,omitempty" maxLength:"128" doc:"version that it is for; absent: every one that has none of its own"`
	Environment string    `json:"environment,omitempty" maxLength:"128" doc:"only predictions that were made there"`
	From        time.Time `json:"from" doc:"predictions made from this time on"`
	To          time.Time `json:"to" doc:"predictions made before this time"`
	By          []string  `json:"by,omitempty" maxItems:"20" doc:"features, a slice for each of whose ten most frequent values is counted"`
	Where       []string  `json:"where,omitempty" maxItems:"20" doc:"conditions, each of which is a slice, such as age < 25"`
}

// BreakdownPinned tells what was pinned.
type BreakdownPinned struct {
	monitor.BreakdownPinned
}

// breakdownActs are the references by season and by slice.
func (s *server) breakdownActs() {
	act(s, operation("pin-breakdown", http.MethodPost, "/models/{model}/breakdowns", "Count what predictions look like by season or by slice, to compare with", "monitors", http.StatusNotFound),
		func(ctx context.Context, in breakdownInput) (registry.Command, func(tx *state.Tx) (BreakdownPinned, error)) {
			c := registry.Command{Action: access.MonitorManage, Resource: modelResource(in.Model), Model: in.Model}
			var change *monitor.BreakdownPinned
			_, err := s.Catalog.Model(ctx, in.Model)
			if err == nil {
				err = caller(ctx).Allows(c.Action, c.Resource)
			}
			if err == nil {
				change, err = s.Monitors.PrepareBreakdown(ctx, monitor.BreakdownPin{
					Model: in.Model, Version: in.Body.Version, Environment: in.Body.Environment, From: in.Body.From, To: in.Body.To,
					Kind: in.Body.Kind, By: in.Body.By, Where: in.Body.Where,
				})
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Monitors.ProposeBreakdown(tx, change)
			})
			return c, func(*state.Tx) (BreakdownPinned, error) { return BreakdownPinned{*change}, nil }
		})
	ask(s, operation("list-breakdowns", http.MethodGet, "/breakdowns", "List the references by season and by slice, newest first", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[monitor.Breakdown], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[monitor.Breakdown]{}, err
			}
			found, err := s.Monitors.Breakdowns(ctx, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
}
