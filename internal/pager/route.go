package pager

import (
	"context"
	"slices"

	"github.com/prometheus/alertmanager/dispatch"

	"github.com/tallystick/tallystick/internal/alert"
)

// Receivers returns the names of those whom the routes tell of an alert, in the order of the routes. Whether it is silenced
// or inhibited is another question.
func (m *Manager) Receivers(ctx context.Context, a alert.Alert) (names []string, err error) {
	about, err := m.config.Reader.Models.Model(ctx, a.Model)
	if err != nil {
		return nil, err
	}
	for _, r := range dispatch.NewRoute(m.config.Config.Route, nil).Match(m.config.Reader.note(a, about).labels) {
		if name := r.RouteOpts.Receiver; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}
