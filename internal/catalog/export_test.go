package catalog

import (
	"context"

	"github.com/tallystick/tallystick/internal/state"
)

// unproven takes evidence as it was attached.
func unproven(e Evidence, _ Version) (Evidence, ItemState) { return e, Present }

// Status takes evidence as it was attached: which signatures count is the business of releases.
func (c *Catalog) Status(ctx context.Context, name, version string) (s Status, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		s, err = c.StatusIn(tx, name, version, unproven)
		return err
	})
	return s, err
}

// WithCommon has words count as common that so many models have.
func (f ModelFilter) WithCommon(models int) ModelFilter {
	f.common = models
	return f
}
