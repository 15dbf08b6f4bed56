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

// Evaluation is one audit that the gate has judged.
type Evaluation struct {
	ID                   string
	Model, Version       string
	Data, Report, Policy tallystick.Digest
	Verdict              tallystick.Verdict
	Sequence             uint64 // of its event
}

// AddEvaluation stores an evaluation whose event has been recorded in tx.
func (c *Catalog) AddEvaluation(tx *state.Tx, e Evaluation) error {
	_, err := tx.Exec("INSERT INTO evaluations (id, model, version, data_digest, report_digest, policy_digest, verdict, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		e.ID, e.Model, e.Version, string(e.Data), string(e.Report), string(e.Policy), string(e.Verdict), e.Sequence)
	if err != nil {
		return fmt.Errorf("insert evaluation %s: %w", e.ID, err)
	}
	return nil
}

// FirstEvaluation returns the sequence of the first recorded audit of the data, 0 if there is none.
func (c *Catalog) FirstEvaluation(ctx context.Context, data tallystick.Digest) (sequence uint64, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(min(event), 0) FROM evaluations WHERE data_digest = ?", string(data)).Scan(&sequence)
	})
	if err != nil {
		return 0, fmt.Errorf("find the first audit of %s: %w", data.Short(), err)
	}
	return sequence, nil
}

// Criteria are thresholds that were fixed at a moment that the trail proves.
type Criteria struct {
	Digest   tallystick.Digest
	Name     string
	At       time.Time
	EventID  string
	Sequence uint64
}

// Criteria returns the criteria of that digest, or a NotFound error.
func (c *Catalog) Criteria(ctx context.Context, digest tallystick.Digest) (found Criteria, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		found, err = criteria(tx, digest)
		return err
	})
	return found, err
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

// CommitCriteria fixes criteria and reports whether they were new. Committing the same ones again
// returns the first commitment and records nothing.
func (c *Catalog) CommitCriteria(ctx context.Context, digest tallystick.Digest, name, file string, actor trail.Actor) (found Criteria, fresh bool, err error) {
	err = c.db.Write(ctx, func(tx *state.Tx) error {
		if found, err = criteria(tx, digest); tallystick.CodeOf(err) != tallystick.NotFound {
			fresh = false
			return err
		}
		receipt, err := c.recorder.RecordIn(tx, trail.Entry{
			Type: trail.CriteriaCommitted, Actor: actor, Resource: trail.Resource{Type: "criteria", ID: string(digest)}, Outcome: tallystick.Success,
			Data: map[string]any{"criteria_digest": string(digest), "file": file},
		})
		if err != nil {
			return err
		}
		found, fresh = Criteria{Digest: digest, Name: name, At: tx.Now(), EventID: receipt.ID, Sequence: receipt.Sequence}, true
		_, err = tx.Exec("INSERT INTO criteria (digest, name, created_ms, event_id, event) VALUES (?, ?, ?, ?, ?)",
			string(digest), name, found.At.UnixMilli(), found.EventID, found.Sequence)
		if err != nil {
			return fmt.Errorf("insert criteria %s: %w", digest.Short(), err)
		}
		return nil
	})
	return found, fresh, err
}
