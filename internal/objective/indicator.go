package objective

import (
	"time"

	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/query"
)

// Indicator is a service level indicator: a share of good events among valid ones.
type Indicator struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Good   string `json:"good" doc:"what is counted as good"`
	Valid  string `json:"valid" doc:"among what"`
	Source string `json:"source" doc:"what it is counted from"`
	Live   bool   `json:"live" doc:"its events are counted within minutes, so that rules over an hour and less can judge them"`
}

// What indicators are counted from.
const (
	ofRecords    = "records of predictions"
	ofLabels     = "records of predictions and their labels, once these are mature"
	ofReference  = "records of predictions, and the reference that is pinned"
	ofJudgements = "judgements of the windows of a monitor"
	ofCases      = "cases that people decided"
	ofEvidence   = "evaluations on record"
	ofVersions   = "versions on record"
	ofPairs      = "records of two versions that answered the same inputs"
)

// Indicators returns the indicators of a model's behaviour.
func Indicators() []Indicator {
	return []Indicator{
		{"in_time", "Latency", "predictions answered within the limit", "predictions with a latency", ofRecords, true},
		{"answered", "Answered", "predictions that ended neither in an error nor too late", "predictions", ofRecords, true},
		{"share", "Share of predictions", "predictions of which every condition holds", "predictions that the conditions can be asked of", ofRecords, true},
		{"valid_input", "Valid input", "predictions of which every feature is there and of its kind", "predictions", ofReference, true},
		{"in_domain", "In domain", "predictions of which every feature has a value that the reference had, or one between its least and its greatest", "predictions", ofReference, true},
		{"correct", "Accuracy", "labelled predictions that are right", "predictions with a label when they are mature", ofLabels, false},
		{"no_false_alarm", "No false positives", "negative labels that were predicted negative", "predictions with a negative label when they are mature", ofLabels, false},
		{"no_miss", "No false negatives", "positive labels that were predicted positive", "predictions with a positive label when they are mature", ofLabels, false},
		{"stable", "Stable features", "features of a window that did not fail for drift", "features of a window that were judged for drift", ofJudgements, false},
		{"drift_explained", "Drift and labels agree", "windows in which drift and performance tell the same", "windows with drift and performance judged", ofJudgements, false},
		{"not_overridden", "Not overridden", "decided cases in which the people agreed with the model", "decided cases of predictions with an output", ofCases, false},
		{"audited", "Audit in force", "hours in which a passing evaluation was in force", "hours", ofEvidence, false},
		{"retrained", "Retrained in time", "hours in which the newest version was young enough", "hours since the first version", ofVersions, false},
		{"canary_agrees", "Canary agreement", "pairs whose answers are alike", "pairs of answers of two versions to one input", ofPairs, true},
	}
}

// FindIndicator returns the indicator of that name.
func FindIndicator(name string) (Indicator, bool) {
	for _, s := range Indicators() {
		if s.Name == name {
			return s, true
		}
	}
	return Indicator{}, false
}

// Parameters are what an indicator is told. Which it needs stands in parse.go.
type Parameters struct {
	Limit     time.Duration        // in_time: within which an answer comes in time
	Good      []query.Condition    // share: all of which hold for a good prediction
	Mature    time.Duration        // correct, no_false_alarm, no_miss: age at which labels are taken as they are
	Threshold *float64             // correct, no_false_alarm, no_miss: the score from which on a prediction is positive; nil: the output is compared
	Positive  string               // correct with a threshold, no_false_alarm, no_miss: the label, and the output, that are positive
	Monitor   string               // stable, drift_explained
	Every     time.Duration        // audited, retrained: how old an evaluation or a version may be
	Agreement comparison.Agreement // canary_agrees
	Against   string               // canary_agrees: the version, or champion, that others are to agree with
}
