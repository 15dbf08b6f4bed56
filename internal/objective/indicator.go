package objective

// SLI is a service level indicator: a share of good events among valid ones.
type SLI struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Good  string `json:"good"`  // what is counted as good
	Valid string `json:"valid"` // among what
}

// SLIs returns the indicators of a model's behaviour. Those of labels count by the time at which
// labels are mature, not at which they arrive.
func SLIs() []SLI {
	return []SLI{
		{"correct", "Accuracy", "labelled predictions that are right", "labelled predictions"},
		{"stable", "Stable features", "features of a window without confirmed drift", "features of a window that were judged"},
		{"in_time", "Latency", "predictions answered in time", "predictions answered"},
		{"answered", "Answered", "requests answered without an error", "requests"},
		{"valid_input", "Valid input", "predictions that keep the schema", "predictions"},
		{"canary_agrees", "Canary agreement", "rows on which both versions decide alike", "rows that both versions decided"},
		{"drift_explained", "Drift and labels agree", "windows in which drift and mature labels tell the same", "windows with drift judged and labels mature"},
		{"audited", "Audit coverage", "models with a passing audit in force", "models that need one"},
		{"retrained", "Retrained in time", "models trained within their period", "models with a period"},
		{"no_false_alarm", "No false positives", "negative labels that were predicted negative", "negative labels"},
		{"not_overridden", "Not overridden", "decisions that no person changed", "decisions"},
		{"in_domain", "In domain", "predictions inside the domain of training", "predictions"},
	}
}

// Find returns the indicator of that name.
func Find(name string) (SLI, bool) {
	for _, s := range SLIs() {
		if s.Name == name {
			return s, true
		}
	}
	return SLI{}, false
}
