package trail

// Types of events of people who look at predictions.
const (
	CaseRuleDefined Type = typePrefix + "case.rule.defined" + typeSuffix
	CaseRuleRemoved Type = typePrefix + "case.rule.removed" + typeSuffix
	CaseOpened      Type = typePrefix + "case.opened" + typeSuffix
	CaseClaimed     Type = typePrefix + "case.claimed" + typeSuffix
	CaseReleased    Type = typePrefix + "case.released" + typeSuffix
	CaseJudged      Type = typePrefix + "case.judged" + typeSuffix
)

func caseDefinitions() []Definition {
	return []Definition{
		{
			Type: CaseRuleDefined, Title: "Case rule defined", Action: "case.rule.define",
			Description: "It was said which predictions of a model people look at.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("rule", Text, "name of the rule"),
				optional("where", List, "what must hold for the record, all of it").inTheOpen(),
				optional("margin", Number, "greatest distance of the score from the threshold").inTheOpen(),
				public("share", Number, "share of these records that become cases"),
				optional("strata", List, "fields by which records are told apart").inTheOpen(),
				public("at_least", Number, "of each stratum and day so many become cases"),
				public("most", Number, "of all so many a day become cases at most"),
				public("second", Number, "share of the cases that need a second opinion"),
				public("within_ms", Number, "how long a case may wait, milliseconds"),
				optional("queue", Text, "name of the queue").inTheOpen(),
			},
		},
		{
			Type: CaseRuleRemoved, Title: "Case rule removed", Action: "case.rule.remove",
			Description: "A rule chooses no more predictions for people to look at.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("rule", Text, "name of the rule"),
			},
		},
		{
			Type: CaseOpened, Title: "Case opened", Action: "case.open",
			Description: "A prediction waits for people to look at it.",
			Fields: []Field{
				public("prediction", Text, "id of the prediction"),
				public("model", Text, "name of the model"),
				optional("version", Text, "version that answered").inTheOpen(),
				optional("environment", Text, "name of the environment").inTheOpen(),
				optional("rule", Text, "rule that chose it; absent if somebody opened it").inTheOpen(),
				optional("queue", Text, "name of the queue").inTheOpen(),
				optional("stratum", List, "values of the rule's strata"),
				optional("reason", Text, "why"),
				optional("output", Text, "what the model said, as JSON"),
				public("second", Flag, "whether it needs a second opinion"),
				public("due_ms", Number, "until when it is to be decided, milliseconds since 1970"),
			},
		},
		{
			Type: CaseClaimed, Title: "Case claimed", Action: "case.claim",
			Description: "A person took a case to work on it.",
			Fields: []Field{
				public("case", Text, "id of the case"),
				public("model", Text, "name of the model"),
				public("until_ms", Number, "until when it is his own, milliseconds since 1970"),
			},
		},
		{
			Type: CaseReleased, Title: "Case released", Action: "case.release",
			Description: "A person gave a case back.",
			Fields: []Field{
				public("case", Text, "id of the case"),
				public("model", Text, "name of the model"),
			},
		},
		{
			Type: CaseJudged, Title: "Case judged", Action: "case.judge",
			Description: "A person gave an opinion on a prediction; where the case is decided by it, that is the prediction's label.",
			Fields: []Field{
				public("case", Text, "id of the case"),
				public("prediction", Text, "id of the prediction"),
				public("model", Text, "name of the model"),
				optional("version", Text, "version that answered").inTheOpen(),
				public("number", Number, "1, 2 or, where these differ, 3"),
				public("state", Text, "of the case then: second, disputed or decided"),
				optional("agrees", Flag, "whether the answer is what the model said").inTheOpen(),
				optional("answer", Text, "what the right answer is, as JSON"),
				optional("rationale", Text, "why"),
			},
		},
	}
}
