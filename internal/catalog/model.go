package catalog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

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

// AuditedModel names the model of an audit and says whose it is.
type AuditedModel struct {
	Model, Owner string
	Tier         tallystick.Tier
	Actor        string // owns a new model for which nobody is named
}

// RegisterAudited proposes to register the model of an audit if it is new, with
// tier limited if none is named. A tier above the registered one raises it; one below is a Conflict, because a lower tier
// asks for less evidence. An owner that differs from the registered one is a Conflict too. No tier
// and no owner mean the registered ones.
func (c *Catalog) RegisterAudited(tx *state.Tx, a AuditedModel) (trail.Change, error) {
	if err := tallystick.ValidateName("model", a.Model); err != nil {
		return nil, err
	}
	m, err := model(tx, a.Model)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return &ModelRegistered{Model: a.Model, Tier: cmp.Or(a.Tier, tallystick.TierLimited), Owner: cmp.Or(a.Owner, a.Actor)}, nil
	case err != nil:
		return nil, err
	case a.Owner != "" && a.Owner != m.Owner:
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q belongs to %s, not to %s", a.Model, m.Owner, a.Owner).
			WithHint("leave out --owner, or name another model")
	case a.Tier == "" || a.Tier == m.Tier:
		return nil, nil
	case a.Tier.Below(m.Tier):
		return nil, LowerTier(m, a.Tier)
	}
	return &ModelUpdated{Model: a.Model, Tier: a.Tier}, nil
}

// LowerTier is the Conflict of asking for less evidence than the model's tier does.
func LowerTier(m Model, tier tallystick.Tier) error {
	return tallystick.Errorf(tallystick.Conflict, "model %q is registered with tier %s; an audit cannot lower it to %s", m.Name, m.Tier, tier).
		WithHint("leave out --tier, or use --tier %s", m.Tier)
}

// ModelRegistered is the change that makes a model known.
type ModelRegistered struct {
	Model string          `json:"model"`
	Tier  tallystick.Tier `json:"tier"`
	Owner string          `json:"owner,omitempty"`
}

// Subject returns the model.
func (m *ModelRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.ModelRegistered, trail.Resource{Type: "model", ID: m.Model}
}

// Apply adds the model.
func (m *ModelRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO models (name, owner, tier, created_ms, event) VALUES (?, ?, ?, ?, ?)",
		m.Model, m.Owner, string(m.Tier), at.Time.UnixMilli(), at.Sequence)
	return err
}

// ModelUpdated is the change of what is known of a model.
type ModelUpdated struct {
	Model string          `json:"model"`
	Tier  tallystick.Tier `json:"tier"`
}

// Subject returns the model.
func (m *ModelUpdated) Subject() (trail.Type, trail.Resource) {
	return trail.ModelUpdated, trail.Resource{Type: "model", ID: m.Model}
}

// Apply changes the model.
func (m *ModelUpdated) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("UPDATE models SET tier = ?, event = ? WHERE name = ?", string(m.Tier), at.Sequence, m.Model)
	return err
}
