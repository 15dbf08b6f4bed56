package catalog

import (
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// DeploymentRecorded adds a deployment.
type DeploymentRecorded struct{ DeploymentReport }

// Subject implements trail.Change.
func (d *DeploymentRecorded) Subject() (trail.Type, trail.Resource) {
	return trail.DeploymentRecorded, trail.Resource{Type: "deployment", ID: d.ID}
}

// Apply implements trail.Change.
func (d *DeploymentRecorded) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO deployments (id, environment, model, version, artifact_digest, image_digest, configuration_digest, manifest_digest,
		replicas, cluster, node, reporter, from_ms, event, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.Environment, d.Model, d.Version, string(d.Artifact), string(d.Image), string(d.Configuration), string(d.Manifest),
		d.Replicas, d.Cluster, d.Node, d.Reporter, at.Time.UnixMilli(), at.Sequence, at.Sequence)
	return err
}

// DeploymentScaled changes the number of a deployment's copies.
type DeploymentScaled struct {
	Deployment string `json:"deployment"`
	Model      string `json:"model"`
	Replicas   int64  `json:"replicas"`
}

// Subject implements trail.Change.
func (d *DeploymentScaled) Subject() (trail.Type, trail.Resource) {
	return trail.DeploymentScaled, trail.Resource{Type: "deployment", ID: d.Deployment}
}

// Apply implements trail.Change.
func (d *DeploymentScaled) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE deployments SET replicas = ?, last_event = ? WHERE id = ? AND until_ms IS NULL", d.Replicas, at.Sequence, d.Deployment)
}

// DeploymentEnded ends a deployment.
type DeploymentEnded struct {
	Deployment string `json:"deployment"`
	Model      string `json:"model"`
	Reason     string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (d *DeploymentEnded) Subject() (trail.Type, trail.Resource) {
	return trail.DeploymentEnded, trail.Resource{Type: "deployment", ID: d.Deployment}
}

// Apply implements trail.Change. A clock that went back ends no deployment before it began.
func (d *DeploymentEnded) Apply(tx *state.Tx, at trail.Mark) error {
	ms := at.Time.UnixMilli()
	return state.ExecOne(tx, `UPDATE deployments SET until_ms = CASE WHEN from_ms > ? THEN from_ms ELSE CAST(? AS BIGINT) END, last_event = ?
		WHERE id = ? AND until_ms IS NULL`, ms, ms, at.Sequence, d.Deployment)
}
