package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/state"
)

// VersionState is where a version stands in its life.
type VersionState string

// The states of a version. A draft is known by its name only, as an audit names it: its files and
// metadata are owed. A deprecated version should be replaced; a withdrawn one may not be used.
const (
	Draft      VersionState = "draft"
	Registered VersionState = "registered"
	Deprecated VersionState = "deprecated"
	Withdrawn  VersionState = "withdrawn"
)

// Trigger is what made a version necessary.
type Trigger struct {
	Kind string `json:"trigger_kind,omitempty" enum:"event,finding,incident,schedule,request" doc:"what made this version necessary: event, finding, incident, schedule or request"`
	ID   string `json:"trigger_id,omitempty" doc:"which one"`
}

// VersionDetails are what is said of a version when it is registered. They never change.
type VersionDetails struct {
	Digest         tallystick.Digest `json:"version_digest,omitempty" doc:"digest of the manifest: the identity"`
	Root           tallystick.Digest `json:"root_digest,omitempty" doc:"root digest of OpenSSF Model Signing of the same files: an alias"`
	Files          int64             `json:"files,omitempty" doc:"number of files"`
	Bytes          int64             `json:"bytes,omitempty" doc:"size of all files"`
	SameAs         []string          `json:"same_as,omitempty" doc:"other versions with the same files when it was registered, at most 10"`
	TrainingCutoff string            `json:"training_cutoff,omitempty" doc:"last day of the training data, as 2006-01-02"`
	CodeCommit     string            `json:"code_commit,omitempty" doc:"commit of the training code"`
	Image          tallystick.Digest `json:"image_digest,omitempty" doc:"digest of the container image of the training"`
	Run            string            `json:"run,omitempty" doc:"id of the run that made it"`
	Trigger
	Changelog     string   `json:"changelog,omitempty" doc:"what changed since the version before"`
	Justification string   `json:"justification,omitempty" doc:"why this version is made"`
	Metadata      Metadata `json:"metadata,omitzero"`
}

// Version is a version of a model.
type Version struct {
	Model   string       `json:"model"`
	Version string       `json:"version"`
	State   VersionState `json:"state"`
	VersionDetails
	Reason  string    `json:"reason,omitempty" doc:"why it is deprecated or withdrawn"`
	Created time.Time `json:"created"`
	First   uint64    `json:"created_event" doc:"sequence of the event that made it known"`
	Event   uint64    `json:"event" doc:"sequence of the last event that changed it"`
}

// Name returns the name of the version with its model's, as in "credit@3".
func (v Version) Name() string { return v.Model + "@" + v.Version }

// Version returns a version by its name, or a NotFound error with names that are like it.
func (c *Catalog) Version(ctx context.Context, model, version string) (Version, error) {
	return read(ctx, c, func(tx *state.Tx) (Version, error) { return findVersion(tx, model, version) })
}

// VersionIn returns the version as the transaction sees it, or a NotFound error.
func (c *Catalog) VersionIn(tx *state.Tx, model, version string) (Version, error) {
	return findVersion(tx, model, version)
}

// Manifest returns the manifest with that digest, or a NotFound error.
func (c *Catalog) Manifest(ctx context.Context, digest tallystick.Digest) (artifact.Manifest, error) {
	return read(ctx, c, func(tx *state.Tx) (artifact.Manifest, error) { return manifest(tx, digest) })
}

const versionColumns = `model, version, state, digest, root, files, bytes, same_as, training_cutoff, code_commit, image_digest, run,
	trigger_kind, trigger_id, changelog, justification, metadata, reason, created_ms, created, event`

func findVersion(tx *state.Tx, model, version string) (Version, error) {
	v, err := scanVersion(tx.QueryRow("SELECT "+versionColumns+" FROM versions WHERE model = ? AND version = ?", model, version))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Version{}, errNoVersion(tx, model, version)
	case err != nil:
		return Version{}, fmt.Errorf("read version %s@%s: %w", model, version, err)
	}
	return v, nil
}

func errNoVersion(tx *state.Tx, name, version string) error {
	m, err := model(tx, name)
	if err != nil {
		return err
	}
	otherwise := "it has no version yet; register one with `tallystick register " + name + "@" + version + " PATH`"
	if m.LatestVersion != "" {
		otherwise = "its latest is " + m.LatestVersion
	}
	hint, err := hintNearest(tx, otherwise, version, "SELECT version FROM versions WHERE model = ? ORDER BY created DESC", name)
	if err != nil {
		return fmt.Errorf("look for versions like %s@%s: %w", name, version, err)
	}
	return tallystick.Errorf(tallystick.NotFound, "model %q has no version %q", name, version).WithHint("%s", hint)
}

func scanVersion(row state.Scanner) (Version, error) {
	var v Version
	var digest, root sql.NullString
	var same, metadata string
	var created int64
	err := row.Scan(&v.Model, &v.Version, &v.State, &digest, &root, &v.Files, &v.Bytes, &same, &v.TrainingCutoff, &v.CodeCommit, &v.Image, &v.Run,
		&v.Trigger.Kind, &v.Trigger.ID, &v.Changelog, &v.Justification, &metadata, &v.Reason, &created, &v.First, &v.Event)
	if err != nil {
		return Version{}, err
	}
	v.Digest, v.Root, v.Created = tallystick.Digest(digest.String), tallystick.Digest(root.String), moment(created)
	if err := errors.Join(unpack(same, &v.SameAs), unpack(metadata, &v.Metadata)); err != nil {
		return Version{}, fmt.Errorf("version %s: %w", v.Name(), err)
	}
	return v, nil
}

func manifest(tx *state.Tx, digest tallystick.Digest) (artifact.Manifest, error) {
	var content string
	err := tx.QueryRow("SELECT content FROM manifests WHERE digest = ?", string(digest)).Scan(&content)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && content == "":
		return artifact.Manifest{}, tallystick.Errorf(tallystick.NotFound, "no manifest of digest %s is on record", digest.Short())
	case err != nil:
		return artifact.Manifest{}, fmt.Errorf("read manifest %s: %w", digest.Short(), err)
	}
	if tallystick.DigestOf([]byte(content)) != digest {
		return artifact.Manifest{}, tallystick.Errorf(tallystick.Internal, "manifest %s has been altered", digest.Short()).WithHint("`tallystick fsck` checks the rest")
	}
	return artifact.ParseManifest([]byte(content))
}
