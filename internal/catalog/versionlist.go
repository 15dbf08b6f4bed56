package catalog

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// VersionFilter chooses versions. One of Model, Digest and Commit must be given.
type VersionFilter struct {
	Model  string
	State  VersionState      // of that model
	Digest tallystick.Digest // identity, or root of OpenSSF Model Signing
	Commit string            // of the training code
	Before uint64            // First of the last version of the page before
	Limit  int               // 0 means 100; at most 1,000
}

// Versions returns the versions that f chooses, the newest first.
func (c *Catalog) Versions(ctx context.Context, f VersionFilter) (versions []Version, err error) {
	if f.Model == "" && f.Digest == "" && f.Commit == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "versions are looked for by nothing").WithHint("name a model, a digest or a commit")
	}
	var w where
	w.add(f.Model != "", "model = ?", f.Model)
	w.add(f.State != "", "state = ?", string(f.State))
	w.add(f.Digest != "", "(digest = ? OR root = ?)", string(f.Digest), string(f.Digest))
	w.add(f.Commit != "", "code_commit = ? AND code_commit <> ''", f.Commit)
	w.add(f.Before > 0, "created < ?", int64(f.Before))
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		versions, err = state.Collect(tx, scanVersion, "SELECT "+versionColumns+" FROM versions WHERE "+w.String()+" ORDER BY created DESC "+state.Limit, append(w.args, limit(f.Limit))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("versions: %w", err)
	}
	return versions, nil
}

// Reading is an artifact of a version on its way out.
type Reading struct {
	Model, Version string
	File           string // name in the manifest; empty: the whole version
	Purpose        string // what for; a high tier asks for it
}

// Read returns the entry that has to be on the trail before the artifact leaves, and the digest of what leaves: of the
// file, or of the manifest. It is Forbidden without a purpose at tier high, and a Conflict for
// a version that is withdrawn or of which no files are known.
func (c *Catalog) Read(ctx context.Context, r Reading, actor trail.Actor) (entry trail.Entry, digest tallystick.Digest, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		m, err := model(tx, r.Model)
		if err != nil {
			return err
		}
		v, err := findVersion(tx, r.Model, r.Version)
		if err != nil {
			return err
		}
		data := map[string]any{"model": r.Model, "version": r.Version, "bytes": v.Bytes}
		switch {
		case v.Digest == "":
			return tallystick.Errorf(tallystick.Conflict, "no files of version %s are on record", v.Name()).WithHint("register it with its files: `tallystick register %s PATH`", v.Name())
		case v.State == Withdrawn:
			return tallystick.Errorf(tallystick.Conflict, "version %s is withdrawn: %s", v.Name(), v.Reason).WithHint("use another version")
		case m.Tier == tallystick.TierHigh && r.Purpose == "":
			return tallystick.Errorf(tallystick.Forbidden, "version %s is of tier high and leaves for a purpose only", v.Name()).WithHint("say what for with --purpose")
		}
		digest = v.Digest
		data["version_digest"] = string(v.Digest)
		if r.File != "" {
			files, err := manifest(tx, v.Digest)
			if err != nil {
				return err
			}
			f, ok := files.File(r.File)
			if !ok {
				return tallystick.Errorf(tallystick.NotFound, "version %s has no file %q", v.Name(), r.File).WithHint("`tallystick version show %s` lists its files", v.Name())
			}
			digest = f.Digest
			data["file"], data["file_digest"], data["bytes"] = r.File, string(f.Digest), f.Size
		}
		entry = trail.Entry{Type: trail.VersionRead, Actor: actor, Resource: versionResource(r.Model, r.Version), Purpose: r.Purpose, Outcome: tallystick.Success, Data: data}
		return nil
	})
	if err != nil {
		return trail.Entry{}, "", fmt.Errorf("read %s: %w", nameOf(r.Model, r.Version), err)
	}
	return entry, digest, nil
}
