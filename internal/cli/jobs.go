package cli

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reconcile"
	"github.com/tallystick/tallystick/internal/schedule"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const defaultReconcile = time.Hour

// jobs are what a server does regularly.
func (h house) jobs(o serveOptions) (jobs []schedule.Job) {
	raiser := access.Principal{ID: itself().ID, Kind: access.KindProgram, Roles: []access.Role{access.Service}, Scopes: []access.Action{access.FindingWrite}}
	tell := func(of string, propose func(*state.Tx) ([]trail.Change, error)) func(context.Context) error {
		return reconcile.Reminder{Registry: h.registry, Principal: raiser, About: trail.Resource{Type: of, ID: "date"}, Propose: propose}.Run
	}
	jobs = append(jobs,
		schedule.Job{Name: "overdue-findings", Period: 24 * time.Hour, Run: tell("finding", h.catalog.OverdueFindings)},
		schedule.Job{Name: "ending-waivers", Period: time.Hour, Run: tell("waiver", h.releases.EndingWaivers)})
	watch := reconcile.Watch{
		Registry: h.registry, Catalog: h.catalog, Trail: h.Trail, People: h.access, Principal: raiser, Now: time.Now,
		Place: func(ctx context.Context, id string) (string, error) {
			r, _, err := h.releases.Request(ctx, id)
			if tallystick.CodeOf(err) == tallystick.NotFound {
				return "", nil
			}
			return r.Environment, err
		},
	}
	jobs = append(jobs, schedule.Job{Name: "conduct", Period: time.Hour, Tell: watch.Run})
	if o.reconcile != 0 {
		r := reconcile.Reconciler{Registry: h.registry, Catalog: h.catalog, Lineage: h.lineage, Principal: raiser}
		jobs = append(jobs, schedule.Job{Name: "reconcile", Period: o.reconcile, Run: r.Run})
	}
	return jobs
}
