package catalog

import "github.com/tallystick/tallystick/internal/trail"

func estateChanges() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.DatasetRegistered:  func() trail.Change { return new(DatasetRegistered) },
		trail.DatasetUpdated:     func() trail.Change { return new(DatasetUpdated) },
		trail.SnapshotRegistered: func() trail.Change { return new(SnapshotRegistered) },
		trail.SnapshotLinked:     func() trail.Change { return new(SnapshotLinked) },
		trail.EnvironmentDefined: func() trail.Change { return new(EnvironmentDefined) },
		trail.DeploymentRecorded: func() trail.Change { return new(DeploymentRecorded) },
		trail.DeploymentScaled:   func() trail.Change { return new(DeploymentScaled) },
		trail.DeploymentEnded:    func() trail.Change { return new(DeploymentEnded) },
		trail.AssignmentRecorded: func() trail.Change { return new(AssignmentRecorded) },
		trail.AssignmentEnded:    func() trail.Change { return new(AssignmentEnded) },
	}
}

// estateTables leaves out the documents of snapshots, of which the trail holds the digests.
func estateTables() []trail.Table {
	return []trail.Table{
		{
			Name: "datasets", Key: []string{"name"},
			Columns: []string{"consent_basis", "retention_days", "guidelines_digest", "created_ms", "event"},
			Sealed:  []string{"owner", "summary", "source", "privacy", "allowed_purposes", "forbidden_purposes"},
		},
		{
			Name: "snapshots", Key: []string{"dataset", "name"},
			Columns: []string{"digest", "row_count", "bytes", "schema_digest", "profile_digest", "taken_ms", "created_ms", "event"},
			Sealed:  []string{"sources", "anomalies"},
		},
		{Name: "version_snapshots", Key: []string{"model", "version", "role", "dataset", "snapshot"}, Columns: []string{"event"}},
		{
			Name: "environments", Key: []string{"name"},
			Columns: []string{"strictness", "position", "residency", "created_ms", "event"},
			Sealed:  []string{"summary"},
		},
		{
			Name: "deployments", Key: []string{"id"},
			Columns: []string{
				"environment", "model", "version", "artifact_digest", "image_digest", "configuration_digest", "manifest_digest",
				"replicas", "from_ms", "until_ms", "event", "last_event",
			},
			Sealed: []string{"cluster", "node", "reporter"},
		},
		{
			Name: "assignments", Key: []string{"id"},
			Columns: []string{"environment", "model", "version", "role", "percent", "observed", "from_ms", "until_ms", "event", "end_event"},
			Sealed:  []string{"reason"},
		},
	}
}
