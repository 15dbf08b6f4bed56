package release

import (
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

// black is by what a version of a third-party model is known whose files nobody has. What is said of a registered version never
// changes; the free text among it is sealed, so that none of it is in here.
type black struct {
	Model          string            `json:"model"`
	Version        string            `json:"version"`
	Registered     uint64            `json:"registered"` // sequence of the event that made it known, which holds the rest
	Image          tallystick.Digest `json:"image_digest"`
	CodeCommit     string            `json:"code_commit"`
	TrainingCutoff string            `json:"training_cutoff"`
}

// identity returns the digest to which a release is bound: that of the files, or, of a registered version of a third-party model
// without any, that of what is known of it. It is empty if nobody could tell what is let in.
func identity(m catalog.Model, v catalog.Version) (tallystick.Digest, error) {
	if v.Digest != "" || v.State == catalog.Draft || !m.ThirdParty {
		return v.Digest, nil
	}
	known, err := json.Marshal(black{v.Model, v.Version, v.First, v.Image, v.CodeCommit, v.TrainingCutoff})
	if err != nil {
		return "", fmt.Errorf("identity of %s: %w", v.Name(), err)
	}
	return tallystick.DigestOf(known), nil
}

// identified returns a version with its identity, or a Conflict error if it has none.
func (o *Office) identified(tx *state.Tx, model, version string) (catalog.Version, tallystick.Digest, error) {
	v, err := o.config.Catalog.VersionIn(tx, model, version)
	if err != nil {
		return v, "", err
	}
	m, err := o.config.Catalog.ModelIn(tx, model)
	if err != nil {
		return v, "", err
	}
	id, err := identity(m, v)
	switch {
	case err != nil || id != "":
		return v, id, err
	case m.ThirdParty:
		return v, "", tallystick.Errorf(tallystick.Conflict, "%s is a draft: nobody has said what it is", v.Name()).
			WithHint("register it: `tallystick register %s --changelog TEXT`, with its files if you have them", v.Name())
	}
	return v, "", tallystick.Errorf(tallystick.Conflict, "%s is a draft: without its files nobody could tell what is let in", v.Name()).
		WithHint("register its files: `tallystick register %s PATH`", v.Name())
}
