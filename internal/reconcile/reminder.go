package reconcile

import (
	"context"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// Reminder tells of findings that nobody has put right in time. All its fields are required.
type Reminder struct {
	Registry *registry.Registry
	Catalog  *catalog.Catalog
	// Principal is who tells; it may write findings.
	Principal access.Principal
}

// Run tells of each date that has passed, once. It may be cut off anywhere.
func (r Reminder) Run(ctx context.Context) error {
	for {
		done, err := r.Registry.Do(ctx, registry.Command{
			Principal: r.Principal, Action: access.FindingWrite, Resource: trail.Resource{Type: "finding", ID: "overdue"}, Propose: r.Catalog.OverdueFindings,
		})
		if err != nil || done.Changes == 0 {
			return err
		}
	}
}
