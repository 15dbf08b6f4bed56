package trail

// The types of events of what becomes of predictions that were taken in.
const (
	SegmentSealed Type = typePrefix + "prediction.segment.sealed" + typeSuffix
	IntegrityGap  Type = typePrefix + "prediction.integrity_gap" + typeSuffix
	// PredictionRead is recorded before a prediction is shown to anybody.
	PredictionRead Type = typePrefix + "prediction.read" + typeSuffix
)

func predictionDefinitions() []Definition {
	return []Definition{
		{
			Type: SegmentSealed, Title: "Segment sealed", Action: "prediction.segment.seal",
			Description: "Predictions of a model were put into a segment; the root proves each of them.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("segment", Text, "name of the segment"),
				public("file_digest", Digest, "digest of the file"),
				public("bytes", Number, "size of the file"),
				public("root_digest", Digest, "root of the RFC 6962 tree over the leaves of the records"),
				optional("previous_root", Digest, "root of the segment of the model before").inTheOpen(),
				public("records", Number, "number of records"),
				public("shard", Text, "shard of the journal from which they come"),
				public("first_sequence", Number, "first frame of the journal that was cut with them"),
				public("last_sequence", Number, "last frame of the journal that was cut with them"),
				public("first_time", Text, "time of the earliest record"),
				public("last_time", Text, "time of the latest record"),
				public("first_id", Text, "smallest id of a record"),
				public("last_id", Text, "greatest id of a record"),
			},
		},
		{
			Type: IntegrityGap, Title: "Integrity gap", Action: "prediction.integrity_gap.report",
			Description: "A range of the journal of predictions was found damaged or lost.",
			Fields: []Field{
				public("shard", Text, "shard of the journal that begins behind the gap"),
				public("sequence", Number, "its first frame, which tells of the gap"),
				public("gap_shard", Text, "shard in which the gap is"),
				public("from_sequence", Number, "first frame of the range"),
				optional("to_sequence", Number, "last frame of the range; absent if nobody knows").inTheOpen(),
				optional("lost", List, "frames of the range that could not be read, as FIRST-LAST, up to a hundred").inTheOpen(),
				public("salvaged", Number, "batches of the range that could still be read, and are kept"),
				public("unsure", Flag, "whether perhaps nobody was told that the range was durable"),
				optional("what", Text, "what is wrong with it"),
				optional("quarantine", Text, "where what is left of it was put"),
			},
		},
		{
			Type: PredictionRead, Title: "Prediction read", Action: "prediction.read",
			Description: "Somebody was shown a prediction, or its proof.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("segment", Text, "segment in which the prediction is"),
				public("proof", Flag, "whether it was the proof, which holds the prediction"),
				optional("prediction", Text, "id of the prediction"),
				optional("body", Text, "the body that was shown: request or response; absent if none was").inTheOpen(),
			},
		},
	}
}
