package trail

// Types of events of comparisons of two versions.
const (
	ComparisonApplied Type = typePrefix + "comparison.applied" + typeSuffix
	ComparisonRemoved Type = typePrefix + "comparison.removed" + typeSuffix
	ComparisonJudged  Type = typePrefix + "comparison.judged" + typeSuffix
)

func comparisonDefinitions() []Definition {
	return []Definition{
		{
			Type: ComparisonApplied, Title: "Comparison applied", Action: "comparison.apply",
			Description: "It was said how two versions of a model are compared, and by which margins.",
			Fields: []Field{
				public("comparison", Text, "name of the comparison"),
				public("model", Text, "name of the model"),
				public("document_digest", Digest, "digest of the comparison as it was written"),
			},
		},
		{
			Type: ComparisonRemoved, Title: "Comparison removed", Action: "comparison.remove",
			Description: "Versions are not compared so any more; what was judged stays.",
			Fields: []Field{
				public("comparison", Text, "name of the comparison"),
				public("model", Text, "name of the model"),
			},
		},
		{
			Type: ComparisonJudged, Title: "Versions compared", Action: "comparison.judge",
			Description: "Two versions of a model were held against each other by their predictions, and the answer was given.",
			Fields: []Field{
				public("comparison", Text, "name of the comparison"),
				public("model", Text, "name of the model"),
				public("version", Text, "the version that is to take the place of the other"),
				optional("against_version", Text, "the version that it was compared with; absent: there was no champion").inTheOpen(),
				optional("environment", Text, "environment of the predictions; absent: anywhere").inTheOpen(),
				optional("from", Text, "time from which predictions count").inTheOpen(),
				optional("to", Text, "time until which they do, exclusive").inTheOpen(),
				public("known_event", Number, "sequence of the newest event by which predictions or labels came on record; 0: there are none"),
				public("judgement_digest", Digest, "digest of the judgement, with a row for every metric"),
				public("verdict", Text, "promote, hold, rollback or inconclusive"),
				public("predictions", Number, "number of predictions of both versions"),
			},
		},
	}
}
