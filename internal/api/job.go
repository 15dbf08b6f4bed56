package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/schedule"
)

// Job is something that the server does regularly, and how it goes.
type Job struct {
	schedule.Standing
}

const untoldFault = "it failed: an operator, auditor or administrator sees why"

// jobs are what the server does regularly. Why one failed may tell of the machine.
func (s *server) jobs() {
	ask(s, operation("list-jobs", http.MethodGet, "/jobs", "List what the server does regularly, and how it goes", "server"),
		func(ctx context.Context, _ *struct{}) (p page[Job], err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return p, err
			}
			standings, err := schedule.Standings(ctx, s.Workspace.DB)
			told := caller(ctx).Allows(access.NotifyRead, whole) == nil
			for _, j := range standings {
				if j.Fault != "" && !told {
					j.Fault = untoldFault
				}
				p.Items = append(p.Items, Job{j})
			}
			return pageOf(p.Items, len(p.Items), nil), err
		})
}
