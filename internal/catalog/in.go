package catalog

import "github.com/tallystick/tallystick/internal/state"

// ModelIn returns the model as the transaction sees it, or a NotFound error.
func (c *Catalog) ModelIn(tx *state.Tx, name string) (Model, error) { return model(tx, name) }

// VersionIn returns the version as the transaction sees it, or a NotFound error.
func (c *Catalog) VersionIn(tx *state.Tx, model, version string) (Version, error) {
	return findVersion(tx, model, version)
}

// DatasetIn returns the data set as the transaction sees it, or a NotFound error.
func (c *Catalog) DatasetIn(tx *state.Tx, name string) (Dataset, error) { return dataset(tx, name) }

// SnapshotIn returns the snapshot as the transaction sees it, or a NotFound error.
func (c *Catalog) SnapshotIn(tx *state.Tx, dataset, name string) (Snapshot, error) {
	return snapshot(tx, dataset, name)
}

// EnvironmentIn returns the environment as the transaction sees it, or a NotFound error.
func (c *Catalog) EnvironmentIn(tx *state.Tx, name string) (Environment, error) {
	return environment(tx, name)
}
