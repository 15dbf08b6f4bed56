package catalog

import (
	"cmp"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Observation is a report of what runs in an environment.
type Observation struct {
	Environment string    `json:"environment" doc:"Name of the environment."`
	Running     []Running `json:"running,omitempty" doc:"What runs there; at most 1,000."`
	// Whole names the models of which all that runs is in the report. Only of these can something be
	// missing.
	Whole []string `json:"whole,omitempty" doc:"Models of which all that runs is in the report, be it nothing; at most 1,000."`
}

// Running is one thing that was found running. What is empty was not looked at, and is not compared.
type Running struct {
	Model         string            `json:"model" doc:"Name of the model."`
	Version       string            `json:"version,omitempty" doc:"The version that it says it is."`
	Deployment    string            `json:"deployment,omitempty" doc:"Id of the deployment."`
	Artifact      tallystick.Digest `json:"artifact_digest,omitempty" doc:"Digest of the files: of the manifest, or the OpenSSF root."`
	CodeCommit    string            `json:"code_commit,omitempty" doc:"Commit of the code; its first digits will do."`
	Image         tallystick.Digest `json:"image_digest,omitempty" doc:"Digest of the container image."`
	Configuration tallystick.Digest `json:"configuration_digest,omitempty" doc:"Digest of the configuration."`
	Data          tallystick.Digest `json:"data_digest,omitempty" doc:"Digest of the training data that it names."`
}

const maxObserved = 1000

// Reconcile compares what runs with what the catalog says, and returns the changes that this makes to
// findings: what differs is raised, what agrees again is resolved, and a difference that is known
// makes none. Where one side is missing, the finding is that nobody can say.
func (c *Catalog) Reconcile(tx *state.Tx, o Observation) ([]trail.Change, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if _, err := environment(tx, o.Environment); err != nil {
		return nil, err
	}
	j := newJudge(tx, o.Environment)
	for _, r := range o.Running {
		if err := j.running(r); err != nil {
			return nil, fmt.Errorf("reconcile %s in %s: %w", r.Model, o.Environment, err)
		}
	}
	for _, model := range o.Whole {
		if err := j.whole(model); err != nil {
			return nil, fmt.Errorf("reconcile %s in %s: %w", model, o.Environment, err)
		}
	}
	return j.changes()
}

func (o Observation) validate() error {
	if max(len(o.Running), len(o.Whole)) > maxObserved {
		return tallystick.Errorf(tallystick.Invalid, "%d running and %d models are more than the limit of %d", len(o.Running), len(o.Whole), maxObserved).
			WithHint("report in parts: each model whole in one of them")
	}
	for _, model := range o.Whole {
		if err := tallystick.ValidateName("model", model); err != nil {
			return err
		}
	}
	for _, r := range o.Running {
		if err := r.validate(); err != nil {
			return fmt.Errorf("running %s: %w", r.Model, err)
		}
	}
	return nil
}

func (r Running) validate() error {
	if r.Version != "" {
		if err := tallystick.ValidateName("version", r.Version); err != nil {
			return err
		}
	}
	if r.Deployment != "" {
		if err := tallystick.ValidateName("deployment", r.Deployment); err != nil {
			return err
		}
	}
	if r.CodeCommit != "" && (len(r.CodeCommit) > maxCommit || !commitPattern.MatchString(r.CodeCommit)) {
		return tallystick.Errorf(tallystick.Invalid, "code commit %.80q is no commit", r.CodeCommit)
	}
	return cmp.Or(
		tallystick.ValidateName("model", r.Model),
		optionalDigest("artifact", r.Artifact),
		optionalDigest("image", r.Image),
		optionalDigest("configuration", r.Configuration),
		optionalDigest("data", r.Data),
	)
}
