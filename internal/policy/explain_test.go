package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	listed, err := pack.Explain(t.Context(), policy.ExplainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range listed.Rules {
		if rule.Description == "" || rule.Source == "" || rule.Row != nil || len(rule.Controls) == 0 {
			t.Errorf("%s is listed without description, source or controls", rule.ID)
		}
	}
	input := set(t, sound(t, tallystick.TierHigh), "limits.performance.roc_auc.min", 0.7)
	explained, err := pack.Explain(t.Context(), policy.ExplainOptions{Input: input, Now: now, Trace: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range explained.Rules {
		for _, w := range rule.Why {
			t.Log(rule.ID, w)
		}
		for _, w := range rule.Facts {
			t.Log(rule.ID, w)
		}
		if rule.Row.ID != rule.ID {
			t.Errorf("row of %s is that of %s", rule.ID, rule.Row.ID)
		}
		decided := slices.ContainsFunc(rule.Why, func(why string) bool { return strings.Contains(why, "decided, because") })
		if !decided || rule.Trace == "" {
			t.Errorf("%s (%s) says neither why nor how: %q", rule.ID, rule.Row.Status, rule.Why)
		}
	}
}
