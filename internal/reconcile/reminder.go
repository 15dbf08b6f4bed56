package reconcile

import (
	"context"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Reminder tells of dates that have come: of findings that nobody has put right in time, of waivers that
// end. All its fields are required.
type Reminder struct {
	Registry *registry.Registry
	// Principal is who tells; it may write findings.
	Principal access.Principal
	// About is what refusals name.
	About trail.Resource
	// Propose returns some of what is to be told, nothing once all is.
	Propose func(tx *state.Tx) ([]trail.Change, error)
}

// Run tells of each date that has come, once. It may be cut off anywhere.
func (r Reminder) Run(ctx context.Context) error {
	for {
		done, err := r.Registry.Do(ctx, registry.Command{Principal: r.Principal, Action: access.FindingWrite, Resource: r.About, Propose: r.Propose})
		if err != nil || done.Changes == 0 {
			return err
		}
	}
}
