package trail

import "slices"

// The types of events about models, their versions and the evidence of them.
const (
	ModelRegistered   Type = typePrefix + "model.registered" + typeSuffix
	ModelReregistered Type = typePrefix + "model.reregistered" + typeSuffix
	ModelUpdated      Type = typePrefix + "model.updated" + typeSuffix
	ModelRetired      Type = typePrefix + "model.retired" + typeSuffix
	VersionRegistered Type = typePrefix + "version.registered" + typeSuffix
	VersionMarked     Type = typePrefix + "version.marked" + typeSuffix
	VersionRead       Type = typePrefix + "version.read" + typeSuffix
	EvidenceAttached  Type = typePrefix + "evidence.attached" + typeSuffix
	CriteriaCommitted Type = typePrefix + "criteria.committed" + typeSuffix
	DataChecked       Type = typePrefix + "data.checked" + typeSuffix
	AuditCompleted    Type = typePrefix + "audit.completed" + typeSuffix
	AuditFailed       Type = typePrefix + "audit.failed" + typeSuffix
)

func catalogDefinitions() []Definition {
	return slices.Concat(modelDefinitions(), versionDefinitions(), evidenceDefinitions())
}

func modelDefinitions() []Definition {
	model := public("model", Text, "name of the model")
	details := []Field{
		optional("state", Text, "experimental, active or retired").inTheOpen(),
		optional("tier", Text, "risk tier: low, limited or high").inTheOpen(),
		optional("tier_reason", Text, "why it is this tier").inTheOpen(),
		optional("tier_answers", List, "the answers that decide the tier").inTheOpen(),
		optional("tier_stated", Text, "tier that the owner states").inTheOpen(),
		optional("answers", Object, "answers to the questions about risk").inTheOpen(),
		optional("third_party", Flag, "whether somebody else made the model").inTheOpen(),
		optional("owner", Text, "who answers for the model"),
		optional("sre_owner", Text, "who answers for its operation"),
		optional("phase_owners", Object, "who answers for each phase of its life"),
		optional("intended_purpose", Text, "what it is for"),
		optional("acceptable_use", Text, "what it may be used for, and what not"),
		optional("summary", Text, "what it does"),
		optional("labels", Object, "labels by name"),
		optional("supplier", Text, "who supplies a third-party model"),
		optional("supplier_contract", Text, "contract under which it is supplied"),
	}
	return []Definition{
		{
			Type: ModelRegistered, Title: "Model registered", Action: "model.register",
			Description: "A model was registered, with its owner and risk tier.",
			Fields:      append([]Field{model}, details...),
		},
		{
			Type: ModelReregistered, Title: "Model registered again", Action: "model.register",
			Description: "A retired model was registered again.",
			Fields: append([]Field{
				model,
				public("revision", Number, "revision of what is said of the model"),
				optional("reason", Text, "why it comes back"),
			}, details...),
		},
		{
			Type: ModelUpdated, Title: "Model updated", Action: "model.update",
			Description: "What is said of a model was changed.",
			Fields: append([]Field{
				model,
				public("revision", Number, "revision of what is said of the model"),
				public("changed", List, "names of the fields that were changed"),
			}, details...),
		},
		{
			Type: ModelRetired, Title: "Model retired", Action: "model.retire",
			Description: "A model was retired; it may not be used any longer.",
			Fields: []Field{
				model,
				public("revision", Number, "revision of what is said of the model"),
				optional("replacement", Text, "model that replaces it").inTheOpen(),
				optional("reason", Text, "why it was retired"),
			},
		},
	}
}

func versionDefinitions() []Definition {
	return []Definition{
		{
			Type: VersionRegistered, Title: "Version registered", Action: "version.register",
			Description: "A version of a model was registered, or completed if it was a draft.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("state", Text, "draft or registered"),
				optional("version_digest", Digest, "digest of the version's manifest, if its artifacts are known").inTheOpen(),
				optional("root_digest", Digest, "root digest of OpenSSF Model Signing of the same files").inTheOpen(),
				optional("files", Number, "number of files").inTheOpen(),
				optional("bytes", Number, "size of all files").inTheOpen(),
				optional("same_as", List, "other versions with the same files").inTheOpen(),
				optional("training_cutoff", Text, "last day of the training data").inTheOpen(),
				optional("code_commit", Text, "commit of the training code").inTheOpen(),
				optional("image_digest", Digest, "digest of the container image of the training").inTheOpen(),
				optional("run", Text, "id of the run that made it").inTheOpen(),
				optional("trigger_kind", Text, "what made this version necessary: event, finding, incident, schedule or request").inTheOpen(),
				optional("trigger_id", Text, "which one").inTheOpen(),
				optional("manifest", Text, "canonical manifest of the files"),
				optional("changelog", Text, "what changed since the version before"),
				optional("justification", Text, "why this version is made"),
				optional("metadata", Object, "metrics, sample sizes, thresholds, parameters, seeds, libraries, hardware, snapshots"),
			},
		},
		{
			Type: VersionMarked, Title: "Version marked", Action: "version.mark",
			Description: "A version was deprecated or withdrawn, or put back into use.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("state", Text, "registered, deprecated or withdrawn"),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: VersionRead, Title: "Version read", Action: "version.read",
			Description: "An artifact of a version was downloaded or loaded.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				optional("version_digest", Digest, "digest of the version's manifest").inTheOpen(),
				optional("file_digest", Digest, "digest of the file; absent if it was the whole version").inTheOpen(),
				optional("bytes", Number, "bytes that were sent").inTheOpen(),
				optional("file", Text, "name of the file"),
			},
		},
	}
}

func evidenceDefinitions() []Definition {
	return []Definition{
		{
			Type: EvidenceAttached, Title: "Evidence attached", Action: "evidence.attach",
			Description: "Evidence of a model or a version was put on record.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "name of the version; absent if it is about the model").inTheOpen(),
				public("kind", Text, "what kind of evidence"),
				optional("name", Text, "which document, such as impact-assessment").inTheOpen(),
				optional("evidence_digest", Digest, "digest of the evidence").inTheOpen(),
				optional("predicate_type", Text, "in-toto predicate type, if it is a statement").inTheOpen(),
				optional("signer", Text, "id of the key that signed it").inTheOpen(),
				optional("subject_digest", Digest, "digest of what it is about").inTheOpen(),
				optional("verdict", Text, "pass, warn, fail, inconclusive or insufficient").inTheOpen(),
				optional("produced_ms", Number, "when it was produced, milliseconds since 1970").inTheOpen(),
				optional("until_ms", Number, "until when it says that it counts").inTheOpen(),
				optional("system", Text, "system in which a ticket lies").inTheOpen(),
				optional("reference", Text, "id or address of the ticket or document there"),
				optional("note", Text, "what a reviewer noted"),
			},
		},
		{
			Type: CriteriaCommitted, Title: "Criteria committed", Action: "criteria.commit",
			Description: "Thresholds were put on record, so that an audit can show that they came first.",
			Fields: []Field{
				public("criteria_digest", Digest, "digest of the criteria"),
				optional("data_digest", Digest, "digest of the data that they are for, if it was known").inTheOpen(),
				optional("model", Text, "name of the model").inTheOpen(),
				optional("name", Text, "name of the criteria"),
				optional("file", Text, "path of the criteria"),
			},
		},
		{
			Type: DataChecked, Title: "Data checked", Action: "data.check",
			Description: "A file was checked against a data contract.",
			Fields: []Field{
				public("data_digest", Digest, "digest of the file"),
				public("contract_digest", Digest, "digest of the contract"),
				public("verdict", Text, "pass, warn, fail, inconclusive or insufficient"),
				optional("statements", Digests, "digests of the signed statements").inTheOpen(),
				optional("rows", Number, "rows in the file").inTheOpen(),
				optional("files", List, "paths of the file and the contract"),
			},
		},
		{
			Type: AuditCompleted, Title: "Audit completed", Action: "audit.complete",
			Description: "A version was audited on a file of predictions and the gate has judged it.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				public("data_digest", Digest, "digest of the predictions"),
				public("policy_digest", Digest, "digest of the policy that the gate applied"),
				public("report_digest", Digest, "digest of report.json"),
				public("verdict", Text, "verdict of the gate"),
				optional("statements", Digests, "digests of the signed statements").inTheOpen(),
				optional("labels_digest", Digest, "digest of the late labels").inTheOpen(),
				optional("reference_digest", Digest, "digest of the reference data").inTheOpen(),
				optional("contract_digest", Digest, "digest of the contract").inTheOpen(),
				optional("criteria_digest", Digest, "digest of the criteria that were committed before").inTheOpen(),
				optional("rows", Number, "rows audited").inTheOpen(),
				optional("tier", Text, "risk tier that chose the policy").inTheOpen(),
				optional("signer", Text, "id of the key that signed the statements").inTheOpen(),
				optional("options", Object, "options of the audit"),
				optional("files", List, "paths of the files read"),
			},
		},
		{
			Type: AuditFailed, Title: "Audit failed", Action: "audit.complete",
			Description: "An audit ended before the gate could judge.",
			Fields: []Field{
				optional("model", Text, "name of the model").inTheOpen(),
				optional("version", Text, "name of the version").inTheOpen(),
				optional("data_digest", Digest, "digest of the predictions, if they could be read").inTheOpen(),
				optional("code", Text, "class of the error").inTheOpen(),
				optional("error", Text, "what went wrong"),
				optional("options", Object, "options of the audit"),
				optional("files", List, "paths of the files"),
			},
		},
	}
}
