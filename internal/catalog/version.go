package catalog

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// VersionRegistration names a version of a registered model.
type VersionRegistration struct {
	Model, Version string
}

// RegisterVersion proposes to register a version if it is new. Its model must be registered, in the
// same transaction at the latest.
func (c *Catalog) RegisterVersion(tx *state.Tx, r VersionRegistration) (trail.Change, error) {
	if err := errors.Join(tallystick.ValidateName("model", r.Model), tallystick.ValidateName("version", r.Version)); err != nil {
		return nil, err
	}
	if _, err := model(tx, r.Model); err != nil {
		return nil, err
	}
	var known bool
	err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM versions WHERE model = ? AND version = ?)", r.Model, r.Version).Scan(&known)
	if err != nil {
		return nil, fmt.Errorf("read version %s@%s: %w", r.Model, r.Version, err)
	}
	if known {
		return nil, nil
	}
	return &VersionRegistered{Model: r.Model, Version: r.Version}, nil
}

// VersionRegistered is the change that makes a version known.
type VersionRegistered struct {
	Model   string            `json:"model"`
	Version string            `json:"version"`
	Digest  tallystick.Digest `json:"version_digest,omitempty"`
	Files   []string          `json:"files,omitempty"`
}

// Subject returns the version.
func (v *VersionRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.VersionRegistered, trail.Resource{Type: "version", ID: v.Model + "@" + v.Version}
}

// Apply adds the version.
func (v *VersionRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO versions (model, version, created_ms, event) VALUES (?, ?, ?, ?)",
		v.Model, v.Version, at.Time.UnixMilli(), at.Sequence)
	return err
}
