package trail

// Types of events of incidents, of the runbooks by which they are worked, and of what happens by itself when one begins.
const (
	IncidentOpened       Type = typePrefix + "incident.opened" + typeSuffix
	IncidentAlerted      Type = typePrefix + "incident.alerted" + typeSuffix
	IncidentTriaged      Type = typePrefix + "incident.triaged" + typeSuffix
	IncidentAcknowledged Type = typePrefix + "incident.acknowledged" + typeSuffix
	IncidentNoted        Type = typePrefix + "incident.noted" + typeSuffix
	IncidentStepDone     Type = typePrefix + "incident.step.done" + typeSuffix
	IncidentLinked       Type = typePrefix + "incident.linked" + typeSuffix
	IncidentEvidence     Type = typePrefix + "incident.evidence.added" + typeSuffix
	IncidentMitigated    Type = typePrefix + "incident.mitigated" + typeSuffix
	IncidentResolved     Type = typePrefix + "incident.resolved" + typeSuffix
	IncidentReopened     Type = typePrefix + "incident.reopened" + typeSuffix
	IncidentReported     Type = typePrefix + "incident.reported" + typeSuffix
	IncidentClosed       Type = typePrefix + "incident.closed" + typeSuffix
	RunbookApplied       Type = typePrefix + "runbook.applied" + typeSuffix
	RunbookRemoved       Type = typePrefix + "runbook.removed" + typeSuffix
)

// alertFields tell which alert an incident is about. What it says in words names values, and is sealed.
func alertFields() []Field {
	return []Field{
		optional("alert", Text, "id of the alert").inTheOpen(),
		optional("rule", Text, "rule by which it fired").inTheOpen(),
		optional("subject", Text, "feature, quantile or group that it is about; absent: the whole window").inTheOpen(),
		optional("segment", Text, "slice that it is about").inTheOpen(),
		optional("alert_event", Number, "sequence of the event by which it fired").inTheOpen(),
		optional("window_from_ms", Number, "when the window that was judged begins, milliseconds since 1970").inTheOpen(),
		optional("window_to_ms", Number, "when it ends, exclusive").inTheOpen(),
		optional("judgement_digest", Digest, "digest of the judgement").inTheOpen(),
		optional("words", Text, "what the alert says"),
	}
}

func ofIncident(fields ...Field) []Field {
	return append([]Field{public("incident", Text, "id of the incident"), public("model", Text, "name of the model")}, fields...)
}

func incidentDefinitions() []Definition {
	return append(incidentWorkDefinitions(),
		Definition{
			Type: RunbookApplied, Title: "Runbook applied", Action: "runbook.apply",
			Description: "It was said what is to be done in incidents of a kind, and who decides.",
			Fields: []Field{
				public("runbook", Text, "name of the runbook"),
				public("document_digest", Digest, "digest of the runbook as it was written"),
			},
		},
		Definition{
			Type: RunbookRemoved, Title: "Runbook removed", Action: "runbook.remove",
			Description: "A runbook is given to no more incidents; those that have it keep it.",
			Fields:      []Field{public("runbook", Text, "name of the runbook")},
		},
	)
}

func incidentWorkDefinitions() []Definition {
	return []Definition{
		{
			Type: IncidentOpened, Title: "Incident opened", Action: "incident.open",
			Description: "A model does harm, or may: people work on it, with the evidence of that moment.",
			Fields: append([]Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "version that it is about").inTheOpen(),
				optional("environment", Text, "where").inTheOpen(),
				public("severity", Text, "how soon somebody must act"),
				public("source", Text, "person or alert"),
				optional("title", Text, "what happens, in a line"),
				optional("first_from_ms", Number, "when the first bad window begins, milliseconds since 1970; absent: none was judged").inTheOpen(),
				optional("first_to_ms", Number, "when it ends, exclusive").inTheOpen(),
				public("detected_ms", Number, "when it was noticed: the alert fired, or somebody opened the incident"),
				public("brief_digest", Digest, "digest of what was on record then: version, judgements, traffic, samples, changes"),
				optional("runbook", Text, "runbook by which it is worked").inTheOpen(),
				optional("runbook_digest", Digest, "digest of the runbook as it was then").inTheOpen(),
			}, alertFields()...),
		},
		{
			Type: IncidentAlerted, Title: "Alert joined an incident", Action: "incident.alert",
			Description: "Another alert of the same model and version fired: it is part of the incident that is open.",
			Fields:      ofIncident(alertFields()...),
		},
		{
			Type: IncidentTriaged, Title: "Incident triaged", Action: "incident.triage",
			Description: "It was said who leads an incident, and how severe it is.",
			Fields:      ofIncident(public("severity", Text, "how soon somebody must act"), optional("lead", Text, "who leads it"), optional("note", Text, "why")),
		},
		{
			Type: IncidentAcknowledged, Title: "Incident acknowledged", Action: "incident.acknowledge",
			Description: "Somebody has seen an incident and works on it.",
			Fields:      ofIncident(optional("note", Text, "what was said")),
		},
		{
			Type: IncidentNoted, Title: "Incident noted", Action: "incident.note",
			Description: "Somebody wrote down what was seen or done.",
			Fields:      ofIncident(optional("note", Text, "what was seen or done")),
		},
		{
			Type: IncidentStepDone, Title: "Step of the runbook done", Action: "incident.step",
			Description: "A step of the runbook was done, or was passed over for a reason.",
			Fields: ofIncident(public("runbook_digest", Digest, "digest of the runbook"), public("step", Number, "which step, from 1"),
				public("as", Text, "done or skipped"), optional("note", Text, "what came of it, or why it was passed over")),
		},
		{
			Type: IncidentLinked, Title: "Incident linked", Action: "incident.link",
			Description: "It was said what belongs to an incident, such as the test that prevents another one.",
			Fields: ofIncident(public("kind", Text, "what is linked: test, rule, audit, monitor, finding, release, version, ticket"),
				optional("target", Text, "which one"), optional("note", Text, "what it is to the incident")),
		},
		{
			Type: IncidentEvidence, Title: "Evidence added to an incident", Action: "incident.evidence.add",
			Description: "A document was added to the evidence of an incident.",
			Fields: ofIncident(public("kind", Text, "what it is: brief, trace, replay or retraining"), public("evidence_digest", Digest, "digest of the document"),
				optional("note", Text, "what it says, in a sentence")),
		},
		{
			Type: IncidentMitigated, Title: "Incident mitigated", Action: "incident.mitigate",
			Description: "The harm has stopped; the cause may be there still.",
			Fields:      ofIncident(public("means", Text, "how: rollback, pause, traffic, fix or other"), optional("note", Text, "what was done")),
		},
		{
			Type: IncidentResolved, Title: "Incident resolved", Action: "incident.resolve",
			Description: "The cause of an incident was found and removed.",
			Fields:      ofIncident(public("cause", Text, "kind of cause"), optional("note", Text, "what it was, and what was done")),
		},
		{
			Type: IncidentReopened, Title: "Incident reopened", Action: "incident.reopen",
			Description: "What was said to be resolved is not.",
			Fields:      ofIncident(optional("note", Text, "why")),
		},
		{
			Type: IncidentReported, Title: "Post-mortem written", Action: "incident.report",
			Description: "The post-mortem of an incident was written; it waits for somebody else to accept it.",
			Fields:      ofIncident(public("report_digest", Digest, "digest of the document"), optional("minter", Text, "id of who made the token by which it was written")),
		},
		{
			Type: IncidentClosed, Title: "Incident closed", Action: "incident.close",
			Description: "The post-mortem of an incident was accepted, and nothing is left to be done.",
			Fields: ofIncident(optional("report_digest", Digest, "digest of the post-mortem that was accepted").inTheOpen(),
				public("prevented", Number, "how many tests, rules, audits or monitors are linked that would find it again"), optional("note", Text, "why, if there is no post-mortem or nothing prevents it")),
		},
	}
}
