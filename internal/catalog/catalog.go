// Package catalog knows the models, their versions and owners, the audits of them, and the
// thresholds that were fixed before. Every change is recorded on the trail in its own transaction.
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

// Catalog reads and changes the catalog of one workspace.
type Catalog struct {
	db       *state.DB
	recorder *trail.Recorder
}

// New returns the catalog in db, whose changes recorder puts on the trail.
func New(db *state.DB, recorder *trail.Recorder) *Catalog {
	return &Catalog{db: db, recorder: recorder}
}

// Model is a registered model.
type Model struct {
	Name    string
	Owner   string
	Tier    tallystick.Tier
	Created time.Time
}

// Model returns the model of that name, or a NotFound error.
func (c *Catalog) Model(ctx context.Context, name string) (m Model, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		m, err = model(tx, name)
		return err
	})
	return m, err
}

func model(tx *state.Tx, name string) (Model, error) {
	m := Model{Name: name}
	var created int64
	err := tx.QueryRow("SELECT owner, tier, created_ms FROM models WHERE name = ?", name).Scan(&m.Owner, &m.Tier, &created)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Model{}, tallystick.Errorf(tallystick.NotFound, "model %q is not registered", name)
	case err != nil:
		return Model{}, fmt.Errorf("read model %q: %w", name, err)
	}
	m.Created = time.UnixMilli(created).UTC()
	return m, nil
}

// Registration names a version and says whose model it is.
type Registration struct {
	Model, Version, Owner string
	Tier                  tallystick.Tier
	Actor                 trail.Actor
}

// Register registers the model and the version if they are new, in tx, and returns the model. A
// tier above the registered one raises it; one below is a Conflict, because a lower tier asks for
// less evidence. An owner that differs from the registered one is a Conflict too.
func (c *Catalog) Register(tx *state.Tx, r Registration) (Model, error) {
	if err := errors.Join(tallystick.ValidateName("model", r.Model), tallystick.ValidateName("version", r.Version)); err != nil {
		return Model{}, err
	}
	m, err := model(tx, r.Model)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		if m, err = c.addModel(tx, r); err != nil {
			return Model{}, err
		}
	case err != nil:
		return Model{}, err
	case r.Owner != "" && r.Owner != m.Owner:
		return Model{}, tallystick.Errorf(tallystick.Conflict, "model %q belongs to %s, not to %s", r.Model, m.Owner, r.Owner).
			WithHint("leave out --owner, or name another model")
	case r.Tier != "" && r.Tier.Below(m.Tier):
		return Model{}, LowerTier(m, r.Tier)
	case r.Tier != "" && r.Tier != m.Tier:
		m.Tier = r.Tier
		if err := c.raise(tx, r, m); err != nil {
			return Model{}, err
		}
	}
	return m, c.addVersion(tx, r)
}

func (c *Catalog) addModel(tx *state.Tx, r Registration) (Model, error) {
	if r.Owner == "" {
		r.Owner = r.Actor.ID
	}
	if r.Tier == "" {
		r.Tier = tallystick.TierLimited
	}
	m := Model{Name: r.Model, Owner: r.Owner, Tier: r.Tier, Created: tx.Now()}
	receipt, err := c.recordModel(tx, r, m)
	if err != nil {
		return Model{}, err
	}
	_, err = tx.Exec("INSERT INTO models (name, owner, tier, created_ms, event) VALUES (?, ?, ?, ?, ?)",
		m.Name, m.Owner, string(m.Tier), m.Created.UnixMilli(), receipt.Sequence)
	if err != nil {
		return Model{}, fmt.Errorf("insert model %q: %w", m.Name, err)
	}
	return m, nil
}

func (c *Catalog) raise(tx *state.Tx, r Registration, m Model) error {
	receipt, err := c.recordModel(tx, r, m)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE models SET tier = ?, event = ? WHERE name = ?", string(m.Tier), receipt.Sequence, m.Name); err != nil {
		return fmt.Errorf("raise tier of model %q: %w", m.Name, err)
	}
	return nil
}

func (c *Catalog) recordModel(tx *state.Tx, r Registration, m Model) (trail.Receipt, error) {
	return c.recorder.RecordIn(tx, trail.Entry{
		Type: trail.ModelRegistered, Actor: r.Actor, Resource: trail.Resource{Type: "model", ID: m.Name}, Outcome: tallystick.Success,
		Data: map[string]any{"model": m.Name, "tier": string(m.Tier), "owner": m.Owner},
	})
}

func (c *Catalog) addVersion(tx *state.Tx, r Registration) error {
	var known int
	err := tx.QueryRow("SELECT count(*) FROM versions WHERE model = ? AND version = ?", r.Model, r.Version).Scan(&known)
	if err != nil {
		return fmt.Errorf("read version %s@%s: %w", r.Model, r.Version, err)
	}
	if known > 0 {
		return nil
	}
	receipt, err := c.recorder.RecordIn(tx, trail.Entry{
		Type: trail.VersionRegistered, Actor: r.Actor, Outcome: tallystick.Success,
		Resource: trail.Resource{Type: "version", ID: r.Model + "@" + r.Version},
		Data:     map[string]any{"model": r.Model, "version": r.Version},
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO versions (model, version, created_ms, event) VALUES (?, ?, ?, ?)",
		r.Model, r.Version, tx.Now().UnixMilli(), receipt.Sequence)
	if err != nil {
		return fmt.Errorf("insert version %s@%s: %w", r.Model, r.Version, err)
	}
	return nil
}

// LowerTier is the Conflict of asking for less evidence than the model's tier does.
func LowerTier(m Model, tier tallystick.Tier) error {
	return tallystick.Errorf(tallystick.Conflict, "model %q is registered with tier %s; an audit cannot lower it to %s", m.Name, m.Tier, tier).
		WithHint("leave out --tier, or use --tier %s", m.Tier)
}
