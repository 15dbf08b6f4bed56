package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxManifest bounds the manifest that one event carries, in bytes: some 25,000 files.
const maxManifest = 4 << 20

const maxSameAs = 10

// VersionRegistration asks to register a version of a registered model.
type VersionRegistration struct {
	Model, Version string
	// Manifest lists the files; empty if they are not known, as for a third-party model.
	Manifest artifact.Manifest
	// Details are what is said of the version besides. What follows from the manifest is filled in.
	Details VersionDetails
	// Draft registers the name alone. It changes nothing if the version is known.
	Draft bool
}

// RegisterVersion proposes to register a version, or to complete a draft. What the model's tier asks
// for must be there (MissingMetadata); otherwise the Invalid error names all that is missing. A registered
// version never changes: the same registration again is nothing to do, and another one a Conflict that
// names the first file that differs, or the first field. The model must be registered, in the same
// transaction at the latest.
func (c *Catalog) RegisterVersion(tx *state.Tx, r VersionRegistration) (trail.Change, error) {
	if err := validateVersionName(r.Model, r.Version); err != nil {
		return nil, err
	}
	m, err := model(tx, r.Model)
	if err != nil {
		return nil, err
	}
	known, err := scanKnown(tx, r.Model, r.Version)
	if err != nil {
		return nil, err
	}
	if r.Draft {
		if known != nil {
			return nil, nil
		}
		return &VersionRegistered{Model: r.Model, Version: r.Version, State: Draft}, refuseRetired(m)
	}
	change := &VersionRegistered{Model: r.Model, Version: r.Version, State: Registered, VersionDetails: r.Details}
	if err := change.fill(r.Manifest); err != nil {
		return nil, err
	}
	if err := change.VersionDetails.validate(tx.Now()); err != nil {
		return nil, fmt.Errorf("version %s@%s: %w", r.Model, r.Version, err)
	}
	if known != nil && known.State != Draft {
		return nil, compareVersion(tx, *known, r.Manifest, change.VersionDetails)
	}
	if err := refuseRetired(m); err != nil {
		return nil, err
	}
	if missing := MissingMetadata(m, change.VersionDetails); len(missing) > 0 {
		return nil, errMissing(m, r.Version, missing)
	}
	if change.SameAs, err = sameFiles(tx, change); err != nil {
		return nil, err
	}
	return change, nil
}

func refuseRetired(m Model) error {
	if m.State != Retired {
		return nil
	}
	return tallystick.Errorf(tallystick.Conflict, "model %q is retired: %s", m.Name, cmp.Or(m.Reason, "no reason is on record")).
		WithHint("register the model again first, with a reason")
}

// scanKnown returns the version, or nil if there is none.
func scanKnown(tx *state.Tx, model, version string) (*Version, error) {
	rows, err := tx.Query("SELECT "+versionColumns+" FROM versions WHERE model = ? AND version = ?", model, version)
	if err != nil {
		return nil, fmt.Errorf("read version %s@%s: %w", model, version, err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return nil, rows.Err()
	}
	v, err := scanVersion(rows)
	if err != nil {
		return nil, fmt.Errorf("read version %s@%s: %w", model, version, err)
	}
	return &v, rows.Close()
}

// fill sets what follows from the manifest.
func (c *VersionRegistered) fill(m artifact.Manifest) error {
	c.Digest, c.Root, c.Files, c.Bytes, c.SameAs = "", "", 0, 0, nil
	if m.Len() == 0 {
		return nil
	}
	data, err := m.Marshal()
	if err != nil {
		return err
	}
	if len(data) > maxManifest {
		return tallystick.Errorf(tallystick.Invalid, "version %s@%s has %d files, whose manifest of %d bytes is longer than %d", c.Model, c.Version, m.Len(), len(data), maxManifest).
			WithHint("leave out what is no part of the version, or pack small files into one")
	}
	c.Manifest, c.Digest, c.Root = string(data), tallystick.DigestOf(data), m.Root()
	c.Files, c.Bytes = int64(m.Len()), m.Size()
	return nil
}

// compareVersion returns nil if the registration says what is on record, and otherwise the Conflict.
func compareVersion(tx *state.Tx, known Version, files artifact.Manifest, said VersionDetails) error {
	if known.Digest != said.Digest {
		if known.Digest == "" || said.Digest == "" {
			return tallystick.Errorf(tallystick.Conflict, "version %s is registered with other files: %s there, %s here", known.Name(), orNone(known.Digest), orNone(said.Digest)).
				WithHint("a version never changes: register the files as a new one")
		}
		old, err := manifest(tx, known.Digest)
		if tallystick.CodeOf(err) == tallystick.NotFound { // erased
			return tallystick.Errorf(tallystick.Conflict, "version %s is registered with other files: digest %s, not %s", known.Name(), known.Digest.Short(), said.Digest.Short()).
				WithHint("a version never changes: register the files as a new one")
		}
		if err != nil {
			return err
		}
		return tallystick.Errorf(tallystick.Conflict, "version %s: %w", known.Name(), artifact.Compare(old, files).Err())
	}
	said.SameAs = known.SameAs
	if field, differs := firstDifference(known.VersionDetails, said); differs {
		return tallystick.Errorf(tallystick.Conflict, "version %s is registered with another %s", known.Name(), field).
			WithHint("a version never changes: register a new one, or attach what is new as evidence")
	}
	return nil
}

func orNone(d tallystick.Digest) string {
	if d == "" {
		return "none"
	}
	return d.Short()
}

// firstDifference returns the JSON name of the first field in which the details differ.
func firstDifference(a, b VersionDetails) (name string, differs bool) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"training_cutoff", a.TrainingCutoff == b.TrainingCutoff},
		{"code_commit", a.CodeCommit == b.CodeCommit},
		{"image_digest", a.Image == b.Image},
		{"run", a.Run == b.Run},
		{"trigger", a.Trigger == b.Trigger},
		{"changelog", a.Changelog == b.Changelog},
		{"justification", a.Justification == b.Justification},
		{"metadata", sameMetadata(a.Metadata, b.Metadata)},
	} {
		if !f.same {
			return f.name, true
		}
	}
	return "", false
}

// sameMetadata compares, and takes an empty map for none.
func sameMetadata(a, b Metadata) bool {
	x, err := pack(a)
	if err != nil {
		return false
	}
	y, err := pack(b)
	return err == nil && x == y
}

// sameFiles returns the names of other versions with the same files.
func sameFiles(tx *state.Tx, c *VersionRegistered) ([]string, error) {
	if c.Digest == "" {
		return nil, nil
	}
	rows, err := tx.Query("SELECT model, version FROM versions WHERE digest = ? AND NOT (model = ? AND version = ?) ORDER BY created "+state.Limit,
		string(c.Digest), c.Model, c.Version, maxSameAs)
	if err != nil {
		return nil, fmt.Errorf("look for versions with the same files: %w", err)
	}
	var names []string
	for rows.Next() {
		var v Version
		if err := rows.Scan(&v.Model, &v.Version); err != nil {
			return nil, err
		}
		names = append(names, v.Name())
	}
	return names, rows.Err()
}

// commitPattern is a commit's hash in hexadecimal (SHA-1 or SHA-256, whole), or the id of another system.
var commitPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:/+-]*$`)

var triggerKinds = []string{"event", "finding", "incident", "schedule", "request"}

func (d VersionDetails) validate(now time.Time) error {
	if d.TrainingCutoff != "" {
		day, err := time.Parse(cutoffLayout, d.TrainingCutoff)
		if err != nil {
			return tallystick.Errorf(tallystick.Invalid, "training cutoff %q is no date", d.TrainingCutoff).WithHint("write it as 2026-01-31")
		}
		if day.After(now.AddDate(0, 0, 1)) {
			return tallystick.Errorf(tallystick.Invalid, "training cutoff %s lies in the future", d.TrainingCutoff)
		}
	}
	if d.CodeCommit != "" && (len(d.CodeCommit) > maxCommit || !commitPattern.MatchString(d.CodeCommit)) {
		return tallystick.Errorf(tallystick.Invalid, "code commit %.80q is no commit", d.CodeCommit).WithHint("give the whole hash, as `git rev-parse HEAD` prints it")
	}
	if d.Image != "" {
		if err := d.Image.Validate(); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "image: %w", err)
		}
	}
	if d.Run != "" {
		if err := tallystick.ValidateName("run", d.Run); err != nil {
			return err
		}
	}
	if d.Trigger.Kind != "" && !slices.Contains(triggerKinds, d.Trigger.Kind) {
		return tallystick.Errorf(tallystick.Invalid, "trigger %q is not event, finding, incident, schedule or request", d.Trigger.Kind)
	}
	if d.Trigger.Kind == "" && d.Trigger.ID != "" {
		return tallystick.Errorf(tallystick.Invalid, "trigger %.80q is of no kind", d.Trigger.ID).WithHint("say whether it is an event, finding, incident, schedule or request")
	}
	return cmp.Or(
		tallystick.ValidateText("trigger", d.Trigger.ID, maxTriggerName), tallystick.ValidateText("changelog", d.Changelog, maxWords),
		tallystick.ValidateText("justification", d.Justification, maxWords), d.Metadata.validate(),
	)
}

// VersionMark asks to change the state of a registered version.
type VersionMark struct {
	Model, Version string
	State          VersionState // Registered, Deprecated or Withdrawn
	Reason         string       // required
}

// MarkVersion proposes to deprecate or withdraw a version, or to put it back into use, for a reason.
func (c *Catalog) MarkVersion(tx *state.Tx, mark VersionMark) (trail.Change, error) {
	v, err := findVersion(tx, mark.Model, mark.Version)
	if err != nil {
		return nil, err
	}
	switch {
	case mark.State != Registered && mark.State != Deprecated && mark.State != Withdrawn:
		return nil, tallystick.Errorf(tallystick.Invalid, "a version cannot be marked %q", string(mark.State)).WithHint("use registered, deprecated or withdrawn")
	case v.State == Draft && mark.State == Registered:
		return nil, tallystick.Errorf(tallystick.Conflict, "version %s is a draft", v.Name()).WithHint("register it with its files: `tallystick register %s PATH`", v.Name())
	case v.State == mark.State:
		return nil, nil
	case mark.Reason == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "no reason is given for marking version %s %s", v.Name(), mark.State).WithHint("say why with --reason")
	}
	if err := tallystick.ValidateText("reason", mark.Reason, maxWords); err != nil {
		return nil, err
	}
	return &VersionMarked{Model: mark.Model, Version: mark.Version, State: mark.State, Reason: mark.Reason}, nil
}
