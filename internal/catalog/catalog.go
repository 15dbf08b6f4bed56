// Package catalog knows the models, their versions and owners, the evidence that there is of them and
// the evidence that is owed, and the thresholds that were fixed before.
//
// Its tables follow from the trail: a proposal ([Catalog.RegisterModel] and its like) looks at the
// state inside a transaction and returns the change that is to be committed there
// (trail.Recorder.Commit), nil if there is nothing to do, or an error that says why it is refused. No
// proposal writes.
package catalog

import (
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Catalog answers questions about the catalog of one workspace and proposes changes of it.
type Catalog struct {
	db     *state.DB
	events *trail.Reader
}

// New returns the catalog in db; events reads the trail of the same workspace.
func New(db *state.DB, events *trail.Reader) *Catalog { return &Catalog{db: db, events: events} }

// Changes returns an empty change for each type of event that alters the catalog, to be filled by a replay.
func Changes() map[trail.Type]func() trail.Change {
	changes := map[trail.Type]func() trail.Change{}
	maps.Copy(changes, modelChanges())
	maps.Copy(changes, estateChanges())
	maps.Copy(changes, findingChanges())
	return changes
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table { return slices.Concat(modelTables(), estateTables(), findingTables()) }
