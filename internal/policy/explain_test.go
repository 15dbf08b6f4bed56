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
		if rule.Row.ID != rule.ID {
			t.Errorf("row of %s is that of %s", rule.ID, rule.Row.ID)
		}
		if rule.About == policy.AboutRelease {
			if len(rule.Why) != 1 || !strings.Contains(rule.Why[0], "nothing is to be released") {
				t.Errorf("%s says not why it was not asked: %q", rule.ID, rule.Why)
			}
			continue
		}
		decided := slices.ContainsFunc(rule.Why, func(why string) bool { return strings.Contains(why, "decided, because") })
		if !decided || rule.Trace == "" {
			t.Errorf("%s (%s) says neither why nor how: %q", rule.ID, rule.Row.Status, rule.Why)
		}
	}
}

func TestExplanationAsText(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	input := set(t, sound(t, tallystick.TierHigh), "limits.performance.roc_auc.min", 0.7)
	explained, err := pack.Explain(t.Context(), policy.ExplainOptions{Input: input, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := explained.WriteText(&out, 90); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"performance.minimum: Performance keeps the limits that were stated",
		"severity: critical, blocks at this tier",
		"came out: inconclusive. ROC AUC is 0.702, 95\u00a0% interval 0.690 to 0.714",
		"performance_minimum.rego:",
		"decided, because `count(stated) > 0`",
		`{"ci":[0.6902,0.7141],"method":"delong","n":7214,"value":0.7022}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, out.String())
		}
	}
}

func TestTestsAsText(t *testing.T) {
	t.Parallel()
	results := []policy.TestResult{
		{Package: "house_test", Name: "test_a", Status: policy.Pass},
		{Package: "house_test", Name: "test_b", Status: policy.Fail, Source: "a_test.rego:3", Message: "line 4 does not hold: x"},
	}
	var out strings.Builder
	if err := policy.WriteTests(&out, results); err != nil {
		t.Fatal(err)
	}
	want := "fail  house_test.test_b\n      a_test.rego:3: line 4 does not hold: x\n2 tests: 1 pass, 1 fail, 0 error, 0 skip (0s)\n"
	if out.String() != want {
		t.Errorf("text %q, want %q", out.String(), want)
	}
	if policy.TestVerdict(results) != tallystick.Fail || policy.TestVerdict(results[:1]) != tallystick.Pass {
		t.Error("the verdict of the tests is wrong")
	}
}
