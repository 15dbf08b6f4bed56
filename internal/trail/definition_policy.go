package trail

// The types of events about the policy of the gate.
const (
	PolicyChanged   Type = typePrefix + "policy.changed" + typeSuffix
	PolicyConfirmed Type = typePrefix + "policy.confirmed" + typeSuffix
)

func policyDefinitions() []Definition {
	fields := []Field{
		public("tier", Text, "risk tier of the models that it is for"),
		public("policy_digest", Digest, "digest of the policy"),
		optional("replaces", Digest, "digest of the policy before; absent in the first event, and if it is confirmed").inTheOpen(),
		optional("note", Text, "why"),
	}
	return []Definition{
		{
			Type: PolicyChanged, Title: "Policy changed", Action: "policy.change",
			Description: "A server began to judge by another policy than the last.",
			Fields:      fields,
		},
		{
			Type: PolicyConfirmed, Title: "Policy confirmed", Action: "policy.change",
			Description: "A policy was looked at and stays as it is.",
			Fields:      fields,
		},
	}
}
