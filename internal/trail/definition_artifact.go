package trail

// ArtifactUploaded is the type of event of a file that was put into the store.
const ArtifactUploaded Type = typePrefix + "artifact.uploaded" + typeSuffix

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
	}
}
