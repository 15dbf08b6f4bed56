package trail

// The types of events about the files of versions.
const (
	ArtifactUploaded Type = typePrefix + "artifact.uploaded" + typeSuffix
	ArtifactRead     Type = typePrefix + "artifact.read" + typeSuffix
)

func artifactDefinitions() []Definition {
	return []Definition{
		{
			Type: ArtifactUploaded, Title: "Artifact uploaded", Action: "artifact.upload",
			Description: "The bytes of a file were put into the store.",
			Fields: []Field{
				public("model", Text, "name of the model that they are for"),
				public("artifact_digest", Digest, "digest of the bytes"),
				public("size", Number, "number of bytes"),
			},
		},
		{
			Type: ArtifactRead, Title: "Artifact read", Action: "artifact.read",
			Description: "A file of a version was given out: to be looked at, or to be loaded. The event comes before the first byte.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("artifact_digest", Digest, "digest of the file"),
				public("size", Number, "number of bytes"),
				optional("file", Text, "name of the file in the version").inTheOpen(),
			},
		},
	}
}
