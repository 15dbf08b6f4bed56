package trail

// Types of events of the rules that keep bodies of predictions.
const (
	BodyRuleDefined Type = typePrefix + "prediction.body_rule.defined" + typeSuffix
	BodyRuleRemoved Type = typePrefix + "prediction.body_rule.removed" + typeSuffix
)

func bodyDefinitions() []Definition {
	return []Definition{
		{
			Type: BodyRuleDefined, Title: "Body rule defined", Action: "prediction.body_rule.define",
			Description: "It was said which bodies of predictions of a model are kept.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("rule", Text, "name of the rule"),
				optional("where", List, "what must hold for the record, all of it").inTheOpen(),
				optional("margin", Number, "greatest distance of the score from the threshold").inTheOpen(),
				public("share", Number, "share of these records of which the bodies are kept"),
				optional("strata", List, "fields by which records are told apart").inTheOpen(),
				public("at_least", Number, "of each stratum and day the bodies of so many are kept"),
				public("most", Number, "of all the bodies of so many a day are kept at most"),
			},
		},
		{
			Type: BodyRuleRemoved, Title: "Body rule removed", Action: "prediction.body_rule.remove",
			Description: "A rule keeps no more bodies of predictions; those that it kept stay.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("rule", Text, "name of the rule"),
			},
		},
	}
}
