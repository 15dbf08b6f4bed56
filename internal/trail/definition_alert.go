package trail

// Types of events of alerts, of what keeps notifications of them back, and of how they are raised.
const (
	AlertPending       Type = typePrefix + "alert.pending" + typeSuffix
	AlertFired         Type = typePrefix + "alert.fired" + typeSuffix
	AlertResolved      Type = typePrefix + "alert.resolved" + typeSuffix
	AlertSuppressed    Type = typePrefix + "alert.suppressed" + typeSuffix
	AlertUnsuppressed  Type = typePrefix + "alert.unsuppressed" + typeSuffix
	AlertPolicyApplied Type = typePrefix + "alert.policy.applied" + typeSuffix
	AlertPolicyRemoved Type = typePrefix + "alert.policy.removed" + typeSuffix
	SilenceCreated     Type = typePrefix + "silence.created" + typeSuffix
	SilenceEnded       Type = typePrefix + "silence.ended" + typeSuffix
)

func alertDefinitions() []Definition {
	about := []Field{
		public("fingerprint", Digest, "digest of the labels by which the alert is known"),
		public("rule", Text, "what was judged, such as monitor/credit-hourly/drift"),
		public("model", Text, "name of the model"),
		optional("version", Text, "version that it is about; absent: all").inTheOpen(),
		optional("environment", Text, "environment of the predictions; absent: any").inTheOpen(),
		optional("subject", Text, "feature, quantile or group that it is about; absent: the whole window").inTheOpen(),
		optional("segment", Text, "slice that it is about").inTheOpen(),
		public("severity", Text, "page or ticket"),
	}
	judged := []Field{
		optional("from", Text, "time at which the window begins whose judgement changed the state").inTheOpen(),
		optional("to", Text, "time at which it ends, exclusive").inTheOpen(),
		optional("verdict", Text, "of that judgement").inTheOpen(),
		optional("evidence_digest", Digest, "digest of that judgement").inTheOpen(),
		optional("judged_event", Number, "sequence of the event of that judgement").inTheOpen(),
		optional("words", Text, "what the judgement says; it can name values of features"),
	}
	with := func(parts ...[]Field) (all []Field) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	suppression := []Field{
		public("alert", Text, "id of the alert"),
		public("fingerprint", Digest, "digest of the labels by which the alert is known"),
		public("model", Text, "name of the model"),
	}
	return []Definition{
		{
			Type: AlertPending, Title: "Alert pending", Action: "alert.raise",
			Description: "Something was judged bad, and not often enough yet to tell anybody.",
			Fields:      with(about, judged),
		},
		{
			Type: AlertFired, Title: "Alert fired", Action: "alert.fire",
			Description: "Something was judged bad so often that people are told.",
			Fields: with([]Field{
				optional("alert", Text, "id of the alert; absent: it was not pending, and its id is that of this event").inTheOpen(),
			}, about, judged, []Field{
				optional("whole", Flag, "whether it is about all data of the window, so that alerts about single features are kept back under it").inTheOpen(),
				optional("labels", List, "further labels, as name=value").inTheOpen(),
				optional("runbook", Text, "what to do").inTheOpen(),
				optional("suppressed_by", Text, "what keeps notifications of it back: silence or alert, and its id").inTheOpen(),
			}),
		},
		{
			Type: AlertResolved, Title: "Alert resolved", Action: "alert.resolve",
			Description: "An alert ended.",
			Fields: with([]Field{
				public("alert", Text, "id of the alert"),
				public("fingerprint", Digest, "digest of the labels by which the alert is known"),
				public("rule", Text, "what was judged"),
				public("model", Text, "name of the model"),
				optional("version", Text, "version that it is about; absent: all").inTheOpen(),
				optional("environment", Text, "environment of the predictions; absent: any").inTheOpen(),
				optional("subject", Text, "feature, quantile or group that it is about").inTheOpen(),
				public("state", Text, "state that it was in: pending or firing"),
				public("cause", Text, "judged, replaced, removed, fewer or person"),
				optional("reason", Text, "why, as a person says"),
			}, judged),
		},
		{
			Type: AlertSuppressed, Title: "Alert suppressed", Action: "alert.suppress",
			Description: "Notifications of an alert are kept back. It is judged and on record as before.",
			Fields:      with(suppression, []Field{public("suppressed_by", Text, "silence or alert, and its id")}),
		},
		{
			Type: AlertUnsuppressed, Title: "Alert no longer suppressed", Action: "alert.unsuppress",
			Description: "Notifications of an alert are no longer kept back.",
			Fields:      suppression,
		},
		{
			Type: AlertPolicyApplied, Title: "Alert policy applied", Action: "alert.policy.apply",
			Description: "It was said when alerts fire and resolve, and how urgent they are.",
			Fields: []Field{
				public("policy", Text, "name of the policy"),
				optional("model", Text, "name of the model; absent: all").inTheOpen(),
				public("document_digest", Digest, "digest of the policy as it was written"),
			},
		},
		{
			Type: AlertPolicyRemoved, Title: "Alert policy removed", Action: "alert.policy.remove",
			Description: "A policy of alerts counts no more.",
			Fields: []Field{
				public("policy", Text, "name of the policy"),
				optional("model", Text, "name of the model; absent: all").inTheOpen(),
			},
		},
		{
			Type: SilenceCreated, Title: "Silence created", Action: "silence.create",
			Description: "Notifications of certain alerts are kept back for a time.",
			Fields: []Field{
				public("silence", Text, "id of the silence"),
				public("matchers", List, "which alerts: conditions on labels, all of which must hold"),
				optional("model", Text, "name of the model, if it is about one").inTheOpen(),
				public("from", Text, "time at which it begins"),
				public("until", Text, "time at which it ends, exclusive"),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: SilenceEnded, Title: "Silence ended", Action: "silence.end",
			Description: "Notifications are no longer kept back by a silence.",
			Fields: []Field{
				public("silence", Text, "id of the silence"),
				optional("model", Text, "name of the model, if it is about one").inTheOpen(),
				public("cause", Text, "time, or person"),
			},
		},
	}
}
