package catalog

import "github.com/tallystick/tallystick/internal/trail"

func modelChanges() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ModelRegistered:   func() trail.Change { return new(ModelRegistered) },
		trail.ModelReregistered: func() trail.Change { return new(ModelReregistered) },
		trail.ModelUpdated:      func() trail.Change { return new(ModelUpdated) },
		trail.ModelRetired:      func() trail.Change { return new(ModelRetired) },
		trail.VersionRegistered: func() trail.Change { return new(VersionRegistered) },
		trail.VersionMarked:     func() trail.Change { return new(VersionMarked) },
		trail.EvidenceAttached:  func() trail.Change { return new(EvidenceAttached) },
		trail.CriteriaCommitted: func() trail.Change { return new(CriteriaCommitted) },
		trail.AuditCompleted:    func() trail.Change { return new(AuditCompleted) },
	}
}

func modelTables() []trail.Table {
	return []trail.Table{
		{
			Name: "models", Key: []string{"name"},
			Columns: []string{
				"state", "tier", "tier_stated", "tier_reason", "tier_answers", "answers", "third_party", "replacement", "revision", "urgency",
				"versions", "latest_version", "latest_digest", "latest_root", "latest_says", "evaluated_ms", "created_ms", "changed_ms", "event",
			},
			Sealed: []string{"owner", "sre_owner", "phase_owners", "intended_purpose", "acceptable_use", "summary", "labels", "supplier", "supplier_contract", "reason"},
		},
		{
			Name: "versions", Key: []string{"model", "version"},
			Columns: []string{
				"state", "digest", "root", "files", "bytes", "same_as", "training_cutoff", "code_commit", "image_digest", "run", "trigger_kind",
				"trigger_id", "created_ms", "created", "event",
			},
			Sealed: []string{"changelog", "justification", "metadata", "reason"},
		},
		{Name: "manifests", Key: []string{"digest"}, Columns: []string{"event"}, Sealed: []string{"content"}},
		{Name: "evaluations", Key: []string{"id"}, Columns: []string{"model", "version", "data_digest", "report_digest", "policy_digest", "verdict", "event"}},
		{Name: "criteria", Key: []string{"digest"}, Columns: []string{"created_ms", "event_id", "event"}, Sealed: []string{"name"}},
		{
			Name: "evidence", Key: []string{"id"},
			Columns: []string{
				"model", "version", "kind", "name", "digest", "predicate_type", "signer", "subject", "verdict", "produced_ms", "until_ms",
				"system", "created_ms", "event",
			},
			Sealed: []string{"reference", "note"},
		},
	}
}
