package policy_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
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
