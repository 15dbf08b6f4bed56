package prediction

// TextFields are the fields of a record that are text, by the names of their columns.
func TextFields() map[string]func(*Record) *string {
	return map[string]func(*Record) *string{
		"version":           func(r *Record) *string { return &r.Version },
		"version_requested": func(r *Record) *string { return &r.VersionRequested },
		"environment":       func(r *Record) *string { return &r.Environment },
		"route":             func(r *Record) *string { return &r.Route },
		"actor":             func(r *Record) *string { return &r.Actor },
		"subject":           func(r *Record) *string { return &r.Subject },
		"input_digest":      func(r *Record) *string { return (*string)(&r.InputDigest) },
		"features_ref":      func(r *Record) *string { return &r.FeaturesRef },
		"rule":              func(r *Record) *string { return &r.Rule },
		"rationale":         func(r *Record) *string { return &r.Rationale },
		"status":            func(r *Record) *string { return (*string)(&r.Status) },
		"decided_by":        func(r *Record) *string { return (*string)(&r.DecidedBy) },
	}
}

// ValueFields are those that can be any value, or any number.
func ValueFields() map[string]func(*Record) *Value {
	return map[string]func(*Record) *Value{
		"output":     func(r *Record) *Value { return &r.Output },
		"score":      func(r *Record) *Value { return &r.Score },
		"threshold":  func(r *Record) *Value { return &r.Threshold },
		"latency_us": func(r *Record) *Value { return &r.Latency },
	}
}
