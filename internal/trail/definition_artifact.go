package trail

// The types of events of files that were put into the store: by who sent them, and from a URL.
const (
	ArtifactUploaded Type = typePrefix + "artifact.uploaded" + typeSuffix
	ArtifactFetched  Type = typePrefix + "artifact.fetched" + typeSuffix
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
			Type: ArtifactFetched, Title: "Artifact fetched", Action: "artifact.fetch",
			Description: "The bytes of a file were fetched from a URL and put into the store.",
			Fields: []Field{
				public("model", Text, "name of the model that they are for"),
				public("url", Text, "where they were, without the query"),
				public("artifact_digest", Digest, "digest of the bytes"),
				public("digest_given", Flag, "whether it was named before, and compared; otherwise it is that of what came"),
				public("size", Number, "number of bytes"),
			},
		},
	}
}
