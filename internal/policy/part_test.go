package policy_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// TestTypedIsCanonical judges typed input without the detour over JSON, to the bytes and the decision of the detour.
func TestTypedIsCanonical(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	for i := range hindered {
		document := ready(t, tallystick.TierHigh)
		for path, value := range hindered[i].change {
			if hindered[i].tier == tallystick.TierHigh {
				document = set(t, document, path, value)
			}
		}
		data, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var in policy.Input
		if json.Unmarshal(data, &in) != nil {
			continue // of another form on purpose
		}
		in.Limits = map[string]any{"a": 1e21, "b": math.Copysign(0, -1), "c": 9007199254740993, "d": json.Number("1.50"), "e": "\u2028<&>"}
		if b := in.Release.Budget; b != nil { // of these there are none in documents from before
			b.Paused, b.Verdict = true, "fail"
		}
		want, err := policy.Canonical(in, now)
		if err != nil {
			t.Fatal(err)
		}
		prepared, err := policy.Prepare(in, now)
		if err != nil {
			t.Fatal(err)
		}
		decision, err := pack.Judge(t.Context(), prepared)
		got := prepared.Canonical()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %v\n got %s\nwant %s", hindered[i].name, err, got, want)
		}
		again, err := pack.Replay(t.Context(), got)
		if err != nil || !reflect.DeepEqual(again, decision) {
			t.Errorf("%s: replayed otherwise: %v\n%+v\n%+v", hindered[i].name, err, again, decision)
		}
	}
}
