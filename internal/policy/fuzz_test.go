package policy_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// Whatever the document, the gate neither panics nor loses a row, and the canonical form of what
// it judged gives the same decision again.
func FuzzEvaluate(f *testing.F) {
	for i := range trouble {
		data, err := json.Marshal(troubled(f, i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"report":{"labelled_rows":1e999}}`))
	pack := load(f, "", tallystick.TierHigh)
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		canonical, err := policy.Canonical(json.RawMessage(data), now)
		if err != nil {
			return
		}
		first := evaluate(t, pack, json.RawMessage(data))
		again := evaluate(t, pack, json.RawMessage(canonical))
		if one, two := render(t, policy.JSON, first, rendering), render(t, policy.JSON, again, rendering); !bytes.Equal(one, two) {
			t.Errorf("the canonical document is judged differently:\n%s\n%s", one, two)
		}
		if len(first.Rules) != len(pack.Rules()) {
			t.Errorf("%d rows for %d rules", len(first.Rules), len(pack.Rules()))
		}
		for _, rule := range first.Rules {
			if rule.Message == "" || rule.Denies() && first.Verdict == tallystick.Pass {
				t.Errorf("%s is %s with message %q, the gate %s", rule.ID, rule.Status, rule.Message, first.Verdict)
			}
		}
	})
}

func TestTypedInput(t *testing.T) {
	t.Parallel()
	document := sound(t, tallystick.TierLimited)
	input := policy.Input{
		Model:  policy.Model{Name: "credit", Version: "2", Owner: "ada", Tier: tallystick.TierLimited},
		Report: document["report"], Limits: document["limits"], Criteria: document["criteria"],
	}
	d := evaluate(t, load(t, "", tallystick.TierLimited), input)
	if d.Verdict != tallystick.Pass {
		t.Error(d.Words)
	}
	canonical, err := policy.Canonical(input, now)
	if err != nil {
		t.Fatal(err)
	}
	if d.Input != tallystick.DigestOf(canonical) {
		t.Error("the decision's digest is not that of the canonical input")
	}
	var written map[string]any
	if err := json.Unmarshal(canonical, &written); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(written)), slices.Sorted(maps.Keys(document)); !slices.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
}

func TestPackIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	input := sound(t, tallystick.TierHigh)
	want := render(t, policy.JSON, evaluate(t, pack, input), rendering)
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 3 {
				if got := render(t, policy.JSON, evaluate(t, pack, input), rendering); !bytes.Equal(got, want) {
					t.Error("another decision")
				}
			}
		})
	}
}
