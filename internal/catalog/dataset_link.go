package catalog

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// DataRole is what a snapshot served for in the making of a version.
type DataRole string

// The roles.
const (
	TrainingData   DataRole = "training"
	ValidationData DataRole = "validation"
	TestData       DataRole = "test"
	ReferenceData  DataRole = "reference" // what monitoring compares with
)

// DataLink says that a version rests on a snapshot.
type DataLink struct {
	Model    string            `json:"model" doc:"Name of the model."`
	Version  string            `json:"version" doc:"Name of the version."`
	Role     DataRole          `json:"role" enum:"training,validation,test,reference" doc:"What the data served for."`
	Dataset  string            `json:"dataset" doc:"Name of the data set."`
	Snapshot string            `json:"snapshot" doc:"Name of the snapshot."`
	Digest   tallystick.Digest `json:"digest,omitempty" doc:"Digest of the data as the version used them; the snapshot's, if absent."`
}

// LinkSnapshot returns the change that says that a version rests on a snapshot, nil if that is said
// already. A digest that is not the snapshot's is a Conflict error: the data were changed between
// ingestion and use.
func (c *Catalog) LinkSnapshot(tx *state.Tx, l DataLink) (trail.Change, error) {
	switch l.Role {
	case TrainingData, ValidationData, TestData, ReferenceData:
	default:
		return nil, tallystick.Errorf(tallystick.Invalid, "role %q is not training, validation, test or reference", l.Role)
	}
	if _, err := findVersion(tx, l.Model, l.Version); err != nil {
		return nil, err
	}
	s, err := snapshot(tx, l.Dataset, l.Snapshot)
	if err != nil {
		return nil, err
	}
	if l.Digest = cmp.Or(l.Digest, s.Digest); l.Digest != s.Digest {
		return nil, tallystick.Errorf(tallystick.Conflict, "%s@%s used data of digest %s, and snapshot %s@%s has digest %s", l.Model, l.Version, l.Digest.Short(), s.Dataset, s.Name, s.Digest.Short()).
			WithHint("register what was used as a snapshot of its own, and find out what changed it")
	}
	var there bool
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM version_snapshots WHERE model = ? AND version = ? AND role = ? AND dataset = ? AND snapshot = ?)",
		l.Model, l.Version, string(l.Role), l.Dataset, l.Snapshot).Scan(&there)
	if err != nil || there {
		return nil, err
	}
	return &SnapshotLinked{l}, nil
}

// SnapshotLinked says that a version rests on a snapshot.
type SnapshotLinked struct{ DataLink }

// Subject implements trail.Change.
func (l *SnapshotLinked) Subject() (trail.Type, trail.Resource) {
	return trail.SnapshotLinked, trail.Resource{Type: "version", ID: l.Model + "@" + l.Version}
}

// Apply implements trail.Change.
func (l *SnapshotLinked) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO version_snapshots (model, version, role, dataset, snapshot, event) VALUES (?, ?, ?, ?, ?, ?)",
		l.Model, l.Version, string(l.Role), l.Dataset, l.Snapshot, at.Sequence)
	return err
}

// LinkFilter chooses links: those of a version, or those of a snapshot.
type LinkFilter struct {
	Model, Version    string
	Dataset, Snapshot string
	Limit             int // 0 means 100; at most 1,000
}

// Links returns which versions rest on which snapshots, in the order in which it was said.
func (c *Catalog) Links(ctx context.Context, f LinkFilter) (list []DataLink, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		list, err = links(tx, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the data of versions: %w", err)
	}
	return list, nil
}

// LinksIn does the same as the transaction sees it.
func (c *Catalog) LinksIn(tx *state.Tx, f LinkFilter) ([]DataLink, error) { return links(tx, f) }

func links(tx *state.Tx, f LinkFilter) ([]DataLink, error) {
	var w where
	w.add(f.Model != "", "l.model = ?", f.Model)
	w.add(f.Version != "", "l.version = ?", f.Version)
	w.add(f.Dataset != "", "l.dataset = ?", f.Dataset)
	w.add(f.Snapshot != "", "l.snapshot = ?", f.Snapshot)
	return state.Collect(tx, func(row state.Scanner) (l DataLink, err error) {
		err = row.Scan(&l.Model, &l.Version, &l.Role, &l.Dataset, &l.Snapshot, &l.Digest)
		return l, err
	}, `SELECT l.model, l.version, l.role, l.dataset, l.snapshot, s.digest FROM version_snapshots l
		JOIN snapshots s ON s.dataset = l.dataset AND s.name = l.snapshot
		WHERE `+w.String()+" ORDER BY l.event "+state.Limit, append(w.args, limit(f.Limit))...)
}
