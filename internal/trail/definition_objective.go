package trail

// Types of events of objectives.
const (
	ObjectiveApplied Type = typePrefix + "objective.applied" + typeSuffix
	ObjectiveRemoved Type = typePrefix + "objective.removed" + typeSuffix
	ObjectiveJudged  Type = typePrefix + "objective.judged" + typeSuffix
)

func objectiveDefinitions() []Definition {
	return []Definition{
		{
			Type: ObjectiveApplied, Title: "Objective applied", Action: "objective.apply",
			Description: "It was said how well a model is to behave.",
			Fields: []Field{
				public("objective", Text, "name of the objective"),
				public("model", Text, "name of the model"),
				optional("environment", Text, "environment that it is about; absent: any").inTheOpen(),
				public("document_digest", Digest, "digest of the objective as it was written"),
			},
		},
		{
			Type: ObjectiveRemoved, Title: "Objective removed", Action: "objective.remove",
			Description: "An objective is judged no more; what was judged stays.",
			Fields: []Field{
				public("objective", Text, "name of the objective"),
				public("model", Text, "name of the model"),
				optional("environment", Text, "environment that it was about; absent: any").inTheOpen(),
			},
		},
		{
			Type: ObjectiveJudged, Title: "Objective judged", Action: "objective.judge",
			Description: "It was counted how an objective stands: something has changed, or an hour has passed.",
			Fields: []Field{
				public("objective", Text, "name of the objective"),
				public("model", Text, "name of the model"),
				optional("version", Text, "version whose predictions count, or champion; absent: all").inTheOpen(),
				optional("environment", Text, "environment that it is about; absent: any").inTheOpen(),
				public("period", Text, "how long the period is that ends there, such as 30d"),
				public("at", Text, "the moment that was judged, exclusive"),
				public("known_event", Number, "sequence of the newest event by which something came on record that can count; 0: there is none"),
				public("judgement_digest", Digest, "digest of the judgement, with every rule"),
				public("verdict", Text, "pass, warn, insufficient or fail"),
				public("state", Text, "verdict of each rule, and how much of the budget is left"),
				public("paused", Flag, "experiments wait: the budget burns faster than a rule lets it"),
				public("changed", Flag, "it says something else than the one before"),
				public("good", Number, "good events of the period"),
				public("valid", Number, "valid events of the period"),
				public("budget_left_ppm", Number, "millionths of the budget of the period that are left; below 0 once the promise is broken"),
			},
		},
	}
}
