package catalog

import "github.com/tallystick/tallystick/internal/trail"

func modelChanges() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ModelRegistered:   func() trail.Change { return new(ModelRegistered) },
		trail.ModelUpdated:      func() trail.Change { return new(ModelUpdated) },
		trail.VersionRegistered: func() trail.Change { return new(VersionRegistered) },
		trail.CriteriaCommitted: func() trail.Change { return new(CriteriaCommitted) },
		trail.AuditCompleted:    func() trail.Change { return new(AuditCompleted) },
	}
}

func modelTables() []trail.Table {
	return []trail.Table{
		{Name: "models", Key: []string{"name"}, Columns: []string{"tier", "created_ms", "event"}, Sealed: []string{"owner"}},
		{Name: "versions", Key: []string{"model", "version"}, Columns: []string{"created_ms", "event"}},
		{Name: "evaluations", Key: []string{"id"}, Columns: []string{"model", "version", "data_digest", "report_digest", "policy_digest", "verdict", "event"}},
		{Name: "criteria", Key: []string{"digest"}, Columns: []string{"created_ms", "event_id", "event"}, Sealed: []string{"name"}},
	}
}
