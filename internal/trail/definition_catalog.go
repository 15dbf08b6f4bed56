package trail

// The types of events about models, their versions and the evidence of them.
const (
	ModelRegistered   Type = typePrefix + "model.registered" + typeSuffix
	ModelUpdated      Type = typePrefix + "model.updated" + typeSuffix
	VersionRegistered Type = typePrefix + "version.registered" + typeSuffix
	CriteriaCommitted Type = typePrefix + "criteria.committed" + typeSuffix
	DataChecked       Type = typePrefix + "data.checked" + typeSuffix
	AuditCompleted    Type = typePrefix + "audit.completed" + typeSuffix
	AuditFailed       Type = typePrefix + "audit.failed" + typeSuffix
)

func catalogDefinitions() []Definition {
	return []Definition{
		{
			Type: ModelRegistered, Title: "Model registered", Action: "model.register",
			Description: "A model was registered, with its owner and risk tier.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("tier", Text, "risk tier: low, limited or high"),
				optional("owner", Text, "who answers for the model"),
			},
		},
		{
			Type: ModelUpdated, Title: "Model updated", Action: "model.update",
			Description: "What is known of a model was changed.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("tier", Text, "risk tier: low, limited or high"),
			},
		},
		{
			Type: VersionRegistered, Title: "Version registered", Action: "version.register",
			Description: "A version of a model was registered.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				public("version", Text, "name of the version"),
				optional("version_digest", Digest, "digest of the version's manifest, if its artifacts are known").inTheOpen(),
				optional("files", List, "paths of the artifacts"),
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
