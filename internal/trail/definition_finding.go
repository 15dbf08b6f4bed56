package trail

// The types of events about findings: what was found to be wrong, and what became of it.
const (
	FindingRaised     Type = typePrefix + "finding.raised" + typeSuffix
	FindingSeen       Type = typePrefix + "finding.seen" + typeSuffix
	FindingTriaged    Type = typePrefix + "finding.triaged" + typeSuffix
	FindingRemediated Type = typePrefix + "finding.remediated" + typeSuffix
	FindingReopened   Type = typePrefix + "finding.reopened" + typeSuffix
	FindingDismissed  Type = typePrefix + "finding.dismissed" + typeSuffix
	FindingResolved   Type = typePrefix + "finding.resolved" + typeSuffix
	FindingOverdue    Type = typePrefix + "finding.overdue" + typeSuffix
)

func findingDefinitions() []Definition {
	of := []Field{
		public("finding", Text, "fingerprint of the finding: the same as long as the same thing is wrong"),
		optional("environment", Text, "name of the environment").inTheOpen(),
		optional("model", Text, "name of the model").inTheOpen(),
	}
	run := optional("run_digest", Digest, "the run that showed it: input document of a decision, or report of an audit").inTheOpen()
	return []Definition{
		{
			Type: FindingRaised, Title: "Finding raised", Action: "finding.raise",
			Description: "What is differs from what the record or the policy says.",
			Fields: with(of,
				public("kind", Text, "what is wrong"),
				public("severity", Text, "low, medium, high or critical"),
				optional("due_ms", Number, "until when it is to be put right, milliseconds since 1970").inTheOpen(),
				optional("version", Text, "name of the version").inTheOpen(),
				optional("subject", Text, "deployment, snapshot, rule or place in question").inTheOpen(),
				optional("expected", Text, "what the record or the policy says").inTheOpen(),
				optional("observed", Text, "what was found").inTheOpen(),
				run,
				optional("summary", Text, "the finding in a sentence"),
				optional("attempted_by", Text, "id of who tried to go around the gate, or whose conduct is unusual"),
				optional("minter", Text, "id of who made the token by which that was tried"),
			),
		},
		{
			Type: FindingSeen, Title: "Finding seen again", Action: "finding.see",
			Description: "An open finding is still so, or differs otherwise by now.",
			Fields: with(of,
				optional("observed", Text, "what was found").inTheOpen(),
				optional("summary", Text, "the finding in a sentence"),
			),
		},
		{
			Type: FindingTriaged, Title: "Finding triaged", Action: "finding.triage",
			Description: "Somebody is to put a finding right until a date; what is said here holds from now on.",
			Fields: with(of,
				public("severity", Text, "low, medium, high or critical"),
				public("due_ms", Number, "until when it is to be put right, milliseconds since 1970"),
				optional("owner", Text, "who is to put it right"),
				optional("note", Text, "why"),
			),
		},
		{
			Type: FindingRemediated, Title: "Finding remediated", Action: "finding.remediate",
			Description: "Somebody says that what was wrong is put right; the next run shows whether it is.",
			Fields: with(of,
				optional("version", Text, "version in which it is put right").inTheOpen(),
				optional("ticket", Text, "where the work is tracked"),
				optional("note", Text, "what was done"),
			),
		},
		{
			Type: FindingReopened, Title: "Finding reopened", Action: "finding.reopen",
			Description: "What was said to be put right was found wrong again.",
			Fields: with(of,
				optional("version", Text, "version in which it was found").inTheOpen(),
				optional("observed", Text, "what was found").inTheOpen(),
				run,
				optional("summary", Text, "the finding in a sentence"),
			),
		},
		{
			Type: FindingDismissed, Title: "Finding dismissed", Action: "finding.dismiss",
			Description: "Somebody answers for it that nothing is to be done about a finding.",
			Fields:      with(of, optional("reason", Text, "why")),
		},
		{
			Type: FindingResolved, Title: "Finding resolved", Action: "finding.resolve",
			Description: "A finding is settled: a run shows that nothing is wrong any more, or somebody has answered for it.",
			Fields: with(of,
				public("agrees", Flag, "true: a run shows that nothing is wrong any more"),
				optional("version", Text, "version in which nothing is wrong").inTheOpen(),
				run,
				optional("reason", Text, "what was done"),
			),
		},
		{
			Type: FindingOverdue, Title: "Finding overdue", Action: "finding.remind",
			Description: "The date has passed until when a finding was to be put right. It is told once for each date.",
			Fields: with(of,
				public("severity", Text, "low, medium, high or critical"),
				public("due_ms", Number, "until when it was to be put right, milliseconds since 1970"),
			),
		},
	}
}
