package trail

// The types of events about releases: what was asked, what the gate decided, who reviewed, what was let in.
const (
	ReleaseRequested Type = typePrefix + "release.requested" + typeSuffix
	ReleaseReviewed  Type = typePrefix + "release.reviewed" + typeSuffix
	ReleaseWithdrawn Type = typePrefix + "release.withdrawn" + typeSuffix
	GateDecided      Type = typePrefix + "gate.decided" + typeSuffix
	GateExported     Type = typePrefix + "gate.exported" + typeSuffix
	ReleasePromoted  Type = typePrefix + "release.promoted" + typeSuffix
	FreezeDeclared   Type = typePrefix + "freeze.declared" + typeSuffix
	FreezeLifted     Type = typePrefix + "freeze.lifted" + typeSuffix
	WaiverRequested  Type = typePrefix + "waiver.requested" + typeSuffix
	WaiverReviewed   Type = typePrefix + "waiver.reviewed" + typeSuffix
	WaiverRevoked    Type = typePrefix + "waiver.revoked" + typeSuffix
	WaiverEnding     Type = typePrefix + "waiver.ending" + typeSuffix
	WaiverExpired    Type = typePrefix + "waiver.expired" + typeSuffix
	SignerAdded      Type = typePrefix + "signer.added" + typeSuffix
	SignerRevoked    Type = typePrefix + "signer.revoked" + typeSuffix
)

func releaseDefinitions() []Definition {
	target := []Field{
		public("kind", Text, "promotion or rollback"),
		public("model", Text, "name of the model"),
		public("version", Text, "name of the version"),
		public("version_digest", Digest, "digest of the version"),
		public("environment", Text, "name of the environment"),
		public("role", Text, "what the version is to do there"),
		optional("percent", Number, "share of the requests that a canary answers").inTheOpen(),
	}
	end := []Field{
		public("waiver", Text, "id of the waiver"),
		public("model", Text, "name of the model"),
		public("version", Text, "name of the version"),
		public("environment", Text, "name of the environment"),
		public("rule", Text, "id of the rule"),
		public("expires_ms", Number, "until when it counts, milliseconds since 1970"),
		public("day", Text, "day of that, in UTC"),
	}
	return []Definition{
		{
			Type: ReleaseRequested, Title: "Release requested", Action: "release.request",
			Description: "Somebody asked that a version be let into an environment.",
			Fields: with(target,
				public("expires_ms", Number, "until when it can be carried out, milliseconds since 1970"),
				optional("minter", Text, "id of who made the token by which it was asked"),
				optional("reason", Text, "why"),
			),
		},
		{
			Type: ReleaseReviewed, Title: "Release reviewed", Action: "release.review",
			Description: "Somebody approved or rejected a request, bound to the digest of the version.",
			Fields: []Field{
				public("request", Text, "id of the request"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("version_digest", Digest, "digest that the review is bound to"),
				public("environment", Text, "name of the environment"),
				public("verdict", Text, "approve or reject"),
				public("expires_ms", Number, "until when it counts, milliseconds since 1970"),
				optional("minter", Text, "id of who made the token by which it was reviewed"),
				optional("conflict", Text, "conflict of interest that the reviewer declared"),
				optional("comment", Text, "why"),
			},
		},
		{
			Type: ReleaseWithdrawn, Title: "Release request withdrawn", Action: "release.withdraw",
			Description: "A request was taken back.",
			Fields: []Field{
				public("request", Text, "id of the request"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("environment", Text, "name of the environment"),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: GateDecided, Title: "Gate decided", Action: "gate.decide",
			Description: "The gate judged whether a version may be let into an environment.",
			Fields: with(target,
				public("verdict", Text, "pass or fail"),
				public("input_digest", Digest, "digest of the input document, which lies in the store of evidence"),
				public("policy_digest", Digest, "digest of the policy"),
				public("engine", Text, "name and version of the engine"),
				public("tier", Text, "risk tier of the model"),
				optional("request", Text, "id of the request").inTheOpen(),
				optional("denied", List, "ids of the rules that kept the gate shut").inTheOpen(),
				optional("waived", List, "ids of the rules that were waived").inTheOpen(),
				optional("revision", List, "last event of each kind of fact that was judged").inTheOpen(),
			),
		},
		{
			Type: GateExported, Title: "Gate input exported", Action: "bundle.export",
			Description: "Somebody took the input document of a decision out of the installation, to judge it by another policy.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("decision", Text, "id of the decision"),
				public("input_digest", Digest, "digest of the input document"),
			},
		},
		{
			Type: ReleasePromoted, Title: "Release promoted", Action: "release.promote",
			Description: "A request was carried out; the decision and the assignment are the events beside it.",
			Fields: []Field{
				public("request", Text, "id of the request"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("version_digest", Digest, "digest of the version"),
				public("environment", Text, "name of the environment"),
				public("input_digest", Digest, "digest of the input document of the decision"),
				optional("replaced", Text, "version that it replaces").inTheOpen(),
			},
		},
		{
			Type: FreezeDeclared, Title: "Freeze declared", Action: "freeze.declare",
			Description: "Nothing may be released where the freeze holds.",
			Fields: []Field{
				optional("environment", Text, "environment that it holds in; absent: all").inTheOpen(),
				optional("model", Text, "model that it holds for; absent: all").inTheOpen(),
				optional("until_ms", Number, "until when, milliseconds since 1970; absent: until it is lifted").inTheOpen(),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: FreezeLifted, Title: "Freeze lifted", Action: "freeze.lift",
			Description: "A freeze was ended.",
			Fields: []Field{
				public("freeze", Text, "id of the freeze"),
				optional("model", Text, "model that it held for").inTheOpen(),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: WaiverRequested, Title: "Waiver requested", Action: "waiver.request",
			Description: "A dated exception to one rule was asked for.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("version_digest", Digest, "digest of the version"),
				public("environment", Text, "name of the environment"),
				public("rule", Text, "id of the rule"),
				public("expires_ms", Number, "until when, milliseconds since 1970"),
				optional("owner", Text, "who answers for the risk"),
				optional("reason", Text, "why the rule cannot be met"),
				optional("control", Text, "what is done instead"),
			},
		},
		{
			Type: WaiverReviewed, Title: "Waiver reviewed", Action: "waiver.review",
			Description: "Somebody else than its owner approved or rejected a waiver.",
			Fields: []Field{
				public("waiver", Text, "id of the waiver"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("verdict", Text, "approve or reject"),
				optional("comment", Text, "why"),
			},
		},
		{
			Type: WaiverRevoked, Title: "Waiver revoked", Action: "waiver.revoke",
			Description: "A waiver counts no more.",
			Fields: []Field{
				public("waiver", Text, "id of the waiver"),
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: WaiverEnding, Title: "Waiver about to end", Action: "waiver.remind",
			Description: "A waiver counts for a few days more. It is told once.",
			Fields:      end,
		},
		{
			Type: WaiverExpired, Title: "Waiver ended", Action: "waiver.remind",
			Description: "The date has passed until when a waiver counted. It is told once.",
			Fields:      end,
		},
		{
			Type: SignerAdded, Title: "Signer added", Action: "signer.add",
			Description: "The evidence that a key from outside signs counts from now on.",
			Fields: []Field{
				public("key", Text, "id of the key"),
				public("name", Text, "whose it is"),
				public("public_key", Text, "the key: DER in base64"),
				public("predicate_types", List, "types of predicates that it may sign"),
			},
		},
		{
			Type: SignerRevoked, Title: "Signer revoked", Action: "signer.revoke",
			Description: "The evidence that a key signs counts no more.",
			Fields: []Field{
				public("key", Text, "id of the key"),
				optional("reason", Text, "why"),
			},
		},
	}
}

// with returns fields with more behind them.
func with(fields []Field, more ...Field) []Field {
	return append(fields[:len(fields):len(fields)], more...)
}
