package trail

// The types of events of labels, and of who asked about predictions.
const (
	LabelsRecorded    Type = typePrefix + "prediction.labels.recorded" + typeSuffix
	PredictionQueried Type = typePrefix + "prediction.queried" + typeSuffix
)

func labelDefinitions() []Definition {
	return []Definition{
		{
			Type: LabelsRecorded, Title: "Labels recorded", Action: "prediction.labels.record",
			Description: "Outcomes of predictions of a model became known.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("batch", Text, "what its sender calls the batch").inTheOpen(),
				public("content_digest", Digest, "digest of the labels, as canonical lines of JSON"),
				public("sent_digest", Digest, "digest of what was sent, in canonical lines as far as it could be read"),
				public("labels", Number, "number of labels that are new"),
				public("corrected", Number, "number of those of them whose prediction had a label"),
				public("duplicates", Number, "number of labels that were on record already"),
				public("rejected", Number, "number of labels that were not taken"),
			},
		},
		{
			Type: PredictionQueried, Title: "Predictions queried", Action: "prediction.query",
			Description: "Somebody asked for predictions of a model, or for figures about them.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("form", Text, "how they were given out: list, aggregate, export, labels"),
				optional("predictions", Number, "number of predictions that were given out or counted; absent in an export, which is recorded before").inTheOpen(),
				optional("question", Object, "what was asked"),
			},
		},
	}
}
