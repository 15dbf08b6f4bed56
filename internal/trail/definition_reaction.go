package trail

// Types of events of reactions: what is said, tried and done when a model is judged bad, and requests to train it anew.
const (
	ReactionApplied  Type = typePrefix + "reaction.applied" + typeSuffix
	ReactionApproved Type = typePrefix + "reaction.approved" + typeSuffix
	ReactionRemoved  Type = typePrefix + "reaction.removed" + typeSuffix
	ReactionTried    Type = typePrefix + "reaction.tried" + typeSuffix
	ReactionEnded    Type = typePrefix + "reaction.ended" + typeSuffix
	RetrainRequested Type = typePrefix + "retrain.requested" + typeSuffix
)

func ofReaction(fields ...Field) []Field {
	return append([]Field{public("reaction", Text, "name of the reaction"), public("model", Text, "name of the model")}, fields...)
}

func reactionDefinitions() []Definition {
	about := func(fields ...Field) []Field {
		return ofReaction(append([]Field{
			optional("version", Text, "version that it is about").inTheOpen(),
			optional("environment", Text, "where").inTheOpen(),
			public("deed", Text, "what was to be done: retrain, rollback or pause"),
			public("state", Text, "proposed, begun, done, refused, lapsed or skipped"),
			optional("incident", Text, "id of the incident that it belongs to").inTheOpen(),
			optional("target", Text, "version to which a rollback goes").inTheOpen(),
			optional("request", Text, "id of the request for a release").inTheOpen(),
			optional("reason", Text, "why it came so far and no further").inTheOpen(),
		}, fields...)...)
	}
	return []Definition{
		{
			Type: ReactionApplied, Title: "Reaction applied", Action: "reaction.apply",
			Description: "It was said what is done, or proposed, when a model is judged bad.",
			Fields: ofReaction(public("document_digest", Digest, "digest of the reaction as it was written"), public("mode", Text, "propose or act"),
				optional("minter", Text, "id of who made the token by which it was applied")),
		},
		{
			Type: ReactionApproved, Title: "Reaction approved", Action: "reaction.approve",
			Description: "Somebody else than who applied a reaction approved it: it acts by itself from now on.",
			Fields: ofReaction(public("document_digest", Digest, "digest of the reaction as it was written"), optional("comment", Text, "why"),
				optional("minter", Text, "id of who made the token by which it was approved")),
		},
		{
			Type: ReactionRemoved, Title: "Reaction removed", Action: "reaction.remove",
			Description: "Nothing is done or proposed by a reaction any more.",
			Fields:      ofReaction(),
		},
		{
			Type: ReactionTried, Title: "Reaction tried", Action: "reaction.try",
			Description: "The condition of a reaction came true: what it says was proposed, begun, done, refused or skipped.",
			Fields: about(public("document_digest", Digest, "digest of the reaction as it was written"), public("mode", Text, "propose or act, as it counted"),
				public("cause", Text, "what came true: alert or comparison, and which"), optional("rule", Text, "rule of the alert, or name of the comparison").inTheOpen(),
				optional("retrain", Text, "id of the request to train the model anew").inTheOpen(), optional("command", Text, "what a person would do").inTheOpen()),
		},
		{
			Type: ReactionEnded, Title: "Reaction ended", Action: "reaction.end",
			Description: "What a reaction proposed or began came to an end.",
			Fields:      about(public("try", Text, "id of the try")),
		},
		{
			Type: RetrainRequested, Title: "Training requested", Action: "retrain.request",
			Description: "It was asked that a model be trained anew. The report has what drifted, the data that the version learned from and the predictions to learn from.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "version that is to be replaced").inTheOpen(),
				optional("environment", Text, "where").inTheOpen(),
				optional("reaction", Text, "reaction that asked; absent: a person").inTheOpen(),
				optional("cause", Text, "why: alert or comparison, and which").inTheOpen(),
				optional("rule", Text, "rule of the alert, or name of the comparison").inTheOpen(),
				optional("incident", Text, "id of the incident that it belongs to").inTheOpen(),
				public("report_digest", Digest, "digest of the report"),
				public("from_ms", Number, "predictions from this time on are meant, milliseconds since 1970"),
				public("to_ms", Number, "until this time, exclusive"),
				public("predictions", Number, "how many there are"),
				public("known_event", Number, "sequence of the newest event by which they came on record; 0: there are none"),
				optional("reason", Text, "what a person said"),
			},
		},
	}
}
