package catalog

import "github.com/tallystick/tallystick/internal/state"

// ModelIn returns the model as the transaction sees it, or a NotFound error.
func (c *Catalog) ModelIn(tx *state.Tx, name string) (Model, error) { return model(tx, name) }

// VersionIn returns the version as the transaction sees it, or a NotFound error.
func (c *Catalog) VersionIn(tx *state.Tx, model, version string) (Version, error) {
	return findVersion(tx, model, version)
}
