package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Criteria are thresholds that were fixed at a moment that the trail proves.
type Criteria struct {
	Digest   tallystick.Digest
	Name     string // empty once it has been erased
	At       time.Time
	EventID  string
	Sequence uint64
}

// Criteria returns the criteria of that digest, or a NotFound error.
func (c *Catalog) Criteria(ctx context.Context, digest tallystick.Digest) (Criteria, error) {
	return read(ctx, c, func(tx *state.Tx) (Criteria, error) { return criteria(tx, digest) })
}

func criteria(tx *state.Tx, digest tallystick.Digest) (Criteria, error) {
	found := Criteria{Digest: digest}
	var at int64
	err := tx.QueryRow("SELECT name, created_ms, event_id, event FROM criteria WHERE digest = ?", string(digest)).
		Scan(&found.Name, &at, &found.EventID, &found.Sequence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Criteria{}, tallystick.Errorf(tallystick.NotFound, "no criteria of digest %s have been committed", digest.Short())
	case err != nil:
		return Criteria{}, fmt.Errorf("read criteria %s: %w", digest.Short(), err)
	}
	found.At = time.UnixMilli(at).UTC()
	return found, nil
}

// CommitCriteria proposes to fix the criteria. Those that were fixed before need no change: the first
// moment counts.
func (c *Catalog) CommitCriteria(tx *state.Tx, change CriteriaCommitted) (trail.Change, error) {
	if err := change.Digest.Validate(); err != nil {
		return nil, err
	}
	switch _, err := criteria(tx, change.Digest); tallystick.CodeOf(err) {
	case "":
		return nil, nil
	case tallystick.NotFound:
		return &change, nil
	default:
		return nil, err
	}
}

// CriteriaCommitted is the change that fixes thresholds.
type CriteriaCommitted struct {
	Digest tallystick.Digest `json:"criteria_digest"`
	Data   tallystick.Digest `json:"data_digest,omitempty"` // that they are for, if it was known
	Model  string            `json:"model,omitempty"`
	Name   string            `json:"name,omitempty"`
	File   string            `json:"file,omitempty"` // path
}

// Subject returns the criteria.
func (c *CriteriaCommitted) Subject() (trail.Type, trail.Resource) {
	return trail.CriteriaCommitted, trail.Resource{Type: "criteria", ID: string(c.Digest)}
}

// Apply adds the criteria.
func (c *CriteriaCommitted) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO criteria (digest, name, created_ms, event_id, event) VALUES (?, ?, ?, ?, ?)",
		string(c.Digest), c.Name, at.Time.UnixMilli(), at.ID, at.Sequence)
	return err
}
