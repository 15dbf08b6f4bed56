package policy_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
)

// The document that the tests judge has no field that a report has not: a rule that reads a name
// of yesterday would find nothing today.
func TestSoundDocumentHasTheFormOfAReport(t *testing.T) {
	t.Parallel()
	document := sound(t, tallystick.TierHigh)
	limits := document["limits"].(map[string]any)
	delete(limits, "origin") // of the gate's input alone
	for part, into := range map[string]any{
		"report": new(report.Document), "champion": new(report.Baseline), "criteria": new(report.Criteria), "limits": new(contract.Limits),
	} {
		data, err := json.Marshal(document[part])
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into); err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// The rules know in which direction each metric is better.
func TestChampionKnowsEveryMetric(t *testing.T) {
	t.Parallel()
	estimate := map[string]any{"value": 0.02, "ci": []any{0.01, 0.03}, "n": 1000, "method": "test"}
	measured := map[string]any{}
	for _, name := range contract.PerformanceMetrics() {
		measured[name] = estimate
	}
	data, err := json.Marshal(measured)
	if err != nil {
		t.Fatal(err)
	}
	var all performance.Performance
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	pack := load(t, "", tallystick.TierHigh)
	for _, metric := range all.Metrics() {
		if metric.Name == "bias" {
			continue // best at zero: neither direction is worse
		}
		document := set(t, sound(t, tallystick.TierHigh), "champion.metrics", []any{map[string]any{
			"metric": metric.Name, "value": estimate, "baseline": estimate, "difference": estimate,
		}})
		set(t, document, "limits.performance", map[string]any{metric.Name: map[string]any{"max_drop": 0.001}})
		want := policy.Fail
		if metric.HigherBetter {
			want = policy.Pass
		}
		if rule := row(t, evaluate(t, pack, document), "performance.champion"); rule.Status != want {
			t.Errorf("%s is higher than the champion's: %s, want %s", metric.Name, rule.Status, want)
		}
	}
}
