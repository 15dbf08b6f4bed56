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

// DeploymentReport says what runs where. What was not said is empty and is not compared with anything.
type DeploymentReport struct {
	ID            string            `json:"deployment,omitempty" doc:"Id that the reporter knows the deployment by; one is made, if absent."`
	Environment   string            `json:"environment" doc:"Name of the environment."`
	Model         string            `json:"model" doc:"Name of the model."`
	Version       string            `json:"version" doc:"Name of the version."`
	Artifact      tallystick.Digest `json:"artifact_digest,omitempty" doc:"Digest of the version that was really deployed."`
	Image         tallystick.Digest `json:"image_digest,omitempty" doc:"Digest of the container image."`
	Configuration tallystick.Digest `json:"configuration_digest,omitempty" doc:"Digest of the configuration."`
	Manifest      tallystick.Digest `json:"manifest_digest,omitempty" doc:"Digest of the deployment manifest."`
	Replicas      int64             `json:"replicas" doc:"How many copies run."`
	Cluster       string            `json:"cluster,omitempty" doc:"Cluster that it runs in."`
	Node          string            `json:"node,omitempty" doc:"Node that it runs on."`
	Reporter      string            `json:"reporter,omitempty" doc:"Who or what reported it."`
}

// Deployment is a version that runs, or has run, somewhere.
type Deployment struct {
	DeploymentReport
	From  time.Time `json:"from" doc:"When it was reported first."`
	Until time.Time `json:"until,omitzero" doc:"When its end was reported; absent while it runs."`
	Event uint64    `json:"event" doc:"Sequence of the event that recorded it."`
}

// Running reports whether no end has been reported.
func (d Deployment) Running() bool { return d.Until.IsZero() }

const maxReplicas = 1_000_000

// RecordDeployment returns the changes that a report makes: a deployment, another number of its
// copies, or none if it is known. What a deployment is made of never changes: other digests under an id
// are a Conflict error. Files that are not those of the version raise a finding.
func (c *Catalog) RecordDeployment(tx *state.Tx, r DeploymentReport) ([]trail.Change, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	if _, err := environment(tx, r.Environment); err != nil {
		return nil, err
	}
	if _, err := findVersion(tx, r.Model, r.Version); err != nil {
		return nil, err
	}
	is, err := r.known(tx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		r.ID = cmp.Or(r.ID, tallystick.NewID(tx.Now()))
		findings, err := r.judge(tx)
		return append([]trail.Change{&DeploymentRecorded{r}}, findings...), err
	case err != nil:
		return nil, fmt.Errorf("read deployment %q: %w", r.ID, err)
	case !is.Running():
		return nil, tallystick.Errorf(tallystick.Conflict, "deployment %q ended at %s", is.ID, is.Until.Format(time.RFC3339)).
			WithHint("report what runs now under another id")
	case !is.same(r):
		return nil, tallystick.Errorf(tallystick.Conflict, "deployment %q is of %s@%s in %s with other digests or in another place", is.ID, is.Model, is.Version, is.Environment).
			WithHint("report its end, and what runs now under another id")
	case is.Replicas != r.Replicas:
		return []trail.Change{&DeploymentScaled{is.ID, is.Model, r.Replicas}}, nil
	}
	return nil, nil
}

// judge returns the finding that the files of a deployment make, if the report says which they are.
func (r DeploymentReport) judge(tx *state.Tx) ([]trail.Change, error) {
	if r.Artifact == "" {
		return nil, nil
	}
	j := newJudge(tx, r.Environment)
	if _, err := j.artifact(Running{Deployment: r.ID, Model: r.Model, Version: r.Version, Artifact: r.Artifact}); err != nil {
		return nil, err
	}
	return j.changes()
}

// EndDeployment returns the changes that end a deployment and resolve the findings about it, none if it
// has ended.
func (c *Catalog) EndDeployment(tx *state.Tx, id, reason string) ([]trail.Change, error) {
	if err := tallystick.ValidateText("reason", reason, maxWords); err != nil {
		return nil, err
	}
	d, err := deployment(tx, id)
	if err != nil || !d.Running() {
		return nil, err
	}
	changes := []trail.Change{&DeploymentEnded{Deployment: id, Model: d.Model, Reason: reason}}
	open, err := state.Collect(tx, scanFinding, "SELECT "+findingColumns+` FROM findings WHERE model = ? AND environment = ? AND subject = ?
		AND kind NOT IN ('rule_failed', 'bypass_attempt', 'unusual_conduct') AND resolved_ms IS NULL ORDER BY event `+state.Limit, d.Model, d.Environment, id, maxPage)
	if err != nil {
		return nil, fmt.Errorf("read open findings of deployment %q: %w", id, err)
	}
	for _, f := range open {
		changes = append(changes, &FindingResolved{FindingRef: f.ref(), Agrees: true, Reason: "the deployment has ended"})
	}
	return changes, nil
}

// known returns the deployment that the report is about, or sql.ErrNoRows.
func (r DeploymentReport) known(tx *state.Tx) (Deployment, error) {
	const from = "SELECT " + deploymentColumns + " FROM deployments WHERE "
	if r.ID != "" {
		return scanDeployment(tx.QueryRow(from+"id = ?", r.ID))
	}
	return scanDeployment(tx.QueryRow(from+`environment = ? AND model = ? AND version = ? AND until_ms IS NULL AND artifact_digest = ? AND image_digest = ?
		AND configuration_digest = ? AND manifest_digest = ? AND cluster = ? AND node = ? ORDER BY event LIMIT 1`,
		r.Environment, r.Model, r.Version, string(r.Artifact), string(r.Image), string(r.Configuration), string(r.Manifest), r.Cluster, r.Node))
}

// same reports whether the report is of this deployment, whoever made it and however many copies run.
func (d Deployment) same(r DeploymentReport) bool {
	r.ID, r.Reporter, r.Replicas = d.ID, d.Reporter, d.Replicas
	return r == d.DeploymentReport
}

func (r DeploymentReport) validate() error {
	if r.ID != "" {
		if err := tallystick.ValidateName("deployment", r.ID); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		what   string
		digest tallystick.Digest
	}{{"artifact", r.Artifact}, {"image", r.Image}, {"configuration", r.Configuration}, {"manifest", r.Manifest}} {
		if err := optionalDigest(d.what, d.digest); err != nil {
			return err
		}
	}
	if r.Replicas < 0 || r.Replicas > maxReplicas {
		return tallystick.Errorf(tallystick.Invalid, "%d replicas are not between 0 and %d", r.Replicas, maxReplicas)
	}
	return cmp.Or(tallystick.ValidateText("cluster", r.Cluster, maxPerson), tallystick.ValidateText("node", r.Node, maxPerson), tallystick.ValidateText("reporter", r.Reporter, maxPerson))
}

func optionalDigest(what string, d tallystick.Digest) error {
	if d == "" {
		return nil
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DeploymentFilter chooses deployments.
type DeploymentFilter struct {
	Environment string
	Model       string
	Version     string
	Running     bool      // only those that have not ended
	At          time.Time // only those that ran then; zero: whenever
	After       string    // the event of the last one that the caller has; empty begins with the newest
	Limit       int       // 0 means 100; at most 1,000
}

// Deployments returns what runs or has run, newest first.
func (c *Catalog) Deployments(ctx context.Context, f DeploymentFilter) (list []Deployment, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		var w where
		if err := w.serving(tx, f.Environment, f.Model, f.Version, f.Running, f.At); err != nil {
			return err
		}
		list, err = recent(tx, scanDeployment, "SELECT "+deploymentColumns+" FROM deployments", w, f.After, f.Limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list deployments: %w", err)
	}
	return list, nil
}

// Deployment returns the deployment of that id, or a NotFound error.
func (c *Catalog) Deployment(ctx context.Context, id string) (Deployment, error) {
	return read(ctx, c, func(tx *state.Tx) (Deployment, error) { return deployment(tx, id) })
}

const deploymentColumns = `id, environment, model, version, artifact_digest, image_digest, configuration_digest, manifest_digest,
	replicas, cluster, node, reporter, from_ms, until_ms, event`

func deployment(tx *state.Tx, id string) (Deployment, error) {
	d, err := scanDeployment(tx.QueryRow("SELECT "+deploymentColumns+" FROM deployments WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Deployment{}, tallystick.Errorf(tallystick.NotFound, "there is no deployment %.140q", id).
			WithHint("list the deployments of the model")
	}
	if err != nil {
		return Deployment{}, fmt.Errorf("read deployment %.140q: %w", id, err)
	}
	return d, nil
}

func scanDeployment(row state.Scanner) (d Deployment, err error) {
	var from int64
	var until sql.NullInt64
	err = row.Scan(&d.ID, &d.Environment, &d.Model, &d.Version, &d.Artifact, &d.Image, &d.Configuration, &d.Manifest,
		&d.Replicas, &d.Cluster, &d.Node, &d.Reporter, &from, &until, &d.Event)
	d.From = moment(from)
	if until.Valid {
		d.Until = moment(until.Int64)
	}
	return d, err
}
