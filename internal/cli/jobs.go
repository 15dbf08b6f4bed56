package cli

import (
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reconcile"
	"github.com/tallystick/tallystick/internal/schedule"
)

const defaultReconcile = time.Hour

// jobs are what a server does regularly.
func (h house) jobs(o serveOptions) (jobs []schedule.Job) {
	raiser := access.Principal{ID: itself().ID, Kind: access.KindProgram, Roles: []access.Role{access.Service}, Scopes: []access.Action{access.FindingWrite}}
	jobs = append(jobs, schedule.Job{Name: "overdue-findings", Period: 24 * time.Hour, Run: reconcile.Reminder{Registry: h.registry, Catalog: h.catalog, Principal: raiser}.Run})
	if o.reconcile != 0 {
		r := reconcile.Reconciler{Registry: h.registry, Catalog: h.catalog, Lineage: h.lineage, Principal: raiser}
		jobs = append(jobs, schedule.Job{Name: "reconcile", Period: o.reconcile, Run: r.Run})
	}
	return jobs
}
