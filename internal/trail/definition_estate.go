package trail

// The types of events about data sets, environments and what runs in them.
const (
	DatasetRegistered  Type = typePrefix + "dataset.registered" + typeSuffix
	DatasetUpdated     Type = typePrefix + "dataset.updated" + typeSuffix
	SnapshotRegistered Type = typePrefix + "snapshot.registered" + typeSuffix
	SnapshotLinked     Type = typePrefix + "snapshot.linked" + typeSuffix
	EnvironmentDefined Type = typePrefix + "environment.defined" + typeSuffix
	DeploymentRecorded Type = typePrefix + "deployment.recorded" + typeSuffix
	DeploymentScaled   Type = typePrefix + "deployment.scaled" + typeSuffix
	DeploymentEnded    Type = typePrefix + "deployment.ended" + typeSuffix
	AssignmentRecorded Type = typePrefix + "assignment.recorded" + typeSuffix
	AssignmentEnded    Type = typePrefix + "assignment.ended" + typeSuffix
)

func estateDefinitions() []Definition {
	terms := []Field{
		public("dataset", Text, "name of the data set"),
		optional("owner", Text, "who answers for the data set"),
		optional("summary", Text, "what the data are"),
		optional("source", Text, "where the data come from"),
		optional("consent_basis", Text, "what the use of personal data rests on").inTheOpen(),
		optional("retention_days", Number, "how long snapshots are kept").inTheOpen(),
		optional("guidelines_digest", Digest, "digest of the labelling guidelines").inTheOpen(),
		optional("privacy", Objects, "privacy label of each column that has one"),
		optional("allowed_purposes", List, "what the data may be used for"),
		optional("forbidden_purposes", List, "what the data may not be used for"),
	}
	return []Definition{
		{
			Type: DatasetRegistered, Title: "Data set registered", Action: "dataset.register",
			Description: "A data set was registered, with the terms of its use.",
			Fields:      terms,
		},
		{
			Type: DatasetUpdated, Title: "Data set updated", Action: "dataset.update",
			Description: "The terms of a data set were changed; those given here hold from now on.",
			Fields:      terms,
		},
		{
			Type: SnapshotRegistered, Title: "Snapshot registered", Action: "snapshot.register",
			Description: "The content of a data set at one moment was put on record; it never changes.",
			Fields: []Field{
				public("dataset", Text, "name of the data set"),
				public("snapshot", Text, "name of the snapshot"),
				public("digest", Digest, "digest of the data"),
				public("rows", Number, "rows of the data"),
				optional("bytes", Number, "size of the data").inTheOpen(),
				optional("taken_at", Text, "when the data were taken from their source").inTheOpen(),
				optional("schema_digest", Digest, "digest of the list of columns").inTheOpen(),
				optional("profile_digest", Digest, "digest of the profile").inTheOpen(),
				optional("sources", Objects, "name and digest of each source at ingestion"),
				optional("anomalies", Objects, "what was wrong at ingestion: rows, what was done about it, and why"),
			},
		},
		{
			Type: SnapshotLinked, Title: "Snapshot linked", Action: "snapshot.link",
			Description: "A version was said to rest on a snapshot.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("role", Text, "what the data served for: training, validation, test or reference"),
				public("dataset", Text, "name of the data set"),
				public("snapshot", Text, "name of the snapshot"),
				public("digest", Digest, "digest of the data"),
			},
		},
		{
			Type: EnvironmentDefined, Title: "Environment defined", Action: "environment.define",
			Description: "An environment was added or changed; what is said here holds from now on.",
			Fields: []Field{
				public("environment", Text, "name of the environment"),
				public("strictness", Text, "what a version needs to serve there: free, checked or gated"),
				public("position", Number, "place in the order of a version's way to production"),
				optional("residency", Text, "where its data must stay").inTheOpen(),
				optional("summary", Text, "what the environment is for"),
			},
		},
		{
			Type: DeploymentRecorded, Title: "Deployment recorded", Action: "deployment.record",
			Description: "A version was reported to run somewhere.",
			Fields: []Field{
				public("deployment", Text, "id of the deployment"),
				public("environment", Text, "name of the environment"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				optional("artifact_digest", Digest, "digest of the version that was really deployed").inTheOpen(),
				optional("image_digest", Digest, "digest of the container image").inTheOpen(),
				optional("configuration_digest", Digest, "digest of the configuration").inTheOpen(),
				optional("manifest_digest", Digest, "digest of the deployment manifest").inTheOpen(),
				public("replicas", Number, "how many copies run"),
				optional("cluster", Text, "cluster that it runs in"),
				optional("node", Text, "node that it runs on"),
				optional("reporter", Text, "who or what reported it"),
			},
		},
		{
			Type: DeploymentScaled, Title: "Deployment scaled", Action: "deployment.scale",
			Description: "A deployment was reported to run in another number of copies.",
			Fields: []Field{
				public("deployment", Text, "id of the deployment"),
				public("model", Text, "name of the model"),
				public("replicas", Number, "how many copies run"),
			},
		},
		{
			Type: DeploymentEnded, Title: "Deployment ended", Action: "deployment.end",
			Description: "A deployment was reported to run no more.",
			Fields: []Field{
				public("deployment", Text, "id of the deployment"),
				public("model", Text, "name of the model"),
				optional("reason", Text, "why it ended"),
			},
		},
		{
			Type: AssignmentRecorded, Title: "Assignment recorded", Action: "assignment.record",
			Description: "A version serves in an environment from now on; what it replaces serves no more.",
			Fields: []Field{
				public("environment", Text, "name of the environment"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("role", Text, "champion, challenger, shadow or canary"),
				optional("percent", Number, "share of the requests that a canary answers").inTheOpen(),
				optional("observed", Flag, "true: it was found to be so, nobody was asked").inTheOpen(),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: AssignmentEnded, Title: "Assignment ended", Action: "assignment.end",
			Description: "A version was withdrawn from an environment.",
			Fields: []Field{
				public("environment", Text, "name of the environment"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				optional("observed", Flag, "true: it was found to be so, nobody was asked").inTheOpen(),
				optional("reason", Text, "why"),
			},
		},
	}
}
