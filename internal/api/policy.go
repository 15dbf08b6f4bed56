package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/release"
)

// policies are the questions about what the gate judged by.
func (s *server) policies() {
	ask(s, operation("get-policy-history", http.MethodGet, "/policies/history", "Say which policy judged from when to when, or which was in force at a moment, and which event says so", "release"),
		func(ctx context.Context, in *struct {
			From  time.Time `query:"from" doc:"the moment begins; absent: the whole history"`
			Until time.Time `query:"until" doc:"the moment ends, exclusive; one millisecond later if absent"`
		},
		) (release.PolicyHistory, error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return release.PolicyHistory{}, err
			}
			if !in.From.IsZero() && in.Until.IsZero() {
				in.Until = in.From.Add(time.Millisecond)
			}
			h, err := s.Releases.PolicyHistory(ctx, in.From, in.Until)
			if !s.discloses(ctx) {
				for i := range h.Stretches {
					h.Stretches[i].Note = ""
				}
			}
			return h, err
		})
}
