package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// The rule and the tests that docs/policy.md shows work as they stand there.
func TestDocumentedRuleWorks(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(doc), "```rego\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) != 2 {
		t.Fatalf("docs/policy.md shows %d pieces of Rego, want a rule and its tests", len(blocks))
	}
	dir := writePolicy(t, map[string]string{"recent.rego": blocks[0], "recent_test.rego": blocks[1]})
	results, err := policy.Test(t.Context(), dir)
	if err != nil || len(results) != 2 {
		t.Fatalf("%d results: %v", len(results), err)
	}
	for _, r := range results {
		if r.Status != policy.Pass {
			t.Errorf("%s: %s", r.Name, r.Message)
		}
	}
	d := evaluate(t, load(t, dir, tallystick.TierHigh), sound(t, tallystick.TierHigh))
	if rule := row(t, d, "house.recent"); rule.Status != policy.Pass {
		t.Errorf("house.recent is %s: %s", rule.Status, rule.Message)
	}
}
