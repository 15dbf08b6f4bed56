package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// SchemaColumn is a column of a snapshot.
type SchemaColumn struct {
	Name string `json:"name" doc:"Name of the column."`
	Type string `json:"type,omitempty" doc:"Its type, in the words of the data's format."`
}

// Source is what a snapshot was made from at ingestion.
type Source struct {
	Name   string            `json:"name" doc:"What the source is called: a file, a table, an address."`
	Digest tallystick.Digest `json:"digest,omitempty" doc:"Digest of what was read from it."`
}

// Anomaly is something that was wrong with the data when they came in.
type Anomaly struct {
	What     string `json:"what" doc:"What was wrong."`
	Rows     int64  `json:"rows,omitempty" doc:"How many rows it concerned."`
	Handling string `json:"handling" doc:"What was done about it."`
	Reason   string `json:"reason,omitempty" doc:"Why that was done."`
}

// Snapshot is the content of a data set at one moment. It never changes.
type Snapshot struct {
	Dataset       string            `json:"dataset" doc:"Name of the data set."`
	Name          string            `json:"name" doc:"Name of the snapshot."`
	Digest        tallystick.Digest `json:"digest" doc:"Digest of the data."`
	Rows          int64             `json:"rows" doc:"Rows of the data."`
	Bytes         int64             `json:"bytes,omitempty" doc:"Size of the data."`
	SchemaDigest  tallystick.Digest `json:"schema_digest,omitempty" doc:"Digest of the list of columns."`
	ProfileDigest tallystick.Digest `json:"profile_digest,omitempty" doc:"Digest of the profile."`
	Sources       []Source          `json:"sources,omitempty" doc:"What it was made from, with the digests at ingestion."`
	Anomalies     []Anomaly         `json:"anomalies,omitempty" doc:"What was wrong at ingestion, and what was done about it."`
	Taken         time.Time         `json:"taken" doc:"When the data were taken from their source."`
	Created       time.Time         `json:"created" doc:"When the snapshot was registered."`
	Event         uint64            `json:"event" doc:"Sequence of the event that registered it."`
}

// SnapshotRegistration is what somebody says of a new snapshot.
type SnapshotRegistration struct {
	Dataset   string            `json:"dataset" doc:"Name of the data set."`
	Name      string            `json:"name" doc:"Name of the snapshot."`
	Digest    tallystick.Digest `json:"digest" doc:"Digest of the data."`
	Rows      int64             `json:"rows" doc:"Rows of the data."`
	Bytes     int64             `json:"bytes,omitempty" doc:"Size of the data."`
	Taken     time.Time         `json:"taken,omitzero" doc:"When the data were taken from their source; now, if absent."`
	Schema    []SchemaColumn    `json:"schema,omitempty" doc:"The columns; those of the profile, if absent."`
	Profile   *profile.Profile  `json:"profile,omitempty" doc:"What the data look like, as computed where they lie."`
	Sources   []Source          `json:"sources,omitempty" doc:"What it was made from, with the digests at ingestion."`
	Anomalies []Anomaly         `json:"anomalies,omitempty" doc:"What was wrong at ingestion, and what was done about it."`
}

// RegisterSnapshot returns the change that registers a snapshot, nil if it is there with that digest.
// The same name with another digest is a Conflict error. A profile that shows values of a column that
// the data set labels personal, sensitive or secret is refused.
func (c *Catalog) RegisterSnapshot(tx *state.Tx, r SnapshotRegistration) (trail.Change, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	of, err := dataset(tx, r.Dataset)
	if err != nil {
		return nil, err
	}
	is, err := snapshot(tx, r.Dataset, r.Name)
	switch {
	case err == nil && is.Digest == r.Digest:
		return nil, nil
	case err == nil:
		return nil, tallystick.Errorf(tallystick.Conflict, "snapshot %s@%s has digest %s, not %s", r.Dataset, r.Name, is.Digest.Short(), r.Digest.Short()).
			WithHint("a snapshot never changes: register other data under another name")
	case tallystick.CodeOf(err) != tallystick.NotFound:
		return nil, err
	}
	if err := of.mayShow(r.Profile); err != nil {
		return nil, err
	}
	change := &SnapshotRegistered{
		Dataset: r.Dataset, Snapshot: r.Name, Digest: r.Digest, Rows: r.Rows, Bytes: r.Bytes, Taken: r.Taken.UTC().Truncate(time.Millisecond), Sources: r.Sources, Anomalies: r.Anomalies,
	}
	if r.Taken.IsZero() {
		change.Taken = tx.Now()
	}
	return change, change.enclose(r.Schema, r.Profile)
}

// mayShow returns a Forbidden error if the profile shows values of a labelled column.
func (d Dataset) mayShow(p *profile.Profile) error {
	if p == nil {
		return nil
	}
	for _, c := range p.Columns {
		label := d.Label(c.Name)
		if !c.Withheld && c.Fault == "" && (label == LabelPersonal || label == LabelSensitive || label == LabelSecret) {
			return tallystick.Errorf(tallystick.Forbidden, "the profile shows values of column %q, which data set %q labels %s", c.Name, d.Name, label).
				WithHint("make the profile again with that column withheld")
		}
	}
	return nil
}

// Withheld returns the columns of which a profile may show no values.
func (t DatasetTerms) Withheld() (columns []string) {
	for _, l := range t.Privacy {
		if l.Label != LabelNone {
			columns = append(columns, l.Column)
		}
	}
	return columns
}

// Snapshot returns the snapshot of that name, or a NotFound error.
func (c *Catalog) Snapshot(ctx context.Context, dataset, name string) (Snapshot, error) {
	return read(ctx, c, func(tx *state.Tx) (Snapshot, error) { return snapshot(tx, dataset, name) })
}

// SnapshotIn returns the snapshot as the transaction sees it, or a NotFound error.
func (c *Catalog) SnapshotIn(tx *state.Tx, dataset, name string) (Snapshot, error) {
	return snapshot(tx, dataset, name)
}

// SnapshotFilter chooses snapshots: all of a data set, or all of a digest.
type SnapshotFilter struct {
	Dataset string
	Digest  tallystick.Digest
	After   string // the event of the last one that the caller has; empty begins with the newest
	Limit   int    // 0 means 100; at most 1,000
}

// Snapshots returns snapshots, newest first.
func (c *Catalog) Snapshots(ctx context.Context, f SnapshotFilter) (list []Snapshot, err error) {
	var w where
	w.add(f.Dataset != "", "dataset = ?", f.Dataset)
	w.add(f.Digest != "", "digest = ?", string(f.Digest))
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		list, err = recent(tx, scanSnapshot, "SELECT "+snapshotColumns+" FROM snapshots", w, f.After, f.Limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	return list, nil
}

// Profile returns the profile of a snapshot, or a NotFound error if it has none or it was erased.
func (c *Catalog) Profile(ctx context.Context, s Snapshot) (p profile.Profile, err error) {
	body, err := c.document(ctx, "profile", s, s.ProfileDigest)
	if err != nil {
		return profile.Profile{}, err
	}
	return profile.Parse(body)
}

// Schema returns the columns of a snapshot, or a NotFound error if nobody has said them or they were
// erased.
func (c *Catalog) Schema(ctx context.Context, s Snapshot) (columns []SchemaColumn, err error) {
	body, err := c.document(ctx, "schema", s, s.SchemaDigest)
	if err != nil {
		return nil, err
	}
	return columns, json.Unmarshal(body, &columns)
}

func (c *Catalog) document(ctx context.Context, what string, s Snapshot, digest tallystick.Digest) ([]byte, error) {
	return read(ctx, c, func(tx *state.Tx) ([]byte, error) { return document(tx, what, s, digest) })
}

// document returns bytes that have the digest.
func document(tx *state.Tx, what string, s Snapshot, digest tallystick.Digest) (body []byte, err error) {
	err = sql.ErrNoRows
	if digest != "" {
		err = tx.QueryRow("SELECT body FROM snapshot_documents WHERE digest = ?", string(digest)).Scan(&body)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, tallystick.Errorf(tallystick.NotFound, "snapshot %s@%s has no %s", s.Dataset, s.Name, what)
	case err != nil:
		return nil, fmt.Errorf("read the %s of snapshot %s@%s: %w", what, s.Dataset, s.Name, err)
	case tallystick.DigestOf(body) != digest:
		return nil, tallystick.Errorf(tallystick.Internal, "the %s of snapshot %s@%s is damaged: it has not the digest %s", what, s.Dataset, s.Name, digest.Short())
	}
	return body, nil
}

const snapshotColumns = "dataset, name, digest, row_count, bytes, schema_digest, profile_digest, sources, anomalies, taken_ms, created_ms, event"

func snapshot(tx *state.Tx, dataset, name string) (Snapshot, error) {
	s, err := scanSnapshot(tx.QueryRow("SELECT "+snapshotColumns+" FROM snapshots WHERE dataset = ? AND name = ?", dataset, name))
	if errors.Is(err, sql.ErrNoRows) {
		return Snapshot{}, unknown(tx, "snapshot of data set "+dataset, name, "SELECT name FROM snapshots WHERE dataset = ? ORDER BY event DESC", dataset)
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot %s@%s: %w", dataset, name, err)
	}
	return s, nil
}

func scanSnapshot(row state.Scanner) (s Snapshot, err error) {
	var sources, anomalies string
	var taken, created int64
	err = row.Scan(&s.Dataset, &s.Name, &s.Digest, &s.Rows, &s.Bytes, &s.SchemaDigest, &s.ProfileDigest, &sources, &anomalies, &taken, &created, &s.Event)
	if err != nil {
		return Snapshot{}, err
	}
	s.Taken, s.Created = moment(taken), moment(created)
	return s, errors.Join(unpack(sources, &s.Sources), unpack(anomalies, &s.Anomalies))
}
