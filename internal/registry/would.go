package registry

import (
	"context"

	"github.com/tallystick/tallystick/internal/state"
)

// Would returns what Do would refuse the command with, or nil. Nothing is done, and nothing stands on the
// trail: it is for showing somebody what they may do, and why not, before they try.
func (r *Registry) Would(ctx context.Context, c Command) error {
	if err := c.Principal.Allows(c.Action, c.Resource); err != nil {
		return err
	}
	return r.db.Read(ctx, func(tx *state.Tx) error {
		_, err := c.Propose(tx)
		return err
	})
}
