package trail

// The types of events of what becomes of predictions that are kept.
const (
	SegmentsCompacted Type = typePrefix + "prediction.segments.compacted" + typeSuffix
	SegmentsRemoved   Type = typePrefix + "prediction.segments.removed" + typeSuffix
	PredictionErased  Type = typePrefix + "prediction.erased" + typeSuffix
	RetentionSet      Type = typePrefix + "prediction.retention.set" + typeSuffix
)

func archiveDefinitions() []Definition {
	return []Definition{
		{
			Type: SegmentsCompacted, Title: "Segments compacted", Action: "prediction.segments.compact",
			Description: "Files of predictions were joined; segments, roots and proofs stay as they were.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("file_digest", Digest, "digest of the file in which the segments are now"),
				public("bytes", Number, "size of that file"),
				public("replaces", Digests, "digests of the files in which they were"),
				public("segments", Number, "number of segments"),
				public("records", Number, "number of records, erased ones included"),
			},
		},
		{
			Type: SegmentsRemoved, Title: "Segments removed", Action: "prediction.segments.remove",
			Description: "Predictions were removed because they had been kept for as long as was said; the roots of their segments stay on the trail.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("days", Number, "days for which predictions of the model are kept"),
				public("files", Digests, "digests of the files that were removed"),
				public("segments", Number, "number of segments in them"),
				public("records", Number, "number of records in them"),
				public("first_time", Text, "time of the earliest record"),
				public("last_time", Text, "time of the latest record"),
			},
		},
		{
			Type: PredictionErased, Title: "Predictions erased", Action: "prediction.erase",
			Description: "Predictions were erased from a file; their leaves stay, so that the proofs of others hold.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("file_digest", Digest, "digest of the file without them"),
				public("bytes", Number, "size of that file"),
				public("replaces", Digest, "digest of the file with them"),
				public("records", Number, "number of predictions that were erased"),
				public("places", List, "where they were, each as SEGMENT:INDEX"),
				public("id_hashes", Digests, "pseudonyms of their ids, in the same order"),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: RetentionSet, Title: "Retention set", Action: "prediction.retention.set",
			Description: "It was said for how long predictions of a model are kept.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("days", Number, "number of days after the last record of a file; 0: for ever"),
				optional("reason", Text, "why"),
			},
		},
	}
}
