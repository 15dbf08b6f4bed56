package objective

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Objective is an objective on record.
type Objective struct {
	Name        string            `json:"name"`
	Model       string            `json:"model"`
	Environment string            `json:"environment,omitempty"`
	Document    tallystick.Digest `json:"document_digest" doc:"of the objective as it was written"`
	Removed     bool              `json:"removed,omitempty" doc:"it is judged no more"`
	Applied     time.Time         `json:"applied" doc:"when it was written so, or removed"`
	Event       uint64            `json:"event" doc:"sequence of the event"`
}

// maxObjectives bounds the objectives of an installation.
const maxObjectives = 10_000

// PrepareApply reads and keeps an objective, and returns the change that applies it.
func (o *Office) PrepareApply(ctx context.Context, name string, source []byte) (*Applied, error) {
	doc, err := Parse(source, "objective")
	if err != nil {
		return nil, err
	}
	if doc.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the objective is called %s, not %s", doc.Name, name)
	}
	if doc.Parameters.Monitor != "" {
		m, _, err := o.config.Monitors.Monitor(ctx, doc.Parameters.Monitor)
		if err != nil {
			return nil, err
		}
		if m.Model != doc.Model {
			return nil, tallystick.Errorf(tallystick.Invalid, "the monitor %s watches %s, not %s", m.Name, m.Model, doc.Model)
		}
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &Applied{doc.Name, doc.Model, doc.Environment, digest}, err
}

// ProposeApply returns the change, nil if the objective is so already.
func (o *Office) ProposeApply(tx *state.Tx, a *Applied) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, a.Model); err != nil {
		return nil, err
	}
	is, err := kept.At(tx, a.Objective, 0)
	switch {
	case err == nil && !is.Removed && is.Document == a.Document:
		return nil, nil
	case tallystick.CodeOf(err) == tallystick.NotFound:
		var n int
		if err := tx.QueryRow("SELECT count(DISTINCT name) FROM objective_revisions").Scan(&n); err != nil {
			return nil, fmt.Errorf("count objectives: %w", err)
		}
		if n >= maxObjectives {
			return nil, tallystick.Errorf(tallystick.Conflict, "there are %d objectives, which is the limit", n)
		}
	case err != nil:
		return nil, err
	}
	return a, nil
}

// ProposeRemove returns the change by which an objective is judged no more, nil if it is not now.
func (o *Office) ProposeRemove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := kept.At(tx, name, 0)
	if err != nil || is.Removed {
		return nil, err
	}
	return &Removed{is.Name, is.Model, is.Environment}, nil
}

// kept are the objectives on record.
var kept = revision.Kind{Noun: "objective", Table: "objective_revisions", About: []string{"model", "environment"}}

func bound(until uint64) int64 {
	if until == 0 {
		return 1<<63 - 1
	}
	return int64(until)
}

// Objectives returns the objectives of a model, or of all, by name, those that were removed too.
func (o *Office) Objectives(ctx context.Context, model string) (all []Objective, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err := kept.List(tx, model, maxObjectives)
		for _, r := range found {
			all = append(all, Objective(r))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list objectives: %w", err)
	}
	return all, nil
}

// Objective returns an objective with its document, which is nil if it was removed.
func (o *Office) Objective(ctx context.Context, name string) (Objective, *Document, error) {
	return o.objectiveAt(ctx, name, 0)
}

func (o *Office) objectiveAt(ctx context.Context, name string, until uint64) (m Objective, doc *Document, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err := kept.At(tx, name, until)
		m = Objective(r)
		return err
	})
	if err != nil || m.Removed {
		return m, nil, err
	}
	source, err := o.config.Evidence.Get(ctx, m.Document)
	if err != nil {
		return m, nil, fmt.Errorf("objective %s: %w", name, err)
	}
	doc, err = Parse(source, name)
	return m, doc, err
}
