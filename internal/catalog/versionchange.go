package catalog

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// VersionRegistered is the change that makes a version known, or completes a draft.
type VersionRegistered struct {
	Model   string       `json:"model"`
	Version string       `json:"version"`
	State   VersionState `json:"state"`
	VersionDetails
	Manifest string `json:"manifest,omitempty"` // in the encoding that the digest is of
}

// Subject returns the version.
func (c *VersionRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.VersionRegistered, versionResource(c.Model, c.Version)
}

// Apply adds the version, or completes the draft.
func (c *VersionRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	metadata, err := pack(c.Metadata)
	if err != nil {
		return err
	}
	same, err := pack(c.SameAs)
	if err != nil {
		return err
	}
	if c.Digest != "" {
		_, err := tx.Exec("INSERT INTO manifests (digest, content, event) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
			string(c.Digest), c.Manifest, int64(at.Sequence))
		if err != nil {
			return fmt.Errorf("insert manifest: %w", err)
		}
	}
	result, err := tx.Exec(`UPDATE versions SET state = ?, digest = ?, root = ?, files = ?, bytes = ?, same_as = ?, training_cutoff = ?, code_commit = ?,
		image_digest = ?, run = ?, trigger_kind = ?, trigger_id = ?, changelog = ?, justification = ?, metadata = ?, event = ?
		WHERE model = ? AND version = ?`, string(c.State), digestOrNull(c.Digest), digestOrNull(c.Root), c.Files, c.Bytes, same, c.TrainingCutoff,
		c.CodeCommit, string(c.Image), c.Run, c.Trigger.Kind, c.Trigger.ID, c.Changelog, c.Justification, metadata, int64(at.Sequence), c.Model, c.Version)
	if err != nil {
		return fmt.Errorf("complete version: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n > 0 {
		_, err = tx.Exec("UPDATE models SET latest_digest = ?, latest_root = ?, latest_says = ? WHERE name = ? AND latest_version = ?",
			string(c.Digest), string(c.Root), c.says(), c.Model, c.Version)
		return err
	}
	_, err = tx.Exec("INSERT INTO versions ("+versionColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		c.Model, c.Version, string(c.State), digestOrNull(c.Digest), digestOrNull(c.Root), c.Files, c.Bytes, same, c.TrainingCutoff, c.CodeCommit,
		string(c.Image), c.Run, c.Trigger.Kind, c.Trigger.ID, c.Changelog, c.Justification, metadata, "", at.Time.UnixMilli(),
		int64(at.Sequence), int64(at.Sequence))
	if err != nil {
		return fmt.Errorf("insert version: %w", err)
	}
	_, err = tx.Exec("UPDATE models SET versions = versions + 1, latest_version = ?, latest_digest = ?, latest_root = ?, latest_says = ?, evaluated_ms = 0 WHERE name = ?",
		c.Version, string(c.Digest), string(c.Root), c.says(), c.Model)
	return err
}

// VersionMarked is the change of a version's state.
type VersionMarked struct {
	Model   string       `json:"model"`
	Version string       `json:"version"`
	State   VersionState `json:"state"`
	Reason  string       `json:"reason,omitempty"`
}

// Subject returns the version.
func (c *VersionMarked) Subject() (trail.Type, trail.Resource) {
	return trail.VersionMarked, versionResource(c.Model, c.Version)
}

// Apply marks the version.
func (c *VersionMarked) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("UPDATE versions SET state = ?, reason = ?, event = ? WHERE model = ? AND version = ?",
		string(c.State), c.Reason, int64(at.Sequence), c.Model, c.Version)
	return err
}

func versionResource(model, version string) trail.Resource {
	return trail.Resource{Type: "version", ID: model + "@" + version}
}

func digestOrNull(d tallystick.Digest) any {
	if d == "" {
		return nil
	}
	return string(d)
}
